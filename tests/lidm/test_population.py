"""Who is watched on a day, out of the blocks of the log: newest records, homes, ages, certificates, the dead."""

from datetime import date

from lidm.population import Home, Person, population
from schemas.facts import AnyFact, Death, Declared, Membership
from schemas.facts_standing import Disability
from schemas.records import FactBody, FactRecord, encode_block

ON = date(2026, 6, 30)
SINCE = date(2020, 1, 1)
TOWN, OTHER = "339901001000", "339901002000"
ONE, TWO = "h_" + "1" * 32, "h_" + "2" * 32


def head(key: str, day: date, recorded: int = 0, gone: bool = False) -> tuple[str, int, int, str, str, bool, int]:
    return (key, recorded, 0, f"{key}/{recorded}", "测试", gone, day.toordinal())


def lives(
    who: str, household: str, born: date | None, *, since: date = SINCE, until: date | None = None,
    hukou: str | None = None, recorded: int = 0, gone: bool = False,
) -> tuple[str, AnyFact]:  # fmt: skip
    """A membership; with `hukou` it is the head's and says where the household is registered."""
    declared = Declared(hukou, TOWN, TOWN, TOWN, None, "", "") if hukou else None
    return who, Membership(
        *head(f"{household}|{who}|{since}", since, recorded, gone), household, who, "HEAD" if hukou else "CHILD",
        until.toordinal() if until else None, born.toordinal() if born else None, (), declared,
    )  # fmt: skip


def certified(who: str, level: int, expires: date | None = None, *, day: date = SINCE) -> tuple[str, AnyFact]:
    key = head(f"{who}|PHYSICAL|{day}", day)
    return who, Disability(*key, "PHYSICAL", level, expires.toordinal() if expires else None, None, "NEW", None)


def blocks(*facts: tuple[str, AnyFact]) -> list[bytes]:
    """One record to a block."""
    return [
        encode_block([FactRecord(ONE, 0, "", 0, n, FactBody(person, fact))]) for n, (person, fact) in enumerate(facts)
    ]


def test_homes_and_people_as_of_a_day() -> None:
    told = population(
        blocks(
            lives("p_1", ONE, date(1980, 7, 1), hukou=TOWN),
            lives("p_2", ONE, date(2015, 6, 30)),
            lives("p_3", TWO, date(1950, 1, 1), hukou=OTHER),
            lives("p_4", TWO, None),
            certified("p_4", 2),
        ),
        ON,
    )
    assert told.homes == {ONE: Home(TOWN, False, False, "有未成年人"), TWO: Home(TOWN, True, True, "出生日期不全")}
    assert told.people == {
        "p_1": Person(ONE, 45, False),
        "p_2": Person(ONE, 11, False),
        "p_3": Person(TWO, 76, False),
        "p_4": Person(TWO, None, True),
    }


def test_who_moved_lives_in_the_newer_household_and_who_left_nowhere() -> None:
    told = population(
        blocks(
            lives("p_1", ONE, date(1980, 1, 1), hukou=TOWN),
            lives("p_2", TWO, date(1990, 1, 1), since=date(2026, 1, 1)),
            lives("p_2", ONE, date(1990, 1, 1)),
            lives("p_3", ONE, date(1990, 1, 1), until=ON),
            lives("p_5", ONE, date(1990, 1, 1), since=date(2026, 7, 1)),
        ),
        ON,
    )
    assert {who: each.household for who, each in told.people.items()} == {"p_1": ONE, "p_2": TWO}
    assert told.homes[TWO].apart is None


def test_the_newer_record_counts_in_whatever_order() -> None:
    right = lives("p_1", ONE, date(1981, 1, 1), hukou=OTHER, recorded=5)
    wrong = lives("p_1", ONE, date(1918, 1, 1), hukou=TOWN, recorded=1)
    gone = lives("p_2", ONE, date(1990, 1, 1), recorded=7, gone=True)
    here = lives("p_2", ONE, date(1990, 1, 1), recorded=2)
    one, two = population(blocks(right, wrong, gone, here), ON), population(blocks(here, gone, wrong, right), ON)
    assert one == two
    assert (one.people, one.homes[ONE].apart) == ({"p_1": Person(ONE, 45, False)}, True)


def test_the_dead_are_not_watched_and_their_household_is() -> None:
    dead = ("p_1", Death(*head("p_1|police", date(2026, 2, 1)), "police"))
    later = ("p_2", Death(*head("p_2|police", date(2026, 7, 1)), "police"))
    told = population(
        blocks(lives("p_1", ONE, date(1950, 1, 1), hukou=OTHER), lives("p_2", ONE, date(1955, 1, 1)), dead, later), ON
    )
    assert (set(told.people), told.homes) == ({"p_2"}, {ONE: Home(TOWN, True, False, "全是60岁以上")})


def test_a_certificate_counts_while_it_lasts() -> None:
    until = [lives(f"p_{n}", ONE, date(1980, 1, 1), hukou=TOWN if n == 0 else None) for n in range(3)]
    told = population(
        blocks(*until, certified("p_0", 1, ON), certified("p_1", 1, date(2026, 7, 1)), certified("p_2", 1, day=ON)), ON
    )
    assert [told.people[f"p_{n}"].disabled for n in range(3)] == [False, True, True]
