"""The need profile: what shows, what does not, what cannot be told, whatever the order in which it came."""

from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.profile import SHOWN_BY, Facet, Profile, in_order, profile
from detectors.registry import load_detectors
from detectors.signs import SIGN_LABELS, Ledger, measure
from households.coverage import Coverage
from households.ledger import Household
from policy.needs import RULES, SIGNS
from policy.parameters import PolicyMissing
from schemas.facts import AnyFact, Bill, Employment
from schemas.facts_contact import Listed
from schemas.facts_standing import Authorisation, Property
from schemas.records import BatchPartBody
from tests.detectors.hardship_facts import certificate, death, incident, lead
from tests.detectors.test_laws import FACTS, PEOPLE, WIDE, evenings, head, households, ledger

Rolls = tuple[list[tuple[int, int | None, int | None]], int]
ON = date(2025, 10, 1)
TODAY = ON.toordinal()
GROWN, CHILD, OLD = (date(year, 7, 1).toordinal() for year in (1980, 2015, 1950))


def home(born: tuple[int, int, int] = (GROWN, GROWN, GROWN), income: int = 0) -> Rolls:
    return [(each, None, None) for each in born], income


def asked(rolls: Rolls, *facts: tuple[str, AnyFact], months: bool = True) -> dict[str, Facet]:
    """Facets by code; `months`: whether every feed there is has complete files up to the day."""
    household = ledger(rolls, facts)
    household.coverage = everything() if months else Coverage()
    return {each.code: each for each in made(household).facets}


def made(household: Household) -> Profile:
    return profile(household, ON, WIDE.on(ON))


def everything() -> Coverage:
    coverage = Coverage()
    feeds = {feed for each in load_detectors().values() for feed in each.listens | each.absence}
    for feed in (*feeds, "screening.list", "property.registration", "disability.certificate"):
        for month in range(1, 10):
            name = f"2025-{month:02d}"
            coverage.add_part(BatchPartBody(feed, name, 0, 1, name, (), "delta", 0, 0))
    return coverage


def said(facet: Facet) -> str:
    return "；".join(each.says for each in facet.reasons)


def bill(n: int, day: int, yuan: int, visit: str = "INPATIENT") -> tuple[str, AnyFact]:
    fen = yuan * 100
    return PEOPLE[0], Bill(*head(f"b{n}", (0, False), day), fen, 0, 0, fen, visit)


def owned(person: str, use: str = "HOME") -> tuple[str, AnyFact]:
    key = head(f"u1|{person}", (0, False), TODAY - 400)
    return person, Property(*key, "u1", "ACQUIRE", "OWNERSHIP", use, 100, 90)


def allowed(person: str) -> tuple[str, AnyFact]:
    return person, Authorisation(*head(f"{person}|MEANS", (0, False), TODAY - 300), "MEANS", None, None)


def test_the_lists_of_the_code_are_those_of_the_policy() -> None:
    assert set(SHOWN_BY) == RULES
    assert set(SIGN_LABELS) == SIGNS
    for code, feeds in SHOWN_BY.items():
        assert set(feeds) <= load_detectors()[code].listens


def test_no_data_is_never_no_need() -> None:
    blind = asked(home(), months=False)
    assert {each.level for code, each in blind.items() if code not in ("INCOME", "FAMILY")} == {None}
    assert all(each.lacks for each in blind.values())
    assert not any(each.level == 0 for each in blind.values())


def test_with_complete_files_nothing_is_nothing() -> None:
    seen = asked(home(income=90_000_00), *(allowed(each) for each in PEOPLE), owned(PEOPLE[0]))
    assert {code: each.level for code, each in seen.items() if code != "INCOME"} == {
        "FAMILY": 0, "HEALTH": 0, "ASSETS": 0, "SPENDING": 0, "SOURCE": 0, "CARE": 0,
    }  # fmt: skip
    assert seen["HEALTH"].reasons == ()
    assert seen["HEALTH"].lacks == ()


