"""The bench's first job without a broker: the same alerts three ways, and figures that follow their definition."""

from functools import partial

import pytest

from load_tests.bench import ground
from load_tests.bench.bills import TODAY, Plan, noon_ms, plan
from load_tests.bench.figures import Job, between, reference_us, spread
from load_tests.bench.reference import Expected, expected
from load_tests.bench.report import Floors
from load_tests.bench.rounds import check, in_arrays
from load_tests.peers.plain_faust import LINES, decide
from schemas.alerts import Alert
from schemas.errors import DataError
from schemas.feed import FEEDS
from schemas.topics import ALERTS, HOUSEHOLD_EVENTS
from streams.config import StreamConfig
from streams.registry import Registry
from streams.routing import Inbound, Router
from streams.watch import Watch

CODE = "MED-SELFPAY"
NOW = noon_ms(TODAY)


@pytest.fixture(scope="module")
def bench() -> Plan:
    return plan(3000, 300)


def said(bench: Plan, values: list[bytes], per_poll: int) -> dict[str, Expected]:
    """What the product says in the end, through its own routing and folding."""
    watch = Watch(0, StreamConfig(broker="none", partitions=1, seal_public_key=bytes(range(1, 33))))
    router = Router(Registry(), 1, b"")
    people = [value for _, value in bench.memberships()]
    blocks = [value for partition, _, value in ground.controls(NOW, (CODE,)) if partition == 0]
    for kind, messages in (("civil.household", people), ("medical.settlement", values)):
        for start in range(0, len(messages), per_poll):
            polled = enumerate(messages[start : start + per_poll], start)
            router.take(FEEDS[kind], [Inbound(kind, 0, at, NOW, None, value) for at, value in polled])
            blocks += [letter.value or b"" for letter in router.drain()[0]]
    newest: dict[str, Alert] = {}
    for offset, block in enumerate(blocks):
        watch.fold(HOUSEHOLD_EVENTS, offset, NOW, block)
    for letter in watch.drain().outputs:
        if letter.topic == ALERTS:
            alert = Alert.model_validate_json(letter.value or b"")
            if alert.detector == CODE:
                newest[alert.alert_id] = alert
    return {
        each.household: Expected(each.since.isoformat(), each.severity, each.measure, each.threshold.value)
        for each in newest.values()
        if each.state in ("raised", "updated")
    }


@pytest.mark.parametrize("per_poll", [1000, 7])
def test_the_product_says_what_the_rule_says(bench: Plan, per_poll: int) -> None:
    singles = [value for _, value in bench.messages()]
    assert said(bench, singles, per_poll) == expected(bench)
    assert said(bench, [value for _, _, value in in_arrays(bench)], per_poll) == expected(bench)


def test_plain_faust_decides_by_the_same_rule(bench: Plan) -> None:
    bills: dict[int, dict[int, list[str | int]]] = {}
    for at in bench.order:
        bill = bench.bills[at]
        bills.setdefault(bill.person, {})[bill.number] = [bill.day.isoformat(), bill.self_paid_fen]
    told = {
        bench.people[who].household: decide(list(mine.values()), LINES[bench.people[who].scheme])
        for who, mine in bills.items()
    }
    found = {
        name: Expected(str(one["since"]), int(one["severity"]), int(one["measure"]), int(one["line"]))
        for name, one in told.items()
        if one
    }
    assert found == expected(bench)


def test_the_plan_is_the_job_it_says(bench: Plan) -> None:
    assert bench == plan(3000, 300)
    assert len(bench.order) == 3000
    assert 0.005 < 1 - len(set(bench.order)) / 3000 < 0.015
    assert 0.008 < len(expected(bench)) / 3000 < 0.02
    assert all(500 < len(value) < 650 for _, value in bench.messages())


def test_figures_follow_their_definition() -> None:
    assert reference_us(3.4, 1_000_000, 1.7) == pytest.approx(3.4)
    assert reference_us(3.4, 1_000_000, 3.4) == pytest.approx(1.7)
    job = Job(rounds=[{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}, {"a": 2.0, "b": 9.0}])
    assert job.parts == {"a": 2.0, "b": 4.0}
    assert job.total == 7.0
    assert spread([2.0, 2.5]) == 1.25


def test_what_moves_is_measured_again_and_the_calmest_counts() -> None:
    floors, done = iter([3.0, 2.0, 2.1, 9.0]), iter("abcd")
    taken = between(2.0, lambda: next(done), lambda: next(floors))
    assert [each.found for each in taken] == ["a", "b", "c"]
    assert [each.spread for each in taken] == [1.5, 1.5, 1.05]
    beside = Floors()
    beside.read = partial(next, iter([1.0, 2.0, 4.0, 5.6]))
    assert beside.beside(lambda: "restless")[1] == pytest.approx(4.8)
    assert beside.told() == {"floor_us": 4.8, "floor_spread": 1.4, "void": True}
    beside.read = partial(next, iter([5.6]))
    assert beside.beside(lambda: "calm")[1] == pytest.approx(5.6), "the last reading is the next one's first"


def test_what_can_be_measured_but_once_is_void_by_itself() -> None:
    beside = Floors()
    beside.read = partial(next, iter([1.0, 2.0]))
    taken = beside.once(lambda: "a month")
    assert (taken.found, taken.floor, taken.spread) == ("a month", 1.5, 2.0)
    assert beside.told() == {}


def test_a_wrong_alert_is_an_error() -> None:
    with pytest.raises(DataError):
        check({}, {"h": Expected("2026-01-01", 2, 3, 1)}, "nobody")
