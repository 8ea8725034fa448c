"""Where a feed's unit belongs: declared like a household, with one member, itself, so that it has an area."""

from schemas.facts import Declared, Membership
from schemas.records import FactBody

SINCE = 730_120
"""1 January 2000: before anything a card speaks of."""


def declared_unit(unit: str, area: str, at_ms: int) -> FactBody:
    """The unit's declaration: its responsible area decides whose parameters hold and who works the alert."""
    declared = Declared(area, area, area, area, None, "", "")
    head = (f"{unit}|{unit}|2000-01-01", at_ms, 0, f"unit-{area}", "lidm", False, SINCE)
    return FactBody(unit, Membership(*head, unit, unit, "HEAD", None, None, (), declared))
