"""The unit a data-quality alert is about: one department's feed, by name, where households have pseudonyms."""

from hashlib import sha256

PREFIX = "f_"


def unit_of(feed: str, department: str, owner: str) -> str:
    """`f_housing.security` for the owner of the feed; for another department that sends it, with a mark behind."""
    mark = "" if department == owner else "." + sha256(department.encode()).hexdigest()[:8]
    return f"{PREFIX}{feed}{mark}"


def is_unit(name: str) -> bool:
    """Whether a case unit is a feed rather than a household."""
    return name.startswith(PREFIX)