@pytest.mark.parametrize(
    ("born", "level", "says"),
    [
        ((GROWN, GROWN, GROWN), 0, ""),
        ((GROWN, GROWN, CHILD), 0, ""),
        ((GROWN, CHILD, CHILD), 1, "全家3人中2人是未成年人、老人或重度残疾人，占66%"),
        ((OLD, CHILD, CHILD), 3, "全家3人中3人是未成年人、老人或重度残疾人，占100%"),
    ],
)
def test_family(born: tuple[int, int, int], level: int, says: str) -> None:
    facet = asked(home(born))["FAMILY"]
    assert facet.level == level
    assert says in said(facet)


def test_a_severe_disability_is_health_and_makes_a_dependant() -> None:
    severe = certificate(PEOPLE[0], "PHYSICAL", TODAY - 2000, 1, (None, None), "NEW", (0, False))
    seen = asked(home((GROWN, OLD, GROWN)), (PEOPLE[0], severe))
    assert (seen["HEALTH"].level, seen["FAMILY"].level) == (2, 1)
    assert "重度残疾1人（户主一级）" in said(seen["HEALTH"])
    assert [item.key for part in seen["HEALTH"].reasons for item in part.evidence] == [severe.key]


def test_a_rule_speaks_with_its_own_sentence_since_and_evidence() -> None:
    fire = incident(1, PEOPLE[0], TODAY - 10, "NONE", "UNFIT", 0, "NONE", (0, False))
    facet = asked(home(), (PEOPLE[0], fire))["ASSETS"]
    (part,) = facet.reasons
    assert (facet.level, part.name, part.since) == (4, "DISASTER-ACCIDENT", date.fromordinal(TODAY - 10))
    assert part.evidence[0].key == fire.key
    assert facet.points == facet.weight * 4


def test_what_shows_is_a_least_where_something_is_hidden() -> None:
    hidden = asked(home(), bill(1, TODAY - 20, 9_000), bill(2, TODAY - 10, 9_000), months=False)["HEALTH"]
    assert hidden.level == 1
    assert "近12个月住院结算2次" in said(hidden)
    assert {each.feed for each in hidden.lacks} >= {"medical.settlement", "disability.certificate"}


def test_income_is_told_per_head_against_the_local_standard() -> None:
    low, none = asked(home(income=240_000)), asked(home(income=900_000))
    assert "3人人均800元，是低保标准1,000元的80%" in said(low["INCOME"])
    assert low["INCOME"].level == 3
    assert not any(each.name == "INCOME" and each.level for each in none["INCOME"].parts)


def test_treatment_is_told_against_plain_living() -> None:
    spent = asked(home(), bill(1, TODAY - 20, 18_000, "OUTPATIENT"))["SPENDING"]
    (part,) = [each for each in spent.parts if each.name == "TREATMENT"]
    assert (part.level, part.evidence[0].value) == (2, 1_800_000)
    assert "相当于3人按低保标准生活支出36,000元的50%" in part.says


@pytest.mark.parametrize(
    ("facts", "level", "says"),
    [
        ((), None, "2名成年人中0人授权查询财产"),
        ((allowed(PEOPLE[0]),), None, "2名成年人中1人授权查询财产"),
        ((allowed(PEOPLE[0]), allowed(PEOPLE[1])), 1, "名下没有住房登记"),
        ((allowed(PEOPLE[0]), allowed(PEOPLE[1]), owned(PEOPLE[0])), 0, "名下有住房"),
        ((allowed(PEOPLE[0]), owned(PEOPLE[1])), None, "1人授权查询财产"),
        ((allowed(PEOPLE[0]), allowed(PEOPLE[1]), owned(PEOPLE[0], "SHOP")), 1, "名下没有住房登记"),
    ],
)
def test_a_register_is_looked_at_only_where_everybody_allows_it(
    facts: tuple[tuple[str, AnyFact], ...], level: int | None, says: str
) -> None:
    seen = asked(home((GROWN, GROWN, CHILD)), *facts)["ASSETS"]
    (part,) = [each for each in seen.parts if each.name == "NO_HOME"]
    assert part.level == level
    assert says in part.says


