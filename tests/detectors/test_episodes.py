"""Episodes: raise, update, move, withdraw, lapse, re-open, silent before golive, baseline at golive."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import episodes
from detectors.episodes import Told
from detectors.findings import Breach, EvidenceItem, Findings, Insufficient, Quota
from detectors.registry import Detector, Family, UnknownFeed, detector
from households.codec import canonical, in_force
from households.ledger import FoldResult, Household
from policy.areas import AreaTree
from policy.parameters import Line, Policy
from policy.schemes import Schemes
from schemas.alerts import Alert, Document
from schemas.facts import AnyFact
from schemas.records import FactBody, Route
from tests.households.making import START, bill, member
from tests.households.network import World
from tests.households.test_moves import SLOW, Story, in_order, scrambled, stories

ME = "p_me"
TODAY = date.fromordinal(START + 60)
POLICY = Policy(TODAY, "abcdef123456", AreaTree({}), Schemes({}), {})
LINE = Line(15_000, "每人", Document(title="示范文件", number="示1号", status="pilot"), "abcdef123456")
WINDOW = 100


def dear(household: Household, on: date, policy: Policy) -> Findings:
    """TOY 花费: a member's bills of the last hundred days above the line."""
    findings = Findings()
    if household.head.waiting:
        findings.lacks("history", None)
    today = on.toordinal()
    for each in household.members_on(today):
        total, since = 0, 0
        bills = household.bills(each.person, today - WINDOW + 1, today + 1)
        for one in bills:
            total += one.in_catalogue_fen
            since = since or (one.day if total > LINE.value else 0)
        if since:
            evidence = tuple(EvidenceItem(b.key, b.feed, b.source, b.day, b.in_catalogue_fen) for b in bills)
            began, severity = date.fromordinal(since), min(4, total // LINE.value + 1)
            findings.add(Breach(each.person, each.relation, began, severity, total, "fen", LINE, "花费超线", evidence))
    return findings


QUOTA = Quota("339901000000", 20)
TOY = Detector("TOY", "1.0.0", Family.RISK, frozenset(("medical.settlement",)), "toy", frozenset(), dear)


class Desk:
    """A household with its alerts, looked at after every fact."""

    def __init__(self, household: Household | None = None, *, live: bool = True, rule: Detector = TOY) -> None:
        self.household = household or Household("h1")
        self.live, self.lacking, self.on, self.rule = live, (), TODAY, rule
        self.said: list[Alert] = []
        if household is None:
            self.household.fold(FactBody(ME, member("h1", ME, relation="HEAD")))

    def tell(self, *facts: AnyFact) -> list[Alert]:
        for fact in facts:
            self.household.fold(FactBody(ME, fact))
        return self.look()

    def look(self, on: date | None = None, lacking: tuple[str, ...] = ()) -> list[Alert]:
        self.on = on or self.on
        told = step(self.household, self.on, live=self.live, lacking=lacking, rule=self.rule)
        self.said += told.alerts
        return told.alerts


def step(
    household: Household, on: date, *, live: bool = True, lacking: tuple[str, ...] = (), rule: Detector = TOY
) -> Told:
    findings = dear(household, on, POLICY)
    findings.insufficient += [Insufficient(feed, "2025-01") for feed in lacking]
    told = episodes.step(
        household,
        rule,
        findings,
        on=on,
        policy=POLICY,
        live=live,
        known_at=1_750_000_000_000,
        evaluate_at=lambda day: dear(household, day, POLICY),
    )
    household.head.rechecks = {"TOY": findings.recheck_on.toordinal()} if findings.recheck_on else {}
    return told


def states(alerts: list[Alert]) -> list[tuple[str, int]]:
    return [(alert.state, alert.revision) for alert in alerts]


def test_a_raised_alert_explains_itself() -> None:
    desk = Desk()
    (alert,) = desk.tell(bill("a", 10), bill("b", 20))
    assert states([alert]) == [("raised", 1)]
    assert (alert.household, alert.cause, alert.subject) == ("h1", ME, "HEAD")
    assert alert.since == date.fromordinal(START + 20)
    assert alert.alert_id == episodes.alert_id("h1", "TOY", ME, START + 20)
    assert alert.threshold.document.title == "示范文件"
    assert [item.key for item in alert.evidence] == ["a", "b"]
    assert alert.areas is not None
    assert alert.known_at.tzinfo is not None


def test_only_a_difference_worth_a_message_is_one() -> None:
    desk = Desk()
    desk.tell(bill("a", 10), bill("b", 20))
    assert desk.look() == []
    assert desk.look(TODAY + timedelta(days=1)) == []
    assert states(desk.tell(bill("c", 30))) == [("updated", 2)]
    assert states(desk.look(lacking=("medical.settlement",))) == [("updated", 3)]


def test_what_never_was_so_is_withdrawn_and_what_has_passed_lapses() -> None:
    desk = Desk()
    desk.tell(bill("a", 10), bill("b", 20))
    assert states(desk.tell(bill("b", 20, 2, gone=True))) == [("withdrawn", 2)]
    other = Desk()
    other.tell(bill("a", 10), bill("b", 20))
    (lapsed,) = other.look(date.fromordinal(START + 115))
    assert (lapsed.state, lapsed.reason) == ("lapsed", "花费超线")
    (ended,) = other.household.head.episodes
    assert (ended.revision, ended.ended, ended.detail) == (2, "lapsed", b"")


def test_the_same_breach_re_opens_under_its_alert_id_another_one_does_not() -> None:
    desk = Desk()
    (raised,) = desk.tell(bill("a", 10), bill("b", 20))
    desk.tell(bill("b", 20, 2, gone=True))
    (again,) = desk.tell(bill("b", 20, 3))
    assert (again.alert_id, again.state, again.revision) == (raised.alert_id, "raised", 3)
    desk.tell(bill("b", 20, 4, gone=True))
    (other,) = desk.tell(bill("c", 30))
    assert other.alert_id != raised.alert_id
    assert other.revision == 1


def test_what_is_missing_closes_nothing_but_hides_nothing() -> None:
    desk = Desk()
    desk.tell(bill("a", 10), bill("b", 20))
    desk.household.fold(FactBody(ME, bill("b", 20, 2, gone=True)))
    assert desk.look(lacking=("medical.settlement",)) == []
    assert desk.household.head.rechecks == {"TOY": TODAY.toordinal() + 1}
    assert states(desk.look()) == [("withdrawn", 2)]
    assert desk.household.head.rechecks == {}
    assert states(Desk().look()) == []
    known = Desk()
    known.household.fold(FactBody(ME, bill("a", 10, amount=20_000)))
    assert states(known.look(lacking=("medical.settlement",))) == [("raised", 1)]


def test_before_golive_everything_is_silent_and_golive_releases_what_is_in_force() -> None:
    desk = Desk(live=False)
    desk.tell(bill("a", 10), bill("b", 20))
    desk.tell(bill("c", 25))
    assert desk.said == []
    told = release(desk)
    (alert,) = told.alerts
    assert (alert.state, alert.revision, alert.baseline) == ("raised", 1, True)
    assert Quota(alert.quota_area or "", alert.per_day or 0) == QUOTA
    assert release(desk).alerts == []
    desk.live = True
    (update,) = desk.tell(bill("d", 40))
    assert (update.state, update.revision, update.baseline) == ("updated", 2, True)


def test_a_silent_breach_that_passed_is_never_told() -> None:
    desk = Desk(live=False)
    desk.tell(bill("a", 10), bill("b", 20))
    desk.tell(bill("b", 20, 2, gone=True))
    assert release(desk).alerts == []
    assert desk.said == []


def release(desk: Desk) -> Told:
    findings = dear(desk.household, desk.on, POLICY)
    return episodes.release(desk.household, TOY, findings, on=desk.on, policy=POLICY, known_at=0, quota=QUOTA)


def test_an_episode_moves_with_its_person_and_back_under_one_alert_id() -> None:
    desk = Desk()
    (raised,) = desk.tell(bill("a", 10), bill("b", 20))
    there = member("h2", ME, 50, 2)
    new = Desk(Household("h2"))
    (left,), arrived = _move(desk, new, FactBody(ME, there, Route(there.version, "h1")))
    assert (left.state, left.revision, left.moved_to, left.alert_id) == ("moved", 2, "h2", raised.alert_id)
    assert [(a.alert_id, a.state, a.revision) for a in arrived] == [(raised.alert_id, "updated", 3)]
    back = member("h1", ME, 55, 3)
    (gone,), home = _move(new, desk, FactBody(ME, back, Route(back.version, "h2")))
    assert (gone.state, gone.revision) == ("moved", 4)
    assert [(a.alert_id, a.state, a.revision) for a in home] == [(raised.alert_id, "updated", 5)]
    assert in_force(desk.household.head.episodes) == [["TOY", ME, START + 20]]
    assert in_force(new.household.head.episodes) == []


def _move(old: Desk, new: Desk, body: FactBody) -> tuple[list[Alert], list[Alert]]:
    """The membership reaches both, then the transfer; nothing opens while the history is on its way."""
    new.household.fold(body)
    assert new.tell(bill("z", 40, amount=99_999)) == []
    result = old.household.fold(body)
    said = episodes.moved(old.household, result.moved, {"TOY": TOY}, on=TODAY, policy=POLICY, known_at=0)
    assert old.look() == []
    ((target, transfer),) = result.transfers
    assert target == new.household.id
    new.household.merge_transfer(transfer)
    arrived = new.look()
    new.household.merge_transfer(transfer)
    assert new.look() == []
    return said, arrived


def test_two_episodes_of_one_cause_become_one() -> None:
    desk = Desk()
    (raised,) = desk.tell(bill("a", 10), bill("b", 20))
    twin = desk.household.head.episodes[0]
    later = msgspec.structs.replace(twin, alert_id="z", opened_on=twin.opened_on + 1)
    desk.household.head.episodes.append(later)
    (ended,) = desk.look()
    assert (ended.alert_id, ended.state) == ("z", "withdrawn")
    assert desk.household.head.episodes[0].alert_id == raised.alert_id


@SLOW
@given(story=stories(), seed=st.integers(0, 2**32))
def test_open_episodes_after_moves_do_not_depend_on_the_order(story: Story, seed: int) -> None:
    on = date.fromordinal(START + 450)

    def look(household: Household, result: FoldResult) -> None:
        if result.feeds:
            step(household, on)

    first, second = World(look), World(look)
    in_order(story, first)
    scrambled(story, seed, second)
    for name in story.names:
        one, other = (world.households.get(name) or Household(name) for world in (first, second))
        assert canonical(one) == canonical(other)


@given(seed=st.integers(0, 2**32))
def test_alerts_do_not_depend_on_the_order_of_breaches(seed: int) -> None:
    breaches = [Breach(f"p_{n}", "CHILD", TODAY, n % 3 + 2, 20_000, "fen", LINE, "花费超线", ()) for n in range(5)]
    Random(seed).shuffle(breaches)
    household = Household("h1")
    told = episodes.step(
        household,
        TOY,
        Findings(breaches=breaches),
        on=TODAY,
        policy=POLICY,
        live=True,
        known_at=0,
        evaluate_at=lambda day: Findings(),
    )
    assert [alert.cause for alert in told.alerts] == [f"p_{n}" for n in range(5)]


def test_a_detector_cannot_listen_to_a_feed_nobody_publishes() -> None:
    with pytest.raises(UnknownFeed, match="horoscope"):
        detector(code="X", version="1", family=Family.RISK, listens=("horoscope",), rule="x")


def test_what_rests_on_nothing_any_more_is_not_kept_open_by_what_is_missing() -> None:
    """All that was told of it was reversed: a file that is late cannot make it true. A part may be made up for."""
    desk = Desk()
    desk.tell(bill("a", 10, amount=20_000))
    desk.household.fold(FactBody(ME, bill("a", 10, 2, gone=True)))
    assert states(desk.look(lacking=("medical.settlement",))) == [("withdrawn", 2)]
    assert desk.household.head.rechecks == {}


def test_a_review_is_not_kept_open_when_a_record_behind_it_was_reversed() -> None:
    desk = Desk(rule=replace(TOY, family=Family.REVIEW))
    desk.tell(bill("a", 10), bill("b", 20))
    desk.household.fold(FactBody(ME, bill("b", 20, 2, gone=True)))
    assert states(desk.look(lacking=("medical.settlement",))) == [("withdrawn", 2)]
