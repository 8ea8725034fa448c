"""What families go through, as the register tells it: history and open breaches follow the right people."""

from copy import deepcopy
from datetime import date, datetime
from itertools import count
from typing import Any

import pytest
import zstandard

from households.state import Episode
from load_tests.chaos.events import CITY, TOWN, Json, Operation, bill, membership
from policy.bundle import Bundle
from schemas.calendar import SHANGHAI
from schemas.records import PolicyBody, PolicyRecord, TickBody, TickRecord
from tests.streams.making import POLICY
from tests.streams.town import Town, home, person

BILLED, MOVED = date(2026, 4, 20), date(2026, 5, 8)
REDIVIDED, NEXT = date(2026, 5, 15), "339901008000"
OVER_LINE = 2_500_000
COUPLE, OTHERS, ORPHAN = 0, 1, 2
NUMBERS = count(1)


MERGED: Json = {"valid_to": REDIVIDED.isoformat(), "successors": [NEXT]}
ENTRUSTED: Json = {"entrusted": [{"to": NEXT, "valid_from": REDIVIDED.isoformat(), "valid_to": None}]}


def redivided(how: Json, *, line: int) -> PolicyRecord:
    """Another town answers for this one from a day on; there the line is so many times as high."""
    plain: Any = Bundle.load(POLICY).plain()
    plain["areas"][TOWN] |= how
    there = plain["rules"][NEXT]["medical_selfpay"] = deepcopy(plain["rules"][CITY]["medical_selfpay"])
    for value in there["values"]:
        lines = value["values"]["line"]
        value["values"]["line"] = {scheme: fen * line for scheme, fen in lines.items()}
    bundle = Bundle(plain)
    packed = zstandard.compress(bundle.canonical())
    return PolicyRecord("", 0, "", 0, 0, PolicyBody(bundle.hash, packed))


class Register(Town):
    """The town, with a registrar who writes one entry at a time and days that pass."""

    def enter(self, who: int, where: int, since: date, relation: str, until: date | None = None, **more: str) -> None:
        """One stay; told again it is a correction."""
        data: Json = membership(home(where), since, relation, date(2012, 3, 1))
        data |= {"valid_to": until.isoformat() if until else None, **more}
        if relation != "HEAD":
            data.pop("declared", None)
        self.tell("civil.household", who, data, since)

    def tell(self, kind: str, who: int, data: Json, day: date, operation: Operation = "record") -> None:
        """Anything of anybody."""
        self.pass_time()
        pen = self.pen
        self.read([pen.event(kind, f"e{next(NUMBERS)}", person(who), data, day, operation=operation)])
        assert not self.refused

    def until(self, day: date) -> None:
        """It is that evening."""
        self.at = datetime(day.year, day.month, day.day, 20, tzinfo=SHANGHAI)
        self.everywhere(TickRecord("", self.ms, "", 0, 0, TickBody(self.ms)))
        self.settle()

    def open(self, where: int, detector: str = "MED-SELFPAY") -> dict[str, Episode]:
        """Breaches of a rule in force in a home, by alert."""
        episodes = self.household(where).head.episodes
        return {each.alert_id: each for each in episodes if each.ended is None and each.detector == detector}

    def bills(self, where: int) -> int:
        """How many bills count there."""
        return len(self.household(where).bills())


@pytest.fixture
def town() -> Register:
    """Three households of one; the third is a child with a bill far above the line."""
    made = Register(3)
    made.tell("medical.settlement", ORPHAN, bill("b1", BILLED, OVER_LINE), BILLED)
    made.until(date(2026, 5, 8))
    assert len(made.open(ORPHAN)) > 0
    return made


