"""Which scenarios exist and how often a city of a given size holds each of them."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import count

from load_tests.city.calendar import Span
from load_tests.city.households import Population
from load_tests.city.scenarios import deaths, medical, moves, rent, rigid, work
from load_tests.city.scenarios.stage import Scenario, Script, Stage

HOUSEHOLDS_PER_REPETITION = 500
SCENARIOS: tuple[Scenario, ...] = (
    *medical.SCENARIOS,
    *rigid.SCENARIOS,
    *work.SCENARIOS,
    *rent.SCENARIOS,
    *deaths.SCENARIOS,
    *moves.SCENARIOS,
)

PLANTED = ("MED-SELFPAY", "RIGID-RATIO", "JOB-LOSS", "RENT-ARREARS", "MEMBER-DEATH", "DEATH-ON-BENEFIT")
"""The detectors these scenarios are about. Only they go live in a city: of others nobody knows what must come out."""


def plant(population: Population, span: Span, golive: date, households: int) -> Sequence[Script]:
    """The scripts of a city: every scenario that fits into the months, once per 500 households and at least once."""
    numbers = count(1)
    repetitions = max(1, households // HOUSEHOLDS_PER_REPETITION)

    def scripts() -> Iterator[Script]:
        for scenario in SCENARIOS:
            if span.months < scenario.months:
                continue
            for variant in range(repetitions):
                script = Script(scenario.name, scenario.look_alike)
                scenario.write(Stage(script, population, span, golive, variant, lambda: next(numbers)))
                yield script

    return tuple(scripts())
