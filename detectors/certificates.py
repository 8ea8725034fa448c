"""What a disability certificate says to rules: whether it is severe in the eyes of the place.

One published standard says so for all of them, so that no two rules of a place differ.
"""

from typing import Final

from households.ledger import Household
from households.standing import disabilities
from policy.parameters import Rule
from schemas.facts_standing import Disability

SEVERE: Final = "severe_disability"
"""The standard; a detector that asks names it among its own."""


def severe_line(certificate: Disability, standard: Rule) -> str:
    """The key of the standard that holds the level at or below which this certificate counts as severe."""
    return "level_mind" if certificate.category in standard.words("mind_categories") else "level"


def severe(certificate: Disability, standard: Rule) -> bool:
    """Whether the level is severe; level 1 is the most severe, a certificate without a level is not."""
    return 0 < certificate.level <= standard.number(severe_line(certificate, standard))


def severely_disabled(household: Household, person: str, day: int, standard: Rule) -> bool:
    """Whether a certificate in force on a day says so."""
    return any(severe(each, standard) for each in disabilities(household, person, day))