def test_an_adopted_child_takes_its_history_and_its_alerts_along(town: Register) -> None:
    before = town.open(ORPHAN)
    town.enter(ORPHAN, COUPLE, MOVED, "CHILD")
    town.until(date(2026, 5, 20))
    mine = {each for each, episode in before.items() if episode.person == person(ORPHAN)}
    assert mine <= town.open(COUPLE).keys()
    assert not town.open(ORPHAN)
    assert (town.bills(COUPLE), town.household(ORPHAN).members_on(MOVED.toordinal())) == (1, [])


def test_married_and_divorced_everybody_is_where_they_live_and_the_alert_is_the_same(town: Register) -> None:
    before = {each for each, episode in town.open(ORPHAN).items() if episode.person}
    town.enter(ORPHAN, OTHERS, MOVED, "SPOUSE")
    town.until(date(2026, 5, 20))
    assert before <= town.open(OTHERS).keys()
    town.until(date(2026, 6, 1))
    town.enter(ORPHAN, OTHERS, MOVED, "SPOUSE", until=date(2026, 6, 1))
    town.enter(ORPHAN, ORPHAN, date(2026, 6, 1), "HEAD")
    town.until(date(2026, 6, 10))
    assert before <= town.open(ORPHAN).keys()
    assert not town.open(OTHERS)
    assert (town.bills(ORPHAN), town.bills(OTHERS)) == (1, 0)


def test_a_split_leaves_each_with_what_was_theirs(town: Register) -> None:
    town.enter(ORPHAN, COUPLE, MOVED, "CHILD")
    town.tell("medical.settlement", COUPLE, bill("b2", BILLED, OVER_LINE), BILLED)
    town.until(date(2026, 5, 12))
    both = {each.person for each in town.open(COUPLE).values()} - {None}
    assert both == {person(COUPLE), person(ORPHAN)}
    town.enter(ORPHAN, 7, date(2026, 5, 12), "HEAD")
    town.until(date(2026, 5, 20))
    assert {each.person for each in town.open(COUPLE).values()} - {None} == {person(COUPLE)}
    assert {each.person for each in town.open(7).values()} - {None} == {person(ORPHAN)}


def test_somebody_in_two_books_counts_in_the_newer_one_only(town: Register) -> None:
    """Nobody closed the first stay."""
    town.enter(ORPHAN, OTHERS, MOVED, "CHILD")
    town.until(date(2026, 5, 20))
    assert (town.bills(OTHERS), len(town.open(ORPHAN)), len(town.open(OTHERS)) > 0) == (1, 0, True)
    assert town.household(ORPHAN).members_on(date(2026, 5, 20)) == []


def test_the_household_goes_on_under_another_head(town: Register) -> None:
    town.enter(ORPHAN, COUPLE, MOVED, "CHILD")
    town.until(date(2026, 5, 12))
    before = {each for each, episode in town.open(COUPLE).items() if episode.person == person(ORPHAN)}
    dead: Json = {"reported_by": "police", "died_on": "2026-05-11"}
    town.tell("vital.death", COUPLE, dead, date(2026, 5, 11))
    town.enter(ORPHAN, COUPLE, MOVED, "CHILD", until=date(2026, 5, 12))
    town.enter(ORPHAN, COUPLE, date(2026, 5, 12), "HEAD")
    town.until(date(2026, 5, 20))
    assert before <= town.open(COUPLE).keys()
    assert len(town.open(COUPLE, "MEMBER-DEATH")) == 1


