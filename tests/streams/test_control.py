"""A partition's own state: clock, policy, what is live, closed batches; the record folded further wins."""

from itertools import product
from uuid import NAMESPACE_URL, uuid5

import pytest

from schemas.errors import Stop
from schemas.feed import FEEDS
from schemas.records import BatchPartBody, GoliveBody, SwitchBody
from streams.control import Control, day_of
from streams.statelog import Item
from tests.streams.making import policy_record

CITY, TOWN = "339901000000", "339901001000"
NOW = 1_760_000_000_000


def control() -> Control:
    made = Control(0, {})
    assert made.activate(policy_record(NOW).body)
    made.kept.clock_ms = NOW
    made.on = day_of(NOW)
    return made


def loaded(items: list[Item]) -> Control:
    made = Control(0, {})
    for item in items:
        made.restore(item.key.decode(), item.value)
    made.read()
    return made


def test_everything_comes_back() -> None:
    made = control()
    made.go_live(GoliveBody(CITY, "MED-SELFPAY", 20))
    made.coverage.add_part(BatchPartBody("civil.benefit", "b1", 0, 1, "2025-05", (CITY,), "delta", 3, NOW))
    made.advance(41)
    again = loaded(made.drain())
    assert again.kept.next == 42
    assert again.on == day_of(NOW)
    assert again.live("MED-SELFPAY", TOWN)
    assert not again.live("JOB-LOSS", TOWN)
    assert again.coverage.canonical() == made.coverage.canonical()
    assert again.bundle is not None
    assert made.bundle is not None
    assert again.bundle.hash == made.bundle.hash


def test_ten_years_of_every_feed_fit_into_one_message() -> None:
    made, towns = control(), tuple(f"3399010{town:02d}000" for town in range(1, 11))
    feeds = sorted({spec.kind for spec in FEEDS.values()})
    for year, month, feed in product(range(2016, 2026), range(1, 13), feeds):
        period, begun = f"{year}-{month:02d}", NOW + (year * 12 + month) * 86_400_000
        number = f"b-{uuid5(NAMESPACE_URL, feed + period)}"
        made.coverage.add_part(
            BatchPartBody(feed, number, 0, 1, period, towns, "replace_period", 100, begun, None, f"urn:{feed}")
        )
    made.advance(1)
    items = made.drain()
    assert len(made.coverage.encode()) > 1_000_000
    assert max(len(item.value or b"") for item in items) < 500_000
    again = loaded(items)
    assert again.coverage.canonical() == made.coverage.canonical()
    again.advance(2)
    assert [item.key for item in again.drain()] == [b"control", b"ckpt/0"]


def test_the_marker_comes_last_and_the_policy_once() -> None:
    made = control()
    made.advance(1)
    assert [item.key for item in made.drain()][-1] == b"ckpt/0"
    assert not made.drain()
    made.advance(2)
    assert [item.key for item in made.drain()] == [b"control", b"ckpt/0"]


def test_the_one_that_came_further_wins_whatever_the_order() -> None:
    made = control()
    made.advance(10)
    old = made.drain()
    made.kept.clock_ms = NOW + 86_400_000
    made.advance(20)
    new = made.drain()
    for order in (old + new, [*new, *(item for item in old if not item.key.startswith(b"policy/"))]):
        policy = [item for item in old if item.key.startswith(b"policy/")]
        again = loaded(policy + order)
        assert (again.kept.next, again.on) == (21, day_of(NOW) + 1)


def test_the_same_policy_twice_is_once() -> None:
    made = control()
    assert not made.activate(policy_record(NOW).body)


def test_state_of_another_version_is_refused() -> None:
    made = control()
    made.advance(1)
    items = made.drain()
    with pytest.raises(Stop, match="rebuild"):
        loaded([*items, *(Item(key.encode(), value) for key, value in made.unfinished())])


def test_an_unknown_area_is_its_own_chain() -> None:
    made = control()
    assert made.chain("110101000000") == ("110101000000",)
    assert CITY in made.chain(TOWN)


def switch(area: str, to: str) -> SwitchBody:
    return SwitchBody(area, "MED-SELFPAY", to, "王", "核对口径")  # type: ignore[arg-type]


def test_a_stop_holds_below_its_area_until_exactly_that_area_is_resumed() -> None:
    made = control()
    made.stop(switch(CITY, "stop"), NOW)
    made.stop(switch(TOWN, "stop"), NOW)
    made.stop(switch(TOWN, "stop"), NOW + 1)
    assert made.stopped("MED-SELFPAY", TOWN)
    assert not made.stopped("JOB-LOSS", TOWN)
    assert made.resume(switch(CITY, "resume")) is not None
    assert made.stopped("MED-SELFPAY", TOWN)
    assert not made.stopped("MED-SELFPAY", CITY)
    halt = made.resume(switch(TOWN, "resume"))
    assert halt is not None and halt.since_ms == NOW
    assert made.resume(switch(TOWN, "resume")) is None
    assert made.kept.stopped == {}


def test_stops_come_back_with_the_golives_that_wait_for_their_end() -> None:
    made = control()
    made.go_live(GoliveBody(CITY, "MED-SELFPAY", 20))
    made.stop(switch(TOWN, "stop"), NOW)
    made.go_live(GoliveBody(CITY, "MED-SELFPAY", 30))
    made.stop(SwitchBody(TOWN, "JOB-LOSS", "stop", "王", "核对口径"), NOW)
    made.go_live(GoliveBody(CITY, "JOB-LOSS", 5))
    made.advance(1)
    again = loaded(made.drain())
    assert again.kept.stopped["MED-SELFPAY"][TOWN].golives == {}, "it spoke before the stop"
    assert again.kept.stopped["JOB-LOSS"][TOWN].golives == {CITY: 5}