def test_without_the_register_s_files_nobody_is_without_a_home() -> None:
    seen = asked(home((GROWN, GROWN, CHILD)), allowed(PEOPLE[0]), allowed(PEOPLE[1]), months=False)["ASSETS"]
    (part,) = [each for each in seen.parts if each.name == "NO_HOME"]
    assert (part.level, [each.feed for each in part.lacks]) == (None, ["property.registration"])


def test_lists_leads_and_unemployment() -> None:
    jobless = Employment(*head(f"{PEOPLE[1]}|UNEMPLOYED", (0, False), TODAY - 30), "UNEMPLOYED", None)
    named = Listed(*head("L1", (0, False), TODAY - 60), "LOW_INCOME", "民政", None, None, None, None, None, "NONE")
    seen = asked(home(), (PEOPLE[1], jobless), (PEOPLE[0], named), (PEOPLE[2], lead(1, TODAY - 5, (0, False))))
    assert "登记失业1人（子女）" in said(seen["INCOME"])
    assert {each.name for each in seen["SOURCE"].reasons} == {"HELP-SEEKING", "LISTED"}


@pytest.mark.parametrize(("born", "value"), [((OLD, OLD, OLD), 3), ((OLD, OLD, GROWN), 0), ((GROWN, GROWN, GROWN), 0)])
def test_only_the_old(born: tuple[int, int, int], value: int) -> None:
    seen = measure("ELDERS_ONLY", Ledger(ledger(home(born), ()), ON, WIDE.on(ON)))
    assert seen.value == value


def test_the_dead_need_nothing_and_leave_somebody_alone() -> None:
    gone = [(each, death(each, TODAY - 40, (0, False))) for each in PEOPLE[1:]]
    seen = asked(home((OLD, GROWN, GROWN)), *gone)
    assert "1位65岁以上老人独自生活" in said(seen["CARE"])
    assert "MEMBER-DEATH" in {each.name for each in seen["FAMILY"].reasons}


def test_order_puts_nobody_out() -> None:
    some = [
        made(ledger(home(born), facts))
        for born, facts in (
            ((GROWN, GROWN, GROWN), ()),
            ((OLD, CHILD, CHILD), (bill(1, TODAY - 9, 60_000),)),
            ((GROWN, CHILD, CHILD), ()),
        )
    ]
    ranked = in_order(some)
    assert sorted(map(id, ranked)) == sorted(map(id, some))
    assert [each.points for each in ranked] == sorted((each.points for each in some), reverse=True)
    assert ranked[0] is some[1]
    assert all(each.points == sum(facet.weight * (facet.level or 0) for facet in each.facets) for each in some)


def test_a_household_of_no_area_has_no_profile() -> None:
    with pytest.raises(PolicyMissing):
        made(Household("v_" + "0" * 32))


@settings(max_examples=40, deadline=None)
@given(households, st.lists(FACTS["COMPOUND"], max_size=12), st.randoms(use_true_random=False), evenings)
def test_the_order_of_facts_changes_no_profile(
    rolls: Rolls, facts: list[tuple[str, AnyFact]], random: Random, on: date
) -> None:
    other = [*facts, *facts]
    random.shuffle(other)
    one, two = (profile(ledger(rolls, each), on, WIDE.on(on)) for each in (facts, other))
    assert one == two


@settings(max_examples=40, deadline=None)
@given(households, st.lists(FACTS["COMPOUND"], max_size=12), evenings)
def test_a_facet_says_nothing_or_why(rolls: Rolls, facts: list[tuple[str, AnyFact]], on: date) -> None:
    """A level above nothing has reasons, none has no gap, and no level names what is missing."""
    for each in profile(ledger(rolls, facts), on, WIDE.on(on)).facets:
        assert bool(each.reasons) == bool(each.level)
        if each.level == 0:
            assert each.lacks == ()
        if each.level is None:
            assert each.lacks or any(part.level is None for part in each.parts)
        assert each.level in (None, 0, 1, 2, 3, 4)
