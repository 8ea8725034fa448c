"""From ordinary days to limits, to rows held back in another unit, an alert, somebody's word, and the ledger."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from load_tests.chaos.events import CITY, Message, Pen, membership
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.topics import read_all
from load_tests.chaos.workload import BORN, SINCE
from schemas.feed import FEEDS
from schemas.records import FactRecord, decode_block
from schemas.topics import HOUSEHOLD_EVENTS
from tests.live.city import answered, lidm
from tests.live.test_feed_cards import KIND, MONDAY, PEOPLE, UNIT, alerts, make_cards

pytestmark = [pytest.mark.live, pytest.mark.timeout(590)]


def rows(day: int, bases: list[int], partitions: int) -> list[Message]:
    pen = Pen(MONDAY + timedelta(days=day), partitions)
    return [
        pen.event(KIND, f"{day}-{n}", PEOPLE[n % 20], {"month": "2026-04", "base": base, "employer": f"E{day}-{n}"},
                  date(2026, 5, 18))
        for n, base in enumerate(bases)
    ]  # fmt: skip


def said(made: Lab, *words: str) -> Any:
    return answered(made.settings.data_dir, *words, LIDM_AREA=CITY, LIDM_ACTOR="王某")


def restart_intake(made: Lab) -> None:
    """An intake learns every limit and lift there is before it reads a row."""
    [intake] = made.fleet.of("intake")
    assert intake.stop() == 0
    made.ready(made.fleet.start("intake"))


def a_day(made: Lab, day: int, bases: list[int]) -> None:
    made.publish(rows(day, bases, made.config.partitions))
    made.quiet("intake", "monitor", "archive")
    make_cards(made, day)
    made.quiet("monitor", "archive")
    made.tick(int((MONDAY + timedelta(days=day, hours=2)).timestamp() * 1000))
    made.quiet("monitor", "archive")


def folded(made: Lab) -> set[str]:
    blocks = read_all(made.config.broker, made.config.partitions, HOUSEHOLD_EVENTS)
    records = [r for m in blocks for r in decode_block(m.value)]
    found = [r.body.fact for r in records if isinstance(r, FactRecord) and r.topic == FEEDS[KIND].topic]
    return {each.employer for each in found}  # type: ignore[attr-defined]


def test_rows_in_another_unit_wait_until_somebody_asked(tmp_path: Path) -> None:
    with lab(tmp_path / "lab") as made:
        begin = int((MONDAY - timedelta(days=1)).timestamp() * 1000)
        made.begin(begin)
        made.golive("AMOUNT-UNIT", begin)
        pen = Pen(MONDAY - timedelta(days=1), made.config.partitions)
        home = membership("h_" + "1" * 32, SINCE, "CHILD", BORN["CHILD"])
        made.publish([pen.event("civil.household", f"m{n}", p, home, SINCE) for n, p in enumerate(PEOPLE)])
        made.quiet("intake", "monitor")
        for day in range(2):
            a_day(made, day, [520_000] * 60)
        [limits] = [each for each in said(made, "feed", "amounts") if each["feed"] == KIND]
        assert (limits["field"], limits["from_fen"] > 52, limits["below_fen"] > 520_000) == ("base", True, True)
        restart_intake(made)

        a_day(made, 2, [520_000] * 50 + [52] * 10)
        held = {f"E2-{n}" for n in range(50, 60)}
        assert not folded(made) & held
        assert {f"E2-{n}" for n in range(50)} <= folded(made)
        letters = said(made, "rejected", "list", "--code", "AMOUNT_UNIT")["letters"]
        assert [(each["feed"], each["pointer"]) for each in letters] == [(KIND, "/data/base")] * 10
        assert [(a.state, a.household, a.cause) for a in alerts(made)] == [("raised", UNIT, "base/low")]

        accept = ("feed", "amounts", KIND, "--accept-days", "2", "--reason", "已电话核实")
        code, out, err = lidm(made.settings.data_dir, *accept, LIDM_ACTOR="王某")
        assert code == 0, out + err
        restart_intake(made)
        sent = said(made, "rejected", "replay", "--code", "AMOUNT_UNIT", "--reason", "已核实")
        assert sent["sent"] == 10
        made.quiet("intake", "monitor", "archive")
        assert held <= folded(made)
        assert said(made, "rejected", "list", "--code", "AMOUNT_UNIT")["letters"] == []
