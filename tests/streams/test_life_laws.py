"""Laws of whole households in a partition, for every rule, those on trial too: when and how often it is asked, in which
order and how late anything is told, and where a worker stopped decide nothing about what stands in the end."""

import os
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.registry import load_detectors
from streams.watch import Watch
from tests.detectors.test_laws import CODES
from households.overruled import newer
from tests.detectors.test_laws import PEOPLE
from tests.streams.lives import FIRST, LAST, Known, Life, Partition, fact_record, lives, moment, words

SLOW = settings(deadline=None, max_examples=int(os.environ.get("N", "3")), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Daily(Watch):
    """A monitor that asks every rule about every household each day, whether there is a reason or not."""

    def _tick(self, at_ms: int) -> None:
        super()._tick(at_ms)
        for name in self.names():
            household = self._enter(name)
            if household is not None:
                self._judge.look(household, self._judge.detectors.values(), self._control, self._known_at)
                self._changed(household)


def rules(*codes: str) -> dict[str, Any]:
    return {code: load_detectors()[code] for code in codes}


def until_it_says_something(law: Callable[[], None], seen: list[Any], rounds: int = 8) -> None:
    for _ in range(rounds):
        law()
        if seen:
            return
    raise AssertionError("the lives drawn say nothing about this law")


@pytest.mark.parametrize("code", CODES)
def test_looking_every_day_says_what_looking_when_asked_to_says(code: str) -> None:
    seen: list[Any] = []

    @SLOW
    @given(lives(code))
    def law(life: Life) -> None:
        asked, daily = Partition(rules(code)), Partition(rules(code), Daily)
        for each in (asked, daily):
            each.live_through(life)
        seen.extend(asked.said)
        assert words(asked.said) == words(daily.said)

    until_it_says_something(law, seen)



def shaken(life: Life, codes: dict[str, Any], data: st.DataObject) -> Partition:
    """The same facts on any day, in any order and company, some twice, in one block or many, through restarts."""
    told = data.draw(st.permutations([*life.told, *life.told[: data.draw(st.integers(0, 3))]]))
    days = data.draw(st.lists(st.integers(FIRST, LAST - 1), min_size=len(told), max_size=len(told)))
    stops, alone = data.draw(st.sets(st.integers(FIRST, LAST), max_size=3)), data.draw(st.booleans())
    partition = Partition(codes)
    partition.begin(life)
    for day in range(FIRST, LAST + 1):
        known = [fact_record(each) for each, when in zip(told, days, strict=True) if when == day]
        for each in known if alone else ():
            partition.take([each], moment(day))
        partition.day(day, [] if alone else known)
        if day in stops:
            partition.restart()
    partition.checkpoint()
    return partition


@pytest.mark.parametrize("code", CODES)
def test_order_repetition_batches_and_restarts_end_in_the_same_episodes(code: str) -> None:
    seen: list[Any] = []

    @SLOW
    @given(lives(code), st.data())
    def law(life: Life, data: st.DataObject) -> None:
        one, other = Partition(rules(code)), shaken(life, rules(code), data)
        one.live_through(life)
        seen.extend(one.standing())
        assert one.standing() == other.standing()

    until_it_says_something(law, seen)


@pytest.mark.parametrize("code", CODES)
def test_a_correction_equals_having_been_told_right_at_first(code: str) -> None:
    """Of every fact only the newest record, on the day of its first: what stands is the same, whatever was believed."""
    seen: list[Any] = []

    @SLOW
    @given(lives(code))
    def law(life: Life) -> None:
        wrong, right = Partition(rules(code)), Partition(rules(code))
        wrong.live_through(life)
        right.live_through(Life(life.rolls, newest(life.told)))
        seen.extend(right.standing())
        assert wrong.standing() == right.standing()

    until_it_says_something(law, seen)


def newest(told: tuple[Known, ...]) -> tuple[Known, ...]:
    """The record of each fact that counts in the end; of a reversed one nothing is left."""
    last: dict[tuple[str, str, str], Known] = {}
    for each in told:
        place = ("" if each.fact.keyed_alone else each.person, each.fact.feed, each.fact.key)
        held = last.get(place)
        if held is None or newer(each.fact, held.fact):
            last[place] = each._replace(day=min(each.day, held.day) if held else each.day)
    return tuple(each for each in last.values() if not each.fact.gone)


@pytest.mark.parametrize("code", CODES)
def test_what_befalls_others_later_never_makes_it_untrue(code: str) -> None:
    """B overtaking A: whatever is told of the others, dated after A's breach began, withdraws nothing of A's."""
    seen: list[Any] = []

    @SLOW
    @given(lives(code))
    def law(life: Life) -> None:
        mine = tuple(each for each in life.told if each.person == PEOPLE[0])
        others = tuple(each for each in life.told if each.person != PEOPLE[0])
        alone = Partition(rules(code))
        alone.live_through(Life(life.rolls, mine))
        raised = {(each.alert_id, each.since.toordinal()) for each in alone.said if each.cause.startswith(PEOPLE[0])}
        withdrawn = {each.alert_id for each in alone.said if each.state == "withdrawn"}
        for alert, since in raised:
            later = tuple(each for each in others if each.fact.day > since)
            if later and alert not in withdrawn:
                seen.append(alert)
                both = Partition(rules(code))
                both.live_through(Life(life.rolls, (*mine, *later)))
                assert (alert, "withdrawn") not in {(each.alert_id, each.state) for each in both.said}

    until_it_says_something(law, seen)
