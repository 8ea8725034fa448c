"""The story keeps both times apart: what happened when, what we knew when, and what we believed in between."""

from datetime import date, datetime

import msgspec
import pytest

from lidm.explain_text import late, what_of
from lidm.timeline import Timeline, timeline, title_of
from schemas.alerts import Alert
from schemas.calendar import SHANGHAI
from schemas.fact import Fact, Version
from schemas.records import (
    BatchPartBody,
    BatchPartRecord,
    FactBody,
    FactRecord,
    GoliveBody,
    GoliveRecord,
    IncidentBody,
    IncidentRecord,
    PolicyBody,
    PolicyRecord,
    Record,
    SwitchBody,
    SwitchRecord,
    TransferBody,
    TransferRecord,
)
from streams.replay import OwnBlock
from tests.households.making import TOWN, bill, contribution, member
from tests.sinks.samples import alert as sample

HOME = "h_" + "1" * 32
ANNA, BERT, CARL = ("p_" + letter * 32 for letter in "abc")
FEEDS = ("medical.settlement", "medical.reimbursement")
DAY_MS = 86_400_000


def at(day: int) -> int:
    """Noon of a day of 2025 in China, as the broker's time."""
    return int(datetime(2025, 1, 1, 12, tzinfo=SHANGHAI).timestamp() * 1000) + day * DAY_MS


def fact(person: str, told: Fact, known: int) -> FactRecord:
    return FactRecord(HOME, at(known), "feeds.x", 0, 0, FactBody(person, told))


def part(mode: str, known: int, areas: tuple[str, ...] = (), feed: str = "medical.settlement") -> BatchPartRecord:
    body = BatchPartBody(feed, "b1", 0, 1, "2025-01", areas, mode, 1, at(known))
    return BatchPartRecord("", at(known), "feeds.x", 0, 0, body)


def alert(known: int, evidence: str = "S1") -> Alert:
    base = sample(1)
    rests = [base.evidence[0].model_copy(update={"key": evidence})]
    when = datetime.fromtimestamp(at(known) / 1000, SHANGHAI)
    return base.model_copy(update={"household": HOME, "evidence": rests, "known_at": when, "on": when.date()})


def story(*records: Record, known: int = 30, reached: int | None = None) -> Timeline:
    blocks = [
        OwnBlock("g1", 0, offset, each.known_at, (each,), frozenset((each.known_at,)))
        for offset, each in enumerate(records)
    ]
    spoken = alert(known)
    return timeline(blocks, spoken, [], FEEDS, (TOWN,), blocks[reached] if reached is not None else None)


def test_a_correction_says_what_was_believed_until_then() -> None:
    told = story(fact(ANNA, bill("S1", 5, 1, 10_000), 7), fact(ANNA, bill("S1", 5, 2, 90_000), 20))
    first, second = told.entries
    assert (first.what, first.day, first.known_at.date()) == ("登记", date(2025, 1, 6), date(2025, 1, 8))
    assert late(first) == "2天后"
    assert (second.what, second.known_at.date()) == ("更正", date(2025, 1, 21))
    assert "自付900元" in second.said
    assert "原为 2025-01-06 自付100元" in what_of(second)


def test_a_reversal_before_and_after_its_original() -> None:
    told = story(
        fact(ANNA, bill("S2", 5, 9, gone=True), 6),
        fact(ANNA, bill("S2", 5, 1), 7),
        fact(ANNA, bill("S1", 5, 1), 8),
        fact(ANNA, bill("S1", 5, 2, gone=True), 9),
    )
    assert [each.what for each in told.entries] == ["先冲销", "登记", "冲销"]
    assert told.repeated == 1
    assert "自付100元" in what_of(told.entries[2])


def test_what_came_twice_or_says_the_same_again_is_counted_not_told() -> None:
    again = bill("S1", 5, 3)
    told = story(fact(ANNA, bill("S1", 5, 1), 6), fact(ANNA, bill("S1", 5, 1), 7), fact(ANNA, again, 8))
    assert (len(told.entries), told.repeated) == (1, 2)
    later = story(*(fact(ANNA, each, 6) for each in (bill("S1", 5, 1), again, bill("S1", 5, 2, 50_000))))
    assert [each.what for each in later.entries] == ["登记"], "a version older than the newest known changes nothing"


@pytest.mark.parametrize("reached", [None, 0])
def test_what_became_known_after_the_alert_is_marked(reached: int | None) -> None:
    told = story(fact(ANNA, bill("S1", 5), 7), fact(ANNA, bill("S2", 6), 40), reached=reached)
    assert [(each.key, each.then, each.evidence) for each in told.entries] == [("S1", True, True), ("S2", False, False)]


def test_position_in_the_log_decides_before_the_clock_does() -> None:
    told = story(fact(ANNA, bill("S1", 5), 7), fact(ANNA, bill("S2", 6), 8), reached=0)
    assert [each.then for each in told.entries] == [True, False]


