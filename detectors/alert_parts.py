"""Parts of an alert as plain values, for the one validation that builds it."""

from datetime import date

from detectors.findings import EvidenceItem
from households.ledger import Household


def areas_of(household: Household) -> dict[str, str] | None:
    """The four areas as declared last, None where nobody declared the household."""
    declared = household.declared
    if declared is None:
        return None
    return {
        "hukou": declared.hukou_area,
        "residence": declared.residence_area,
        "responsible": declared.responsible_area,
        "incident": declared.incident_area,
    }


def evidence_of(item: EvidenceItem) -> dict[str, object]:
    """One input of a breach."""
    day = date.fromordinal(item.day)
    return {"key": item.key, "feed": item.feed, "source": item.source, "day": day, "value": item.value}
