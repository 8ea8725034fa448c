"""Income in the legal sense: every rule of counting, added up the long way, and what a reason may say of it."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policy
from detectors.income import Account, Terms
from detectors.income_book import Book
from detectors.income_monthly import surely_earned, told_of
from detectors.registry import load_detectors
from households.coverage import Coverage
from households.ledger import Household
from policy.bundle import Bundle
from policy.parameters import PolicyMissing
from schemas.facts import AnyFact, Contribution, Declared, Employment, Membership, Status, first_day, month_of
from schemas.facts_living import Fund, Income, Pension, Schooling
from schemas.facts_standing import Authorisation, Custody
from schemas.records import BatchPartBody, FactBody
from tests.detectors import income_facts as told

CITY, TOWN = "339901000000", "339901008000"
BUNDLE = Bundle.load(Path(policy.__file__).parent)
HOUSEHOLD = "h_" + "0" * 32
ME, WIFE, CHILD = told.PEOPLE
ON = date(2026, 1, 20)
LAST = 2025 * 12 + 11
DAY = ON.toordinal()


def month(text: str) -> int:
    year, number = text.split("-")
    return int(year) * 12 + int(number) - 1


def member(person: str, relation: str, born: date, area: str = CITY, scheme: str | None = None) -> Membership:
    since = date(2020, 1, 1).toordinal()
    declared = Declared(area, area, area, area, None, "期间", "文书") if relation == "HEAD" else None
    held = (Status(scheme, since, None, "某局", "某号"),) if scheme else ()
    key = f"{HOUSEHOLD}|{person}|2020-01-01"
    head = told.head(key, (0, False), since)
    return Membership(*head, HOUSEHOLD, person, relation, None, born.toordinal(), held, declared)


def household(
    *facts: tuple[str, AnyFact],
    area: str = CITY,
    people: Iterable[str] = (ME, WIFE, CHILD),
    closed: Iterable[int] = range(month("2022-01"), LAST + 1),
    scheme: str | None = None,
) -> Household:
    coverage = Coverage()
    for each in closed:
        period = f"{each // 12}-{each % 12 + 1:02d}"
        for feed in ("employment.contribution", "pension.payment"):
            coverage.add_part(BatchPartBody(feed, period, 0, 1, period, (), "delta", 0, 0))
    born = {ME: ("HEAD", date(1980, 5, 1)), WIFE: ("SPOUSE", date(1982, 5, 1)), CHILD: ("CHILD", date(2015, 5, 1))}
    made = Household(HOUSEHOLD, coverage=coverage)
    for person in people:
        made.fold(FactBody(person, member(person, *born[person], area, scheme)))
    for person, fact in facts:
        made.fold(FactBody(person, fact))
    return made


def book(home: Household, area: str = CITY) -> Book:
    policy_then = BUNDLE.on(ON)
    terms = policy_then.rule("household_income", area).read(Terms.of)
    return Book(home, terms, policy_then.areas.chain(area, ON), LAST - 40)


def account(home: Household, area: str = CITY) -> Account:
    return book(home, area).accounts(DAY, 1)[0]


def wage(text: str, fen: int, employer: str = "COMPANY", person: str = ME) -> tuple[str, Contribution]:
    return person, told.wages(person, month(text), fen, employer, (0, False))


def tax(first: str, last: str, fen: int, kind: str = "WAGES", payer: str = "A") -> tuple[str, Income]:
    more = month(last) - month(first)
    return ME, told.taxed(ME, month(first), more, fen, kind, payer, (0, False))


ALLOWED = (ME, told.allowed(ME, date(2025, 1, 1).toordinal(), None, (0, False)))


def gaps(of: Account, feed: str) -> list[int]:
    return [each.month for each in of.gaps if each.feed == feed]


def test_a_sum_inside_the_window_counts_once_and_whole() -> None:
    found = account(household(ALLOWED, tax("2025-03", "2025-05", 900_000), people=[ME]))
    (line,) = found.lines
    assert (line.told, line.counted) == (900_000, 900_000 - 3 * 30_000)
    assert not found.gaps
    assert found.earned(month("2025-04")) == 0


@pytest.mark.parametrize(("first", "last"), [("2024-11", "2025-02"), ("2025-11", "2026-01")])
def test_a_sum_across_an_edge_of_the_window_is_never_divided(first: str, last: str) -> None:
    found = account(household(ALLOWED, tax(first, last, 900_000), people=[ME]))
    assert found.lines == ()
    inside = [each for each in range(month(first), month(last) + 1) if found.first <= each <= found.last]
    assert gaps(found, "tax.income") == inside


def test_months_told_by_insurance_need_no_dividing() -> None:
    across = tax("2024-12", "2025-02", 900_000)
    found = account(household(ALLOWED, across, wage("2025-01", 200_000), wage("2025-02", 200_000), people=[ME]))
    assert not found.gaps
    assert found.at_least == 2 * 170_000


def test_another_payers_sum_keeps_the_month_unknown() -> None:
    """What employer A paid in January says nothing of what B paid."""
    found = account(household(ALLOWED, tax("2025-01", "2025-01", 300_000), tax("2024-12", "2025-01", 1, payer="B")))
    assert gaps(found, "tax.income") == [month("2025-01")]


def test_overlapping_sums_of_one_payer_count_once() -> None:
    quarter, half = tax("2025-01", "2025-03", 300_000), tax("2025-01", "2025-06", 700_000)
    found = account(household(ALLOWED, quarter, half, people=[ME]))
    assert [each.told for each in found.lines] == [300_000]
    assert gaps(found, "tax.income") == [month("2025-04"), month("2025-05"), month("2025-06")]


def test_the_first_kind_of_record_of_wages_counts_alone() -> None:
    fund = (ME, told.fund(ME, month("2025-05"), 999_000, (0, False)))
    found = account(household(ALLOWED, tax("2025-05", "2025-05", 400_000), wage("2025-05", 500_000), fund, people=[ME]))
    assert [each.told for each in found.lines] == [400_000]


def test_two_jobs_in_a_month_add_up_and_cost_the_way_to_work_once() -> None:
    found = account(household(wage("2025-05", 200_000), wage("2025-05", 100_000, "POST"), people=[ME]))
    assert found.at_least == 300_000 - 30_000


def test_a_town_leaves_out_a_third_of_wages_of_public_posts() -> None:
    home = household(wage("2025-11", 300_000, "POST"), area=TOWN, people=[ME])
    found = account(home, TOWN)
    assert (found.first, found.at_least) == (month("2025-07"), 300_000 - 99_000)
    assert "公益性岗位工资990元不计入" in found.statement()


def test_the_basic_pension_of_residents_is_left_out_that_of_employees_is_not() -> None:
    version = (0, False)
    resident = (ME, told.pension(ME, month("2025-05"), 40_000, "RESIDENT", version))
    employee = (ME, told.pension(ME, month("2025-06"), 40_000, "EMPLOYEE", version))
    assert account(household(resident, employee, people=[ME])).at_least == 20_000 + 40_000


def test_a_base_of_nothing_is_no_wage() -> None:
    found = account(household(wage("2025-05", 0), people=[ME]))
    assert found.lines == ()
    assert found.silent == ((ME, 12),)


def test_who_is_away_by_law_is_not_divided_by_and_the_reason_is_nowhere_named() -> None:
    prison = (WIFE, told.away(WIFE, date(2025, 2, 3).toordinal(), None, (0, False)))
    paid = [wage(f"2025-{number:02d}", 220_000) for number in range(1, 13)]
    home = household(prison, *paid)
    assert [each.person for each in account(home).members] == [ME, CHILD]
    (breach,) = load_detectors()["INCOME-LINE"].evaluate(home, ON, BUNDLE.on(ON)).breaches
    assert "另有1人依规定暂不计入共同生活人口" in breach.reason
    assert not [each for each in breach.evidence if each.feed == "justice.custody"]
    assert not [word for word in ("服刑", "监狱", "戒毒", "失踪") if word in breach.reason]


def test_expected_back_from_prison_somebody_counts_again() -> None:
    back = Custody(*told.head("x", (0, False), DAY - 400), "PRISON", DAY - 10, None)
    assert len(account(household((WIFE, back))).members) == 3


def test_a_month_no_batch_closed_is_unknown_unless_something_is_told_of_it() -> None:
    closed = [each for each in range(month("2022-01"), LAST + 1) if each != month("2025-05")]
    home = household(wage("2025-05", 100_000), people=[ME, WIFE, CHILD], closed=closed)
    found = account(home)
    assert {(each.person, each.month) for each in found.gaps} == {(WIFE, month("2025-05"))}


def test_at_school_nothing_is_expected() -> None:
    since = date(2022, 9, 1).toordinal()
    school = (WIFE, Schooling(*told.head("x", (0, False), since), "S1", "COLLEGE", None, None))
    spell = (WIFE, Employment(*told.head("y", (0, False), since), "FLEXIBLE", None))
    assert account(household(wage("2025-05", 100_000), school)).silent == ((ME, 11),)
    assert gaps(account(household(wage("2025-05", 100_000), spell)), "tax.income")


def test_tax_records_are_looked_at_while_it_is_allowed() -> None:
    ended = (ME, Authorisation(*told.head("x", (0, False), DAY - 400), "TAX", DAY, None))
    home = household(ended, tax("2025-05", "2025-05", 400_000), people=[ME])
    late = book(home)
    assert late.accounts(DAY - 1, 1)[0].at_least == 370_000
    assert late.accounts(DAY, 1)[0].at_least == 0
    assert gaps(late.accounts(DAY, 1)[0], "civil.authorisation") == [month("2025-05")]


def test_while_a_history_is_on_its_way_nothing_is_said() -> None:
    home = household(*[wage(f"2025-{number:02d}", 220_000) for number in range(1, 13)])
    assert load_detectors()["INCOME-LINE"].evaluate(home, ON, BUNDLE.on(ON)).breaches
    other = told.head(f"h_2|{WIFE}|2025-12-01", (0, False), date(2025, 12, 1).toordinal())
    there = Membership(*other, "h_" + "2" * 32, WIFE, "SPOUSE", None, None, (), None)
    home.fold(FactBody(WIFE, there))
    back = told.head(f"{HOUSEHOLD}|{WIFE}|2026-01-05", (1, False), date(2026, 1, 5).toordinal())
    home.fold(FactBody(WIFE, Membership(*back, HOUSEHOLD, WIFE, "SPOUSE", None, None, (), None)))
    assert home.head.waiting
    findings = load_detectors()["INCOME-LINE"].evaluate(home, ON, BUNDLE.on(ON))
    assert (findings.breaches, [each.feed for each in findings.insufficient]) == ([], ["history"])


def test_who_is_known_to_live_elsewhere_counts_there_on_every_day_asked() -> None:
    home = household(wage("2025-05", 100_000), wage("2025-06", 300_000, person=WIFE))
    since = date(2026, 1, 10).toordinal()
    key = told.head(f"h_2|{WIFE}|2026-01-10", (0, False), since)
    home.fold(FactBody(WIFE, Membership(*key, "h_" + "2" * 32, WIFE, "SPOUSE", None, None, (), None)))
    for day in (DAY, since - 30):
        (found,) = book(home).accounts(day, 1)
        assert ([each.person for each in found.members], found.at_least) == ([ME, CHILD], 70_000)


@pytest.mark.parametrize("code", ["INCOME-LINE", "INCOME-RISE"])
def test_a_reason_accuses_nobody_and_says_what_it_leaves_out(code: str) -> None:
    paid = [wage(f"2025-{number:02d}", 450_000 if code == "INCOME-RISE" else 150_000) for number in range(1, 13)]
    scheme = "DIBAO" if code == "INCOME-RISE" else None
    home = household(*paid, scheme=scheme)
    (breach,) = load_detectors()[code].evaluate(home, ON, BUNDLE.on(ON)).breaches
    assert "必要就业成本3,600元不计入" in breach.reason
    assert "配偶12个月没有收入记录" in breach.reason
    assert not [
        word for word in ("违规", "骗", "可疑", "瞒", "拒", "停发") if word in breach.reason.replace("不据此停发", "")
    ]
    assert sum(each.value for each in breach.evidence) // 36 == breach.measure


def test_without_terms_of_the_place_nothing_is_guessed() -> None:
    home = household(wage("2025-05", 100_000), area="330000000000")
    with pytest.raises(PolicyMissing):
        load_detectors()["INCOME-LINE"].evaluate(home, ON, BUNDLE.on(ON))


facts = st.lists(told.FACTS["INCOME-LINE"] | told.FACTS["INCOME-RISE"], max_size=16)


@settings(max_examples=150, deadline=None)
@given(facts, st.sampled_from([CITY, TOWN]), st.integers(0, 3))
def test_every_account_adds_up(drawn: list[tuple[str, AnyFact]], area: str, back: int) -> None:
    home = household(*drawn, area=area)
    of = book(home, area)
    for found in of.accounts(DAY, 4)[back : back + 1]:
        assert sum(each.value for each in found.evidence()) == found.at_least
        assert all(each.told == each.counted + sum(fen for _, fen in each.less) for each in found.lines)
        assert all(found.first <= each.first and each.last <= found.last for each in found.lines)
        assert all(each.counted >= 0 for each in found.lines)
        assert surely_earned(home, found.members, of.terms, found.last) <= found.at_least <= found.at_most
        assert found.earned(found.last) <= told_of(home, found.members, found.last)
        counted = {each.person for each in found.members}
        assert {person for person, _ in found.silent} | {each.person for each in found.gaps} <= counted


@settings(max_examples=150, deadline=None)
@given(st.lists(told.FACTS["INCOME-LINE"], max_size=16))
def test_without_taxes_the_long_way_agrees(drawn: list[tuple[str, AnyFact]]) -> None:
    kept = [(person, fact) for person, fact in drawn if isinstance(fact, Contribution | Fund | Pension)]
    found = account(household(*kept))
    newest: dict[tuple[str, str], AnyFact] = {}
    for _, fact in sorted(kept, key=lambda each: (each[1].version, msgspec.msgpack.encode(each[1]))):
        newest[type(fact).__name__, fact.key] = fact
    total = 0
    for person in (ME, WIFE, CHILD):
        for each in range(found.first, found.last + 1):
            mine = [f for f in newest.values() if f.day == first_day(each) and not f.gone and person in f.key]
            bases = [f.base_fen for f in mine if isinstance(f, Contribution)]
            bases = bases or [f.base_fen for f in mine if isinstance(f, Fund)]
            total += max(0, sum(bases) - 30_000) if bases else 0
            pensions = [f for f in mine if isinstance(f, Pension)]
            total += sum(f.amount_fen - (f.basic_fen if f.scheme == "RESIDENT" else 0) for f in pensions)
    assert found.at_least == total
    assert month_of(first_day(found.last)) == LAST
