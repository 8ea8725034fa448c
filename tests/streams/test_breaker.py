"""The breaker: parks at the share, not below; fades; flows again by word or by time; the last record holds."""

import msgspec

from schemas.topics import INTAKE_CONTROL, Catalogue
from schemas.topics import Breaker as Said
from streams.breaker import Breaker, FeedControl, decode_control
from streams.limits import BreakerLimits

FEED, OTHER = "medical.settlement", "vital.death"
CATALOGUE = Catalogue.load()


class Clock:
    """Milliseconds, moved by hand."""

    def __init__(self) -> None:
        self.ms = 1_000

    def __call__(self) -> int:
        return self.ms


def breaker(clock: Clock, **limits: float) -> Breaker:
    said = {"share": 0.5, "rows": 100, "minutes": 10} | limits
    return Breaker(BreakerLimits(said["share"], int(said["rows"]), int(said["minutes"])), CATALOGUE, 4, clock)


def test_a_share_above_the_limit_of_enough_rows_parks_one_feed() -> None:
    made = breaker(Clock())
    assert not made.count(FEED, 0, 50, 50, 50)
    assert not made.count(OTHER, 0, 500, 500, 250)
    assert made.count(FEED, 0, 100, 50, 50)
    assert made.parked() == {FEED}
    [letter] = made.letters()
    assert (letter.topic, letter.key) == (INTAKE_CONTROL, FEED.encode())
    control = decode_control(letter.value or b"")
    assert (control.state, control.rows, control.refused, control.owner) == ("parked", 100, 100, "市医疗保障局")
    assert not made.letters()


def test_bad_hours_after_good_months_are_seen() -> None:
    made = breaker(Clock())
    for n in range(1_000):
        assert not made.count(FEED, 0, n * 100, 100, 0)
    bad = next(n for n in range(1, 100) if made.count(FEED, 0, 0, 10, 10))
    assert bad <= 20


def test_time_or_word_lets_it_flow_again() -> None:
    clock = Clock()
    made = breaker(clock)
    made.count(FEED, 0, 100, 100, 100)
    clock.ms += 10 * 60_000 - 1
    assert made.parked()
    clock.ms += 1
    assert not made.parked()
    forever = breaker(clock, minutes=0)
    forever.count(FEED, 0, 100, 100, 100)
    clock.ms += 10**12
    assert forever.parked()
    forever.learn(FEED, FeedControl("flowing", clock.ms, "李", "已修好", ends={"0": 150}))
    assert not forever.parked()
    assert not forever.count(FEED, 0, 150, 1_000, 1_000)
    assert not forever.count(FEED, 1, 50, 50, 50)
    assert forever.count(FEED, 1, 100, 50, 50)


def test_another_worker_and_a_restart_learn_it() -> None:
    clock = Clock()
    made, other = breaker(clock), breaker(clock)
    made.count(FEED, 0, 100, 100, 100)
    [letter] = made.letters()
    other.learn(FEED, decode_control(letter.value or b""))
    assert other.parked() == {FEED}
    assert not other.letters()


def test_the_catalogue_may_be_stricter_for_a_feed() -> None:
    entries = dict(CATALOGUE.entries)
    topic = f"feeds.{FEED}.v1"
    entries[topic] = entries[topic].model_copy(update={"breaker": Said(share=0.01, rows=10, minutes=0)})
    made = Breaker(BreakerLimits(), Catalogue(entries), 4, Clock())
    assert made.count(FEED, 0, 10, 10, 1)
    assert msgspec.json.decode(made.letters()[0].value or b"")["until_ms"] is None
