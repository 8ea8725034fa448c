"""Provisional households: opened by a fact over a line about somebody unwatched, ended by silence or the register.

The id follows from the person, so that every worker opens the same one. Such a household has no assessed income: rules
that need one do not speak for it.
"""

import uuid
from datetime import date

PREFIX = "v_"
SILENT_MONTHS = 24
EXTEND_DAYS = 92
"""An end is moved once it would move by so much: one record a quarter, not one a fact."""
_NAMESPACE = uuid.UUID("7d0b7a52-3a0a-5a7e-9a55-3f7f6f1a2c90")


def provisional_of(person: str) -> str:
    """The provisional household of a person."""
    return f"{PREFIX}{uuid.uuid5(_NAMESPACE, person).hex}"


def is_provisional(household: str) -> bool:
    """Whether a household is provisional."""
    return household.startswith(PREFIX)


def silent_until(day: int) -> int:
    """The day on which a household falls silent whose last fact is of `day`."""
    last = date.fromordinal(day)
    months = last.year * 12 + last.month - 1 + SILENT_MONTHS
    return date(months // 12, months % 12 + 1, min(last.day, 28)).toordinal()
