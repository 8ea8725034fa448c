"""Rows of the budget table without a broker: who caused an alert, renamed ledgers, dumps, percentiles, the table."""

import json
import random
from datetime import date

import msgspec
import pytest
from click.testing import CliRunner

from detectors.registry import running
from lidm.commands import bench
from load_tests.bench import budgets, latency, ledgers, month, recovery, report
from load_tests.bench.bills import TODAY, plan
from load_tests.bench.copies import Town, began, renamed, spread_out
from load_tests.bench.reference import expected
from load_tests.bench.report import Sizes, as_reference, memory
from load_tests.bench.volumes import (
    COPY,
    FIRST,
    MONTHLY,
    at_ms,
    household_name,
    membership,
    period_of,
    person_name,
)
from schemas.errors import DataError
from schemas.feed import FEEDS
from schemas.partition import partition_of
from schemas.records import FactRecord, Record, decode_block
from schemas.topics import HOUSEHOLD_EVENTS
from streams.config import StreamConfig
from streams.control import Kept, Marker
from streams.registry import Registry, stay_of
from streams.routing import Inbound, Router
from streams.watch import Watch

PERSONS, MONTHS, COPIES, PARTITIONS = 8, 3, 3, 4


@pytest.fixture(scope="module")
def town() -> Town:
    return recovery.town(PERSONS, MONTHS)


# ---- latency ----------------------------------------------------------------------------------------------------


def test_the_cause_of_an_alert_is_the_bill_after_which_the_reference_speaks() -> None:
    job = plan(2000, 200, today=date(2026, 11, 22))
    caused = latency.causes(job)
    assert caused.keys() == expected(job).keys()
    assert len(caused) > 10
    for household, number in caused.items():
        first = min(at for at, bill in enumerate(job.order) if job.bills[bill].number == number)
        assert household in expected(job, job.order[: first + 1])
        assert household not in expected(job, job.order[:first])


def test_latency_is_from_the_causing_bill_to_the_first_alert() -> None:
    alerts = latency.first_alerts(
        [
            (5_000, b'{"detector":"MED-SELFPAY","household":"h_1"}'),
            (9_000, b'{"detector":"MED-SELFPAY","household":"h_1"}'),
            (1_000, b'{"detector":"RIGID-RATIO","household":"h_1"}'),
            (7_500, b'{"detector":"MED-SELFPAY","household":"h_2"}'),
        ]
    )
    heard = latency.Heard({1: 4_600, 2: 7_000, 3: 8_600}, alerts)
    told = latency.told(heard, {"h_1": 1, "h_2": 2}, 8)
    assert told["p50_seconds"] == 0.4
    assert told["p99_seconds"] == told["max_seconds"] == 0.5
    assert told["alerts"] == 2
    assert told["rate_achieved"] == 2
    with pytest.raises(DataError):
        latency.told(heard, {"h_1": 1}, 8)


