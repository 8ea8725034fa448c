"""Names of cases: minted from what opened them, so that a replay mints the same."""

from datetime import datetime
from uuid import UUID, uuid5

from schemas.alerts import Areas
from schemas.case_words import Lane

NAMESPACE = UUID("6f1c7f0a-53c8-5d0e-9b1e-0c1d2a7e4b11")
NO_AREA = "000000"


def case_id_of(household: str, lane: Lane, alert_id: str, revision: int) -> str:
    """UUIDv5 of household, lane, opening alert and its revision."""
    return str(uuid5(NAMESPACE, f"{household}|{lane.value}|{alert_id}|{revision}"))


def series_of(at: datetime, areas: Areas | None, partition: int) -> str:
    """The part of a sayable number before the count: 年-区-分区, as `2026-339901-03`."""
    district = areas.responsible[:6] if areas and areas.responsible else NO_AREA
    return f"{at.year}-{district}-{partition:02d}"


def number_of(series: str, count: int) -> str:
    """The sayable number 年-区-流水; the flow begins with the partition, so numbers are unique across partitions."""
    return f"{series}{count:05d}"


def split_number(number: str) -> tuple[str, int] | None:
    """(series, count) of a sayable number, None when it is none."""
    parts = number.split("-")
    if len(parts) != 3 or len(parts[2]) < 7 or not parts[2].isdigit():
        return None
    return f"{parts[0]}-{parts[1]}-{parts[2][:2]}", int(parts[2][2:])


def partition_in(number: str) -> int | None:
    """The partition a sayable number lives in, None when it is not such a number."""
    return int(split[0][-2:]) if (split := split_number(number)) else None