def test_people_are_relations_numbered_by_age() -> None:
    family = (
        member(HOME, ANNA, relation="HEAD"),
        msgspec.structs.replace(member(HOME, BERT), born=date(2015, 5, 1).toordinal()),
        msgspec.structs.replace(member(HOME, CARL), born=date(2010, 5, 1).toordinal()),
    )
    told = story(*(fact(each.person, each, 1) for each in family), fact(BERT, bill("S1", 5), 7))
    assert told.people == {ANNA: "户主", BERT: "子女2", CARL: "子女1"}
    assert told.entries[-1].who == "子女2"
    assert told.plain(f"{BERT}|2025-01|厂") == "子女2|2025-01|厂"


def test_what_a_person_brought_along_and_what_the_rule_does_not_read() -> None:
    body = TransferBody("t1", BERT, "h_" + "2" * 32, Version(1, 0, "e"), (bill("S1", 5),), ())
    told = story(TransferRecord(HOME, at(9), "households.events.v1", 0, 0, body), fact(ANNA, contribution(ANNA, 1), 10))
    (entry,) = told.entries
    assert (entry.what, entry.who, told.left_out) == ("随人转入", "其他人员", 1)


def test_when_the_rule_began_to_speak_and_which_policy_held() -> None:
    def golive(area: str, detector: str, known: int) -> GoliveRecord:
        return GoliveRecord("", at(known), "", 0, 0, GoliveBody(area, detector, 5))

    def policy(name: str, known: int) -> PolicyRecord:
        return PolicyRecord("", at(known), "", 0, 0, PolicyBody(name * 64, b""))

    told = story(
        policy("a", 1),
        golive(TOWN, "MED-SELFPAY", 2),
        golive(TOWN, "JOB-LOSS", 3),
        golive("339901002000", "MED-SELFPAY", 4),
        policy("a", 5),
        policy("b", 6),
    )
    assert [(each.what, each.known_at.day) for each in told.entries] == [("参数", 2), ("启用", 3), ("参数", 7)]
    assert told.entries[2].said == "启用参数版本bbbbbbbbbbbb"


def test_who_stopped_the_rule_here_and_why() -> None:
    def switch(area: str, to: str, known: int) -> SwitchRecord:
        body = SwitchBody(area, "MED-SELFPAY", to, "officer-7", "核对口径")  # type: ignore[arg-type]
        return SwitchRecord("", at(known), "", 0, 0, body)

    told = story(switch(TOWN, "stop", 2), switch("339901002000", "stop", 3), switch(TOWN, "resume", 4))
    assert [(each.what, each.known_at.day) for each in told.entries] == [("停用", 3), ("恢复", 5)]
    assert told.entries[0].said == "规则MED-SELFPAY在本地停用，理由：核对口径"
    assert "officer-7" not in told.entries[0].said, "a page for the family names no officer"


def test_a_month_told_anew_is_part_of_the_story_where_it_concerns_the_household() -> None:
    told = story(
        part("replace_period", 9),
        part("replace_period", 10, (TOWN,)),
        part("replace_period", 11, ("339901002000",)),
        part("delta", 12),
        part("replace_period", 13, feed="civil.benefit"),
    )
    assert [(each.what, each.known_at.day) for each in told.entries] == [("整期替换", 10), ("整期替换", 11)]


def test_a_declared_incident_is_part_of_the_story_of_what_it_is_about() -> None:
    def said(number: str, to: str, known: int) -> IncidentRecord:
        day = date(2025, 1, 3).toordinal() if to == "declare" else 0
        body = IncidentBody(number, to, "TYPHOON" if day else "", day, (TOWN,), (), "officer-7", "应急局通报")  # type: ignore[arg-type]
        return IncidentRecord("", at(known), "", 0, 0, body)

    records = (said("TF1", "declare", 4), said("TF2", "declare", 5), said("TF1", "withdraw", 40))
    blocks = [OwnBlock("g1", 0, n, each.known_at, (each,), frozenset()) for n, each in enumerate(records)]
    spoken = alert(30).model_copy(update={"cause": "TF1"})
    told = timeline(blocks, spoken, [], ("incident.area",), (TOWN,), None)
    assert [(each.what, each.day, each.then) for each in told.entries] == [
        ("区域灾害", date(2025, 1, 3), True),
        ("撤销灾害", date(2025, 2, 10), False),
    ]
    assert told.entries[0].said == "台风TF1影响所登记的区域，理由：应急局通报"
    assert title_of(told.entries[0]) == "区域灾害登记"
    assert not any("officer-7" in each.said for each in told.entries), "a page for the family names no officer"
    assert timeline(blocks, spoken, [], FEEDS, (TOWN,), None).entries == ()
