"""Laws of whole households in a partition, for every rule, those on trial too.

How often a rule is asked, in which order and how late anything is told, what was believed meanwhile and where a worker
stopped decide nothing about what stands.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from detectors.registry import Detector, load_detectors
from households.overruled import newer
from streams.watch import Watch
from tests.detectors.test_laws import CODES, PEOPLE
from tests.streams.lives import FIRST, LAST, Known, Life, Partition, fact_record, lives, moment, words

SOME = settings(deadline=None, max_examples=3, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
ROUNDS = 60
OF_PERSONS = (
    "DEATH-ON-BENEFIT", "DISAB-SUBSIDY-GAP", "DROPOUT", "DUPLICATE-CONFLICT", "JOB-LOSS", "MED-SELFPAY", "MEMBER-DEATH",
    "NEW-DISABILITY", "SAFETY-SILENCE",
)  # fmt: skip
"""Rules with causes that are persons, of which drawn lives say something of two."""


class Daily(Watch):
    """A monitor that asks every rule about every household each day, whether there is a reason or not."""

    def _tick(self, at_ms: int) -> None:
        super()._tick(at_ms)
        for name in self.names():
            household = self._enter(name)
            if household is not None:
                self._judge.look(household, self._judge.detectors.values(), self._control, self._known_at)
                self._changed(household)


def until_something_is_said(law: Callable[[], None], seen: list[Any]) -> None:
    for number in range(ROUNDS):
        # Where draws are repeatable, every round would else draw the same.
        (seed(number)(law) if settings().derandomize else law)()
        if seen:
            return
    raise AssertionError("the lives drawn say nothing about this law")


def lived(life: Life, rules: Mapping[str, Detector], kind: type[Watch] = Watch) -> Partition:
    partition = Partition(rules, kind)
    partition.live_through(life)
    return partition


def shaken(life: Life, rules: Mapping[str, Detector], data: st.DataObject) -> Partition:
    """The same facts on any day, in any order and company, some twice, in one block or many, through restarts."""
    told = data.draw(st.permutations([*life.told, *life.told[: data.draw(st.integers(0, 3))]]))
    days = data.draw(st.lists(st.integers(FIRST, LAST - 1), min_size=len(told), max_size=len(told)))
    stops, alone = data.draw(st.sets(st.integers(FIRST, LAST), max_size=3)), data.draw(st.booleans())
    partition = Partition(rules)
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


def right_at_first(life: Life) -> Life:
    """Of each fact only the record that counts in the end, on the day of the first; of a reversed one nothing."""
    last: dict[tuple[str, str, str], Known] = {}
    for each in life.told:
        place = ("" if each.fact.keyed_alone else each.person, each.fact.feed, each.fact.key)
        held = last.get(place)
        day = min(each.day, held.day) if held else each.day
        counts = each if held is None or newer(each.fact, held.fact) else held
        last[place] = counts._replace(day=day)
    return Life(life.rolls, tuple(each for each in last.values() if not each.fact.gone))


@pytest.mark.parametrize("code", CODES)
def test_however_a_life_is_told_and_asked_about_the_same_stands(code: str) -> None:
    """Looking every day says, word for word, what looking at facts and on the days asked for says. Any permutation,
    repetition, batch and restart, and never having been told anything wrong, end in the same episodes in force."""
    seen: list[Any] = []
    rules = {code: load_detectors()[code]}

    @SOME
    @given(lives(code), st.data())
    def law(life: Life, data: st.DataObject) -> None:
        asked = lived(life, rules)
        seen.extend(asked.said)
        assert words(lived(life, rules, Daily).said) == words(asked.said), "asked every day"
        assert shaken(life, rules, data).standing() == asked.standing(), "another order"
        assert lived(right_at_first(life), rules).standing() == asked.standing(), "told right at first"

    until_something_is_said(law, seen)


@pytest.mark.parametrize("code", OF_PERSONS)
def test_what_befalls_others_later_never_makes_it_untrue(code: str) -> None:
    """B overtaking A: whatever is told of the others, dated after A's breach began, withdraws nothing of A's."""
    seen: list[Any] = []
    rules = {code: load_detectors()[code]}

    @SOME
    @given(lives(code))
    def law(life: Life) -> None:
        mine = tuple(each for each in life.told if each.person == PEOPLE[0])
        others = tuple(each for each in life.told if each.person != PEOPLE[0])
        said = [each for each in lived(Life(life.rolls, mine), rules).said if each.cause.startswith(PEOPLE[0])]
        withdrawn = {each.alert_id for each in said if each.state == "withdrawn"}
        for alert, since in {(each.alert_id, each.since.toordinal()) for each in said}:
            later = tuple(each for each in others if each.fact.day > since)
            if later and alert not in withdrawn:
                seen.append(alert)
                both = lived(Life(life.rolls, (*mine, *later)), rules).said
                assert (alert, "withdrawn") not in {(each.alert_id, each.state) for each in both}

    until_something_is_said(law, seen)


def test_all_rules_together_say_what_each_says_alone() -> None:
    """Whole households, every rule at once: daily or when asked, in any order, through restarts."""
    seen: list[Any] = []
    rules = {code: load_detectors()[code] for code in CODES}

    @settings(SOME, max_examples=2)
    @given(lives("MED-SELFPAY", "JOB-LOSS", "MEMBER-DEATH", "NEW-DISABILITY", "RENT-ARREARS", least=10), st.data())
    def law(life: Life, data: st.DataObject) -> None:
        asked = lived(life, rules)
        seen.extend(asked.said)
        assert words(lived(life, rules, Daily).said) == words(asked.said)
        assert shaken(life, rules, data).standing() == asked.standing()

    until_something_is_said(law, seen)
