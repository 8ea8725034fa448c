"""Which lane an alert belongs to: help and review never share people, clocks or words."""

from schemas.alerts import Family
from schemas.case_words import Lane

LANE_OF: dict[Family, Lane] = {
    "risk": Lane.HELP,
    "entitlement": Lane.HELP,
    "review": Lane.REVIEW,
    "quality": Lane.DATA,
}


def lane_of(family: Family) -> Lane:
    """The lane that works alerts of a family."""
    return LANE_OF[family]