def test_a_wrong_death_is_undone_with_all_that_followed(town: Register) -> None:
    """Reported dead, benefit paid on, the child left alone: reversed, and everything is as if nobody had said it."""
    town.enter(ORPHAN, COUPLE, MOVED, "CHILD")
    town.tell("medical.settlement", COUPLE, bill("b2", BILLED, OVER_LINE), BILLED)
    town.tell("civil.benefit", COUPLE, {"scheme": "DIBAO", "month": "2026-06", "amount": 98_000}, date(2026, 6, 1))
    town.until(date(2026, 5, 12))

    def standing() -> set[tuple[str, str, int, int]]:
        episodes = town.household(COUPLE).head.episodes
        return {(each.detector, each.cause, each.since, each.severity) for each in episodes if each.ended is None}

    before = standing()
    dead: Json = {"reported_by": "police", "died_on": "2026-05-11"}
    town.tell("vital.death", COUPLE, dead, date(2026, 5, 11))
    town.until(date(2026, 6, 2))
    assert {"DEATH-ON-BENEFIT", "MEMBER-DEATH"} <= {detector for detector, *_ in standing()} != set()
    town.tell("vital.death", COUPLE, dead, date(2026, 5, 11), operation="reverse")
    town.until(date(2026, 6, 4))
    assert standing() == before
    ended = {each.detector: each.ended for each in town.household(COUPLE).head.episodes if each.ended is not None}
    assert ended["DEATH-ON-BENEFIT"] == ended["MEMBER-DEATH"] == "withdrawn"


def test_the_day_a_place_ranks_schemes_otherwise_another_line_counts(town: Register) -> None:
    """Poor and hard hit by spending: the line of the scheme that goes first here, and from a day on another does."""
    told: Json = {"source": "星河市民政局", "document": "星民认〔2026〕9号"}
    both: Any = [{"scheme": each, "since": "2026-01-01", **told} for each in ("DIBAO", "GANGXING")]
    data = membership(home(9), date(2026, 1, 1), "HEAD", date(1970, 3, 1)) | {"statuses": both}
    town.tell("civil.household", 9, data, date(2026, 1, 1))
    town.tell("medical.settlement", 9, bill("b9", BILLED, 700_000), BILLED)
    plain: Any = Bundle.load(POLICY).plain()
    rank = {"since": REDIVIDED.isoformat(), "until": None, "rank": 55}
    plain["schemes"]["GANGXING"]["places"] = {CITY: {"since": REDIVIDED.isoformat(), "ranks": [rank]}}
    for kind in ("civil.household", "medical.reimbursement", "medical.settlement", "vital.death"):
        town.read(town.batch(kind, {}, f"{kind}-04", "delta", "2026-04"))
    bundle = Bundle(plain)
    town.everywhere(PolicyRecord("", 0, "", 0, 0, PolicyBody(bundle.hash, zstandard.compress(bundle.canonical()))))
    town.until(date.fromordinal(REDIVIDED.toordinal() - 1))
    mine = town.open(9)
    assert mine, "7,000 yuan are above the line of DIBAO"
    town.until(REDIVIDED)
    ended = {each.alert_id: each.ended_on for each in town.household(9).head.episodes if each.ended == "lapsed"}
    assert {ended.get(each) for each in mine} == {REDIVIDED.toordinal()}


@pytest.mark.parametrize("how", [MERGED, ENTRUSTED], ids=["merged", "entrusted"])
@pytest.mark.parametrize(("line", "ends"), [(1, None), (3, "lapsed")])
def test_a_town_that_becomes_part_of_another_keeps_its_alerts_and_gets_the_values_there(
    town: Register, how: Json, line: int, ends: str | None
) -> None:
    """Nobody declares anybody anew: from that day on the values of the other town hold, and what was so was so."""
    mine = {each for each, episode in town.open(ORPHAN).items() if episode.person}
    for kind in ("civil.household", "medical.reimbursement", "medical.settlement", "vital.death"):
        town.read(town.batch(kind, {}, f"{kind}-04", "delta", "2026-04"))  # what is late would keep it open
    town.everywhere(redivided(how, line=line))
    town.until(date.fromordinal(REDIVIDED.toordinal() - 1))
    assert mine <= town.open(ORPHAN).keys()
    town.until(REDIVIDED)
    after = {each.alert_id: each for each in town.household(ORPHAN).head.episodes}
    assert {after[each].ended for each in mine} == {ends}
    assert {after[each].ended_on for each in mine} == {REDIVIDED.toordinal() if ends else None}
