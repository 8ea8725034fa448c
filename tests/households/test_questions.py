"""What detectors ask: who lives here, what they hold, what happened to them."""

from households.ledger import HOUSEHOLD, Household
from policy.schemes import Ranked, Scheme, Schemes
from schemas.facts import AnyFact, Status, first_day
from schemas.records import FactBody
from tests.households.making import (
    DECLARED,
    START,
    TOWN,
    apply,
    benefit,
    bill,
    contribution,
    death,
    employment,
    member,
    refund,
    rent,
)

ME, YOU = "p_me", "p_you"
ALWAYS = (Ranked(1, 900_000, 1),)
SCHEMES = Schemes(
    {"DIBIAN": Scheme("DIBIAN", "低保边缘家庭成员", ALWAYS), "DIBAO": Scheme("DIBAO", "低保", (Ranked(1, 900_000, 5),))}
)
EDGE = Status("DIBIAN", START, None, "civil", "审批2")


def ledger(*facts: tuple[str, AnyFact]) -> Household:
    household = Household("h")
    for person, fact in facts:
        household.fold(FactBody(person, fact))
    return household


FAMILY = (
    (YOU, member("h", YOU, 10, statuses=(EDGE,))),
    (ME, member("h", ME, relation="HEAD", statuses=())),
)


def test_members_come_in_one_order_and_the_dead_stay() -> None:
    household = ledger(*FAMILY, (YOU, death(YOU, 20)))
    assert [each.person for each in household.members_on(START + 30)] == [ME, YOU]
    assert [each.person for each in household.members_on(START)] == [ME]
    assert [each.reported_by for each in household.deaths(YOU)] == ["police"]


def test_a_change_of_membership_is_seen_by_the_next_question() -> None:
    household = ledger(*FAMILY)
    assert len(household.members_on(START + 30)) == 2
    household.fold(FactBody(YOU, member("h", YOU, 10, 2, until=20)))
    assert len(household.members_on(START + 30)) == 1


def test_the_highest_rank_counts() -> None:
    household = ledger(*FAMILY)
    assert household.tier_of(YOU, START + 30, SCHEMES) == "DIBIAN"
    assert household.tier_of(ME, START + 30, SCHEMES) == "OTHER"
    assert household.tier_of(HOUSEHOLD, START + 30, SCHEMES) == "DIBIAN"
    household.fold(FactBody(ME, member("h", ME, relation="HEAD", version=2)))
    assert household.tier_of(HOUSEHOLD, START + 30, SCHEMES) == "DIBAO"
    assert household.tier_of(HOUSEHOLD, START - 500, SCHEMES) == "OTHER"


def test_relations_areas_and_income_come_from_memberships() -> None:
    household = ledger(*FAMILY)
    assert household.relation(YOU, START + 30) == "CHILD"
    assert household.relation(HOUSEHOLD, START + 30) == "HOUSEHOLD"
    assert household.relation("p_else", START + 30) == "OTHER"
    assert household.responsible_area == TOWN
    assert household.declared_on(START) == DECLARED
    assert household.declared_on(START - 1000) is None
    assert Household("v").responsible_area == ""


def test_windows_are_half_open_and_cross_pages() -> None:
    household = ledger(*((ME, bill(str(day), day)) for day in (0, 100, 180, 181, 300)))
    assert [each.key for each in household.bills(ME, START + 100, START + 300)] == ["100", "180", "181"]
    assert [each.key for each in household.bills(ME)] == ["0", "100", "180", "181", "300"]
    assert household.bills(YOU) == []


def test_everybody_together_is_ordered_by_day() -> None:
    household = ledger((ME, bill("b", 5)), (YOU, bill("a", 5)), (YOU, bill("c", 1)))
    assert [each.key for each in household.bills()] == ["c", "a", "b"]


def test_refunds_are_summed_by_bill_and_follow_changes() -> None:
    household = ledger((ME, bill("b", 5)), (ME, refund("b", 9, 1, amount=300)), (ME, refund("b", 9, 2, amount=50)))
    assert household.refunds_of("b") == 350
    household.fold(FactBody(ME, refund("b", 9, 5, gone=True)))
    assert household.refunds_of("b") == 300
    assert household.refunds_of("x") == 0


def test_every_kind_has_its_question() -> None:
    household = ledger(
        (ME, contribution(ME, 3)),
        (ME, employment(ME, "RETIRED", 3)),
        (ME, rent("c1", 2)),
        (ME, benefit(ME, 2)),
    )
    assert [each.employer for each in household.contributions(ME)] == ["厂"]
    assert [each.kind for each in household.employments(ME)] == ["RETIRED"]
    assert [each.contract for each in household.rents()] == ["c1"]
    assert [each.scheme for each in household.benefits(ME)] == ["DIBAO"]


def test_a_whole_batch_hides_what_it_replaced() -> None:
    household = ledger((ME, contribution(ME, 3, 5)), (ME, contribution(ME, 4, 5)))
    month = 2025 * 12 + 3
    household.fold(FactBody(ME, member("h", ME)))
    apply(household, "employment.contribution", month, 6, mode="replace_period")
    assert [each.day for each in household.contributions(ME)] == [first_day(month + 1)]
    apply(household, "employment.contribution", month - 2, 6, mode="replace_period")
    household.fold(FactBody(ME, contribution(ME, 3, 7)))
    assert len(household.contributions(ME)) == 2


def test_a_whole_batch_hides_refunds_already_summed() -> None:
    household = ledger((ME, bill("b", 5)), (ME, refund("b", 9, 1, amount=300)))
    assert household.refunds_of("b") == 300
    household.fold(FactBody(ME, member("h", ME)))
    apply(household, "medical.reimbursement", 2025 * 12, 6, mode="replace_period")
    assert household.refunds_of("b") == 0
