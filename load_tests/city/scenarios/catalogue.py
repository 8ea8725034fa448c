"""Which scenarios exist and how often a city of a given size holds each of them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import count

from load_tests.city.calendar import Span
from load_tests.city.households import Population
from load_tests.city.scenarios import (
    assets,
    calls,
    children,
    compound,
    deaths,
    disability,
    income,
    insurance,
    living,
    medical,
    moves,
    register,
    rent,
    rigid,
    school,
    work,
)
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

ON_TRIAL: tuple[Scenario, ...] = (
    *income.SCENARIOS,
    *disability.SCENARIOS,
    *school.SCENARIOS,
    *living.SCENARIOS,
    *calls.SCENARIOS,
    *children.SCENARIOS,
    *compound.SCENARIOS,
    *insurance.SCENARIOS,
    *register.SCENARIOS,
    *assets.SCENARIOS,
)
"""About rules on trial: planted where every rule runs."""

PLANTED = ("MED-SELFPAY", "RIGID-RATIO", "JOB-LOSS", "RENT-ARREARS", "MEMBER-DEATH", "DEATH-ON-BENEFIT")
"""The rules in service. Only they go live in an ordinary city: of others nobody knows what must come out there."""

EVERY = (
    *PLANTED,
    "INCOME-LINE", "NEW-DISABILITY", "DISASTER-ACCIDENT", "EDU-BURDEN", "DROPOUT", "UTILITY-ARREARS", "SAFETY-SILENCE",
    "HELP-SEEKING", "CHILD-GUARDIAN", "COMPOUND", "DISAB-SUBSIDY-GAP", "PACKAGE-GAP", "INSURANCE-GAP", "RECENT-EXIT",
    "EXPIRY", "ASSET-CHANGE", "DUPLICATE-CONFLICT", "INCOME-RISE",
)  # fmt: skip
"""Every rule about households, those on trial too."""


def scenarios(every_rule: bool) -> tuple[Scenario, ...]:
    """Those of the rules in service, or of every rule."""
    return (*SCENARIOS, *ON_TRIAL) if every_rule else SCENARIOS


def plant(
    population: Population, span: Span, golive: date, households: int, wanted: Iterable[Scenario]
) -> Sequence[Script]:
    """The scripts of a city: every scenario that fits into the months, once per 500 households and at least once."""
    numbers = count(1)
    repetitions = max(1, households // HOUSEHOLDS_PER_REPETITION)

    def scripts() -> Iterator[Script]:
        for scenario in wanted:
            if span.months < scenario.months:
                continue
            for variant in range(repetitions):
                script = Script(scenario.name, scenario.look_alike)
                scenario.write(Stage(script, population, span, golive, variant, lambda: next(numbers)))
                yield script

    return tuple(scripts())
