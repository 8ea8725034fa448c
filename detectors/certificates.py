"""What a disability certificate says to rules: whether it is severe in the eyes of the place."""

from households.ledger import Household
from households.standing import disabilities
from policy.parameters import Rule
from schemas.facts_standing import Disability


def severe_line(certificate: Disability, rule: Rule) -> str:
    """The key of the rule that holds the level at or below which this certificate counts as severe."""
    return "severe_level_mind" if certificate.category in rule.words("mind_categories") else "severe_level"


def severe(certificate: Disability, rule: Rule) -> bool:
    """Whether the level is severe; level 1 is the most severe, a certificate without a level is not."""
    return 0 < certificate.level <= rule.number(severe_line(certificate, rule))


def severely_disabled(household: Household, person: str, day: int, rule: Rule) -> bool:
    """Whether a certificate in force on a day says so."""
    return any(severe(each, rule) for each in disabilities(household, person, day))
