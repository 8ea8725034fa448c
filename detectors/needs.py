"""Asks the rules of risk that a place's list of dimensions of need names, of one household, day and policy.

Shared by COMPOUND and the need profile. Whoever asks gets the rules' own answers, worked out from the ledger: no
episode, no alert and no order of arrival comes into it. A rule whose parameters nobody published answers nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple

from detectors.findings import Findings
from detectors.kept import kept
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
from households.ledger import Household
from policy.needs import Dimension
from policy.parameters import Policy, PolicyMissing
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


class Asked(NamedTuple):
    """A rule's answer, and the dimension it speaks of; None where it cannot run."""

    dimension: Dimension
    source: Detector
    findings: Findings | None


def ask(household: Household, on: date, policy: Policy, dimensions: Iterable[Dimension]) -> list[Asked]:
    """Every rule of every dimension, in the order of the list."""
    return [
        Asked(each, SOURCES[code], _answer(SOURCES[code], household, on, policy))
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


def _answer(source: Detector, household: Household, on: date, policy: Policy) -> Findings | None:
    try:
        return kept(source, household, on, policy)
    except PolicyMissing:
        return None
