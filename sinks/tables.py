"""The tables of the store as Python sees them: what rows carry, in order, and what identifies a row.

`migrations/*.sql` creates them; `lidm store preflight` compares both. Times are milliseconds since 1970 (UTC), days are
`Date` (1970 to 2105; earlier or later days are clamped, the JSON keeps the truth), money is integer fen.
"""

from dataclasses import dataclass
from datetime import date

Value = str | bytes | int | date
Row = tuple[Value, ...]

FIRST_DAY = date(1970, 1, 1)
LAST_DAY = date(2105, 12, 31)
_TOP = {f"UInt{bits}": 2**bits - 1 for bits in (8, 16, 32, 64)} | {"Int64": 2**63 - 1}


@dataclass(frozen=True)
class Table:
    """A table: columns with their ClickHouse types, and the columns that make two rows the same row."""

    name: str
    columns: tuple[tuple[str, str], ...]
    identity: tuple[str, ...]

    @property
    def names(self) -> str:
        """Column list of an INSERT."""
        return ", ".join(f"`{name}`" for name, _ in self.columns)

    def holds(self, row: Row) -> bool:
        """Whether every number of the row fits its column."""
        return all(
            not isinstance(value, int) or (-1 - top if kind[0] == "I" else 0) <= value <= top
            for (_, kind), value in zip(self.columns, row, strict=True)
            if (top := _TOP.get(kind)) is not None
        )


ALERTS = Table(
    "alerts",
    (
        ("alert_id", "String"),
        ("revision", "UInt32"),
        ("state", "String"),
        ("household", "String"),
        ("detector", "String"),
        ("detector_version", "String"),
        ("family", "String"),
        ("subject", "String"),
        ("cause", "String"),
        ("since", "Date"),
        ("severity", "UInt8"),
        ("measure", "Int64"),
        ("unit", "String"),
        ("threshold", "Int64"),
        ("threshold_document", "String"),
        ("threshold_status", "String"),
        ("policy", "String"),
        ("reason", "String"),
        ("responsible_area", "String"),
        ("hukou_area", "String"),
        ("residence_area", "String"),
        ("incident_area", "String"),
        ("baseline", "UInt8"),
        ("moved_to", "String"),
        ("continues", "String"),
        ("on_day", "Date"),
        ("known_at_ms", "UInt64"),
        ("json", "String"),
    ),
    ("alert_id", "revision"),
)

ALERTS_SHADOW = Table("alerts_shadow", ALERTS.columns, ALERTS.identity)
"""What rules in shadow runs said, apart from `alerts`, so that no list or figure can meet it."""

CASE_EVENTS = Table(
    "case_events",
    (
        ("case_id", "String"),
        ("seq", "UInt32"),
        ("household", "String"),
        ("lane", "String"),
        ("type", "String"),
        ("at_ms", "UInt64"),
        ("actor", "String"),
        ("role", "String"),
        ("reason_code", "String"),
        ("evidence", "UInt16"),
        ("command_id", "String"),
        ("alert_id", "String"),
        ("alert_revision", "UInt32"),
        ("json", "String"),
    ),
    ("case_id", "seq"),
)

HOUSEHOLD_LOG = Table(
    "household_log",
    (
        ("generation", "String"),
        ("partition", "UInt16"),
        ("offset", "UInt64"),
        ("known_at_ms", "UInt64"),
        ("block", "String"),
    ),
    ("generation", "partition", "offset"),
)

REJECTED = Table(
    "rejected",
    (
        ("generation", "String"),
        ("topic", "String"),
        ("partition", "UInt16"),
        ("offset", "UInt64"),
        ("pointer", "String"),
        ("code", "String"),
        ("feed", "String"),
        ("digest", "String"),
        ("message", "String"),
        ("rejected_at_ms", "UInt64"),
        ("letter_partition", "UInt16"),
        ("letter_offset", "UInt64"),
    ),
    ("generation", "topic", "partition", "offset", "pointer", "code"),
)

FEED_READING = Table(
    "feed_reading",
    (
        ("generation", "String"),
        ("topic", "String"),
        ("partition", "UInt16"),
        ("first_offset", "UInt64"),
        ("last_offset", "UInt64"),
        ("feed", "String"),
        ("known_at_ms", "UInt64"),
        ("rows", "UInt64"),
        ("routed", "UInt64"),
        ("out_of_scope", "UInt64"),
        ("refused", "UInt64"),
        ("corrected", "UInt64"),
        ("reversed", "UInt64"),
        ("json", "String"),
        ("letter_offset", "UInt64"),
    ),
    ("generation", "topic", "partition", "first_offset"),
)

FEED_RECEIPTS = Table(
    "feed_receipts",
    (
        ("feed", "String"),
        ("receipt", "String"),
        ("at_ms", "UInt64"),
        ("period", "String"),
        ("way", "String"),
        ("department", "String"),
        ("read", "UInt64"),
        ("sent", "UInt64"),
        ("left_out", "UInt64"),
        ("refused", "UInt64"),
        ("closed", "UInt8"),
        ("json", "String"),
        ("letter_offset", "UInt64"),
    ),
    ("feed", "receipt", "at_ms"),
)

FEED_HOLDS = Table(
    "feed_holds",
    (
        ("feed", "String"),
        ("batchid", "String"),
        ("period", "String"),
        ("state", "String"),
        ("at_ms", "UInt64"),
        ("json", "String"),
        ("final", "UInt8"),
    ),
    ("feed", "batchid"),
)

FEED_CARDS = Table(
    "feed_cards",
    (
        ("feed", "String"),
        ("department", "String"),
        ("span", "String"),
        ("period", "String"),
        ("at_ms", "UInt64"),
        ("rows", "UInt64"),
        ("refused", "UInt64"),
        ("on_time", "String"),
        ("json", "String"),
    ),
    ("feed", "department", "span", "period"),
)

_ALL = (
    ALERTS,
    ALERTS_SHADOW,
    CASE_EVENTS,
    HOUSEHOLD_LOG,
    REJECTED,
    FEED_READING,
    FEED_RECEIPTS,
    FEED_HOLDS,
    FEED_CARDS,
)
TABLES = {table.name: table for table in _ALL}


def clamp(day: date) -> date:
    """The day as a `Date` column can hold it."""
    return min(max(day, FIRST_DAY), LAST_DAY)