@pytest.mark.parametrize(("share", "value"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_percentiles_are_nearest_rank(share: int, value: int) -> None:
    assert latency.percentile(random.Random(1).sample(range(1, 101), 100), share) == value
    assert latency.percentile([7], share) == 7


def test_messages_leave_no_faster_than_the_rate() -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    sent = [now[0] - 100.0 for _ in latency.paced([(None, b"k", b"v")] * 50, 10, lambda: now[0], sleep)]
    assert sent == pytest.approx([number / 10 for number in range(50)])


# ---- recovery ---------------------------------------------------------------------------------------------------


def test_a_copy_is_the_same_town_under_other_names() -> None:
    number = 5 * COPY + 3
    text = f'"{person_name(3)}|2025-01|E0003" of {household_name(3)}'.encode()
    assert renamed(text, 5) == f'"{person_name(number)}|2025-01|E0003" of {household_name(number)}'.encode()
    assert len(renamed(text, 5)) == len(text)
    assert renamed(text, 0) == text


def test_a_renamed_town_is_read_back_whole(town: Town) -> None:
    watches = [Watch(partition, StreamConfig(broker="none", partitions=PARTITIONS)) for partition in range(PARTITIONS)]
    for partition, key, value in spread_out(town, COPIES, PARTITIONS):
        watches[partition].restore(key, value)
    for watch in watches:
        watch.opened()
    names = {name: watch for watch in watches for name in watch.names()}
    numbers = [copy * COPY + number for copy in range(COPIES) for number in range(PERSONS)]
    assert names.keys() == {household_name(number) for number in numbers}
    for number in numbers:
        name, person = household_name(number), person_name(number)
        assert names[name] is watches[partition_of(name, PARTITIONS)]
        household = names[name].household(name)
        assert [fact.day for fact in household.contributions(person)][-1] == month_day(FIRST + MONTHS)
        assert person in {member.person for member in household.members_on(month_day(FIRST + MONTHS))}
        assert household.head.applied == 0


def test_what_the_dump_rewrote_comes_after_and_counts(town: Town) -> None:
    settled, rewritten = dict(town.settled), [key for key, _ in town.rewritten]
    assert set(rewritten) <= settled.keys()
    pages = [key for key in rewritten if b"/" in key]
    assert len(pages) == PERSONS, "each half of a household at another checkpoint"
    assert all(settled[key] != value for key, value in town.rewritten)


def test_the_copied_log_begins_behind_its_first_block(town: Town) -> None:
    told = dict(began(town.control, 3))
    assert msgspec.msgpack.decode(told[b"control"], type=Kept).next == 1
    assert msgspec.msgpack.decode(told[b"ckpt/3"], type=Marker).next == 1
    assert list(told)[-1] == b"ckpt/3"
    assert any(key.startswith(b"policy/") for key in told)


def test_only_what_grows_with_persons_is_scaled() -> None:
    assert recovery.at_city_size(5.0, 2.0, 35_000) == 23.0
    assert recovery.at_city_size(5.0, 2.0, 350_000) == 5.0


# ---- ledgers and the month --------------------------------------------------------------------------------------


def test_every_fact_is_told_when_its_day_has_passed() -> None:
    rng = random.Random(1)
    grown = ledgers.grown(rng, PERSONS, MONTHS)
    homes = [grown.watch.household(name) for name in grown.watch.names()]
    today = month_day(FIRST + MONTHS)
    assert len(homes) == PERSONS // 2
    assert all(0 < len(home.bills(None, 0, today)) == len(home.bills(None, 0, today + 400)) for home in homes)
    standing = [e.detector for home in homes for e in home.head.episodes if e.ended is None]
    assert standing == ["RIGID-RATIO"], "one in fifty households, here the first"


def test_with_every_rule_all_that_are_about_households_go_live() -> None:
    every = {code for code, each in running(("*",)).items() if each.about == "household"}
    assert set(ledgers.live(("*",))) == every
    assert set(ledgers.live(())) < every
    grown = ledgers.grown(random.Random(1), PERSONS, 1, ("*",))
    assert grown.watch.known.kept.live.keys() == every


def test_ledgers_are_measured_on_a_small_town(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "calm_collector", lambda: None)  # it is meant for a process of its own
    told = ledgers.measure(PERSONS, MONTHS)
    assert told["cold_persons"] >= ledgers.COLD_PERSONS
    assert told["cold_decoded_households"] * 2 < told["cold_households"], "most are cold"
    assert all(told[name] > 0 for name in ("warm_cpu_us_per_event", "cold_dump_cpu_us_per_event"))
    scaled = as_reference(told, 3.4)
    assert scaled["warm_reference_us_per_event"] == round(told["warm_cpu_us_per_event"] / 2, 1)


def test_a_dump_goes_through_intake_to_the_households_of_its_people() -> None:
    numbers, rows = [copy * COPY + number for copy in range(2) for number in range(PERSONS)], 40
    registry = Registry()
    for number in numbers:
        registry.merge(stay_of(membership(number)))
    router, records = Router(registry, PARTITIONS, b""), list[Record]()
    at = at_ms(month.MONTH + 1)
    for offset, (partition, key, value) in enumerate(month.messages(numbers, rows)):
        assert partition is not None
        router.take(FEEDS[month.KIND], [Inbound(month.TOPIC, partition, offset, at, key, value)])
    letters, _, counts = router.drain()
    for letter in letters:
        assert letter.topic == HOUSEHOLD_EVENTS
        records += decode_block(letter.value or b"")
    facts = [record for record in records if isinstance(record, FactRecord)]
    assert not counts.rejected and not counts.out_of_scope
    assert len(facts) == len({fact.body.fact.key for fact in facts}) == rows
    assert {fact.household for fact in facts} == {household_name(number) for number in numbers}
    closed = [record for record in records if not isinstance(record, FactRecord)]
    assert len(closed) == PARTITIONS * PARTITIONS, "every partition hears of every part"


def test_minutes_follow_from_rates_and_costs() -> None:
    assert month.minutes_for_city(70_000, 6.0) == 10.0
    assert month.derived_minutes(120.0) == 7.0


# ---- the table --------------------------------------------------------------------------------------------------


def test_a_missed_budget_is_a_figure_and_what_was_not_measured_is_absent() -> None:
    measured = {
        "whole_path_cpu_us_per_event": 20.0,
        "ledgers": {"warm_reference_us_per_event": 25.1, "state_bytes_per_person": 5400},
        "latency": {"p99_seconds": 1.5},
        "memory": memory({"intake": 90, "monitor": 250}, 1000),
    }
    rows = {row["name"]: row for row in budgets.judged(measured)}
    assert [(name, row["figure"], row["met"]) for name, row in rows.items()] == [
        ("whole_path", 20.0, True),
        ("warm", 25.1, False),
        ("state", 5.4, True),
        ("latency", 1.5, False),
        ("memory", 250, True),
    ]
    assert all(set(row) == {"name", "figure", "unit", "budget", "met"} for row in rows.values())
    told = budgets.table(list(rows.values())).splitlines()
    assert len(told) == 6
    assert "未达到" in told[2] and "≤ 25" in told[2]
    assert "< 1.5" in told[4]
    begins = {budgets.width(line) - budgets.width(line.partition("  ")[2].lstrip()) for line in told}
    assert len(begins) == 1, "the second column begins in one place, though Chinese characters are wide"


def test_memory_is_bounded_by_what_the_configuration_says() -> None:
    told = memory({"intake": 90, "monitor": 250}, 1000)
    assert told["largest_peak_mib"] == 250
    assert all(limit > 0 for limit in told["bounds"].values())


def test_sizes_are_those_of_the_budgets() -> None:
    assert (Sizes().events, Sizes().rounds, Sizes().latency_seconds) == (500_000, 5, 60)
    assert Sizes().full and Sizes(events=600_000).full
    assert not Sizes(events=5_000).full and not Sizes(rounds=1).full
    assert plan(100, 10).today == TODAY
    assert {period_of(FIRST), period_of(FIRST + 13)} == {"2024-01", "2025-02"}
    assert set(MONTHLY) < set(FEEDS)


def test_a_missed_budget_ends_with_zero_and_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"plain_faust_over_ours": 9.5, "floor_us": 1.7, "floor_spread": 1.4, "void": True, "full_size": False}
    rows = budgets.judged({"whole_path_cpu_us_per_event": 99.0})
    monkeypatch.setattr(report, "run", lambda sizes, wanted, say: {**told, "budgets": rows, "sizes": str(sizes)})
    machine = CliRunner().invoke(bench.command, ["--json", "--events", "7"])
    assert machine.exit_code == 0
    found = json.loads(machine.stdout.splitlines()[-1])
    assert found["budgets"][0]["met"] is False and found["void"] is True
    assert "events=7," in found["sizes"]
    people = CliRunner().invoke(bench.command, [])
    assert people.exit_code == 0
    assert "未达到" in people.stdout and "9.5 倍" in people.stdout and "只说明能够运行" in people.stdout
    assert "不作数" in people.stderr
    assert bench.ROWS == report.ROWS


def month_day(number: int) -> int:
    return date(number // 12, number % 12 + 1, 1).toordinal()
