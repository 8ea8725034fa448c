"""Asks the rules of risk that a place's list of dimensions of need names, of one household, day and policy.

Shared by COMPOUND and the need profile. Whoever asks gets the rules' own answers, worked out from the ledger: no
episode, no alert and no order of arrival comes into it. An answer is kept while nothing it was read from changes, which
is for as long as nobody would ask the rule itself again. A rule whose parameters nobody published answers nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple, cast

from detectors.findings import Findings
from detectors.quiet import unless_told
from detectors.registry import Detector, Sure, registered
from detectors.risk.child_guardian import child_guardian
from detectors.risk.disaster_accident import disaster_accident
from detectors.risk.dropout import dropout
from detectors.risk.edu_burden import edu_burden
from detectors.risk.help_seeking import help_seeking
from detectors.risk.income_line import income_line
from detectors.risk.job_loss import job_loss
from detectors.risk.medical_selfpay import medical_selfpay
from detectors.risk.member_death import member_death
from detectors.risk.new_disability import new_disability
from detectors.risk.rent_arrears import rent_arrears
from detectors.risk.rigid_ratio import rigid_ratio
from detectors.risk.safety_silence import safety_silence
from detectors.risk.utility_arrears import utility_arrears
from households.answers import Answers
from households.horizon import next_change
from households.ledger import Household
from households.queries import FOREVER
from policy.areas import AreaUnknown
from policy.needs import Dimension
from policy.parameters import Policy, PolicyMissing, Rule
from schemas.facts import Bill, Contribution, Death, Fact, Rent

READS: Final = (
    child_guardian, disaster_accident, dropout, edu_burden, help_seeking, income_line, job_loss, medical_selfpay,
    member_death, new_disability, rent_arrears, rigid_ratio, safety_silence, utility_arrears,
)  # fmt: skip
SOURCES: Final[Mapping[str, Detector]] = {each.code: each for each in registered(READS)}
NAMES: Final = tuple(dict.fromkeys(name for each in SOURCES.values() for name in (*each.parameters, *each.optional)))
"""Every parameter one of the rules counts with."""
_SPEAKS_OF: Final[Mapping[str, type[Fact]]] = {
    "JOB-LOSS": Contribution, "MEMBER-DEATH": Death, "RENT-ARREARS": Rent, "RIGID-RATIO": Bill,
}  # fmt: skip
"""What a rule without a cheap question of its own must have been told of before it can find anything."""
_FEEDS: Final = {code: tuple(sorted(each.listens | each.absence)) for code, each in SOURCES.items()}


_Chain = tuple[str, ...]


class Asked(NamedTuple):
    """A rule's answer, and the dimension it speaks of; None where it cannot run."""

    dimension: Dimension
    source: Detector
    findings: Findings | None


def ask(household: Household, on: date, policy: Policy, dimensions: Iterable[Dimension]) -> list[Asked]:
    """Every rule of every dimension, in the order of the list."""
    chain = _chain(household, on, policy)
    return [
        Asked(each, SOURCES[code], _answer(SOURCES[code], household, on, policy, chain))
        for each in dimensions
        for code in each.rules
    ]


def silent(code: str, on: date, policy: Policy, area: str) -> Sure:
    """A cheap question whether a rule is sure to find nothing; sure where its parameters are missing."""
    quiet = SOURCES[code].quiet or unless_told(_SPEAKS_OF[code])
    try:
        return quiet(on, policy, area)
    except PolicyMissing:
        return _cannot_run


def _cannot_run(household: Household) -> bool:
    return True


@lru_cache(maxsize=256)
def _values(policy: Policy, area: str) -> Mapping[str, tuple[Rule | None, ...]]:
    """What each rule counts with in an area."""
    return {
        code: tuple(policy.known(name, area) for name in (*each.parameters, *each.optional))
        for code, each in SOURCES.items()
    }


def _answer(source: Detector, household: Household, on: date, policy: Policy, chain: _Chain) -> Findings | None:
    """What the rule says; what it said lately, while nothing that it was read from is another."""
    coverage, feeds, day = household.coverage, _FEEDS[source.code], on.toordinal()
    told = (coverage.edition, coverage.closings(feeds), coverage.missing(feeds, chain, on))
    values = _values(policy, household.responsible_area)[source.code]
    given = (chain, policy.schemes, values, told, bool(household.head.waiting))
    kept = household.answers.find(source.code, day, given) if household.answers is not None else None
    if kept is not None:
        return cast(Findings, kept)
    try:
        found = source.evaluate(household, on, policy)
    except PolicyMissing:
        return None
    answers = household.answers
    if answers is None or day >= answers.edge:
        answers = household.answers = Answers(next_change(household, day) or FOREVER)
    again = found.recheck_on.toordinal() if found.recheck_on is not None else FOREVER
    answers.keep(source.code, found, frozenset(feeds), given, (day, again))
    return found


def _chain(household: Household, on: date, policy: Policy) -> _Chain:
    try:
        return policy.areas.chain(household.responsible_area, on)
    except AreaUnknown:
        return ()
