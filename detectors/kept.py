"""What a rule answered, kept with the ledger until something it was read from changes.

That is for as long as nobody would ask the rule again: a fact of a feed it listens to, a batch of one whose absence it
reads, a value it counts with, its own day to look again, a day on which the household looks different by itself. Rules
that are asked by others too are asked here, so that they work it out once.
"""

from datetime import date
from functools import lru_cache
from typing import cast

from detectors.findings import Findings
from detectors.registry import Detector
from households.answers import Answers
from households.horizon import next_change
from households.ledger import Household
from households.queries import FOREVER
from policy.areas import AreaUnknown
from policy.parameters import Policy, Rule


def kept(rule: Detector, household: Household, on: date, policy: Policy) -> Findings:
    """The rule's answer; nobody may change it. Raises what the rule raises."""
    area, day = household.responsible_area, on.toordinal()
    chain = _chain(policy, area, on)
    told = household.coverage.standing(rule.feeds, chain, on)
    values = _values(rule.names, policy, area)
    given = (rule.evaluate, chain, policy.schemes, policy.schemes.era(day), values, told, bool(household.head.waiting))
    answers = household.answers
    known = answers.find(rule.code, day, given) if answers is not None else None
    if known is not None:
        return cast(Findings, known)
    found = rule.evaluate(household, on, policy)
    if answers is None or day >= answers.edge:
        answers = household.answers = Answers(next_change(household, day) or FOREVER)
    again = found.recheck_on.toordinal() if found.recheck_on is not None else FOREVER
    answers.keep(rule.code, found, rule.feeds, given, (day, again))
    return found


@lru_cache(maxsize=4096)
def _values(names: tuple[str, ...], policy: Policy, area: str) -> tuple[Rule | None, ...]:
    """What is in force of these in an area."""
    return tuple(policy.known(name, area) for name in names)


def _chain(policy: Policy, area: str, on: date) -> tuple[str, ...]:
    try:
        return policy.areas.chain(area, on)
    except AreaUnknown:
        return ()
