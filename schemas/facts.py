"""Facts as they stand in a block and in a ledger: one compact struct per kind, the newest of a natural key wins.

The same struct travels inside `households.events.v1` and lies in a ledger page, so folding copies a reference and
never converts. Every fact starts with the same seven fields; `day` places it in time (proleptic Gregorian ordinal,
Asia/Shanghai date), money is integer fen, months are `year * 12 + month - 1`.
"""

from datetime import date
from typing import ClassVar, NamedTuple, Self

import msgspec


class Version(NamedTuple):
    """What decides between two records of one natural key: the highest wins, whatever its source."""

    recorded_ms: int
    sequence: int
    event_id: str


class Fact(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The head every kind shares. A `gone` fact is a tombstone: reversed, kept so that a late original stays away."""

    key: str
    recorded_ms: int
    sequence: int
    event_id: str
    source: str
    gone: bool
    day: int

    feed: ClassVar[str]
    paged: ClassVar[bool] = True

    @property
    def version(self) -> Version:
        """The fact's place among the records of its key."""
        return Version(self.recorded_ms, self.sequence, self.event_id)

    @property
    def month(self) -> int:
        """The month the fact belongs to."""
        return month_of(self.day)

    def tombstone(self, version: Version) -> Self:
        """This fact, reversed by a record of `version`."""
        return msgspec.structs.replace(
            self, gone=True, recorded_ms=version.recorded_ms, sequence=version.sequence, event_id=version.event_id
        )


class Bill(Fact, array_like=True, frozen=True, gc=False, tag="bill"):
    """One settled medical bill; amounts after all public payers. Key: settle_no."""

    in_catalogue_fen: int
    out_of_catalogue_fen: int
    account_fen: int
    total_fen: int
    visit: str

    feed: ClassVar[str] = "medical.settlement"


class Refund(Fact, array_like=True, frozen=True, gc=False, tag="refund"):
    """A later payer or refund against one bill. Key: (settle_no, payer, reimburse_no); `day` is the day it was paid."""

    settle_no: str
    payer: str
    amount_fen: int

    feed: ClassVar[str] = "medical.reimbursement"


class Contribution(Fact, array_like=True, frozen=True, gc=False, tag="contribution"):
    """Insurance paid by one employer for a month. Key: (person, month, employer); `day` is the month's first."""

    employer: str
    base_fen: int

    feed: ClassVar[str] = "employment.contribution"


class Employment(Fact, array_like=True, frozen=True, gc=False, tag="employment"):
    """A spell of an employment status. Key: (person, kind, start); `day` is the start, `until` the last day + 1."""

    kind: str
    until: int | None

    feed: ClassVar[str] = "employment.status"
    paged: ClassVar[bool] = False


class Rent(Fact, array_like=True, frozen=True, gc=False, tag="rent"):
    """Public rental for one billing period. Key: (contract, billing_period, item); `day` is the period's first day.

    item `bill`: due and paid so far, `until` the day it was paid in full where that is known; `relief`: amount_fen
    forgiven; `deferral`: payment agreed to wait until `until`.
    """

    contract: str
    item: str
    amount_fen: int
    paid_fen: int
    due_on: int
    until: int | None

    feed: ClassVar[str] = "housing.security"


class Status(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A scheme a person holds, half-open interval of day ordinals."""

    scheme: str
    since: int
    until: int | None
    source: str
    document: str


class Declared(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What civil affairs decided for the whole household; carried by the membership of the head of household."""

    hukou_area: str
    residence_area: str
    responsible_area: str
    incident_area: str
    monthly_income_fen: int | None
    income_period: str
    income_document: str


class Membership(Fact, array_like=True, frozen=True, gc=False, tag="member"):
    """A person belongs to a household from `day` until `until` (half-open). Key: (household, person, valid_from)."""

    household: str
    person: str
    relation: str
    until: int | None
    born: int | None
    statuses: tuple[Status, ...]
    declared: Declared | None

    feed: ClassVar[str] = "civil.household"
    paged: ClassVar[bool] = False

    def covers(self, day: int) -> bool:
        """Whether the person belonged to the household on `day`."""
        return not self.gone and self.day <= day and (self.until is None or day < self.until)


class Benefit(Fact, array_like=True, frozen=True, gc=False, tag="benefit"):
    """A benefit paid to a person for one month. Key: (person, scheme, month); `day` is the month's first."""

    scheme: str
    amount_fen: int

    feed: ClassVar[str] = "civil.benefit"


class Death(Fact, array_like=True, frozen=True, gc=False, tag="death"):
    """One source's report of a death. Key: (person, source kind); `day` is the day of death."""

    reported_by: str

    feed: ClassVar[str] = "vital.death"
    paged: ClassVar[bool] = False


AnyFact = Bill | Refund | Contribution | Employment | Rent | Membership | Benefit | Death
FACT_KINDS: tuple[type[Fact], ...] = (Bill, Refund, Contribution, Employment, Rent, Membership, Benefit, Death)
KIND_OF_FEED: dict[str, type[Fact]] = {kind.feed: kind for kind in FACT_KINDS}


def month_of(day: int) -> int:
    """Month number (year * 12 + month - 1) of a day ordinal."""
    when = date.fromordinal(day)
    return when.year * 12 + when.month - 1


def first_day(month: int) -> int:
    """Ordinal of the first day of a month number."""
    return date(month // 12, month % 12 + 1, 1).toordinal()


def half_year(day: int) -> str:
    """Name of the half-year a day lies in, as `2026H1`: the page of a ledger that holds its facts."""
    when = date.fromordinal(day)
    return f"{when.year}H{1 if when.month <= 6 else 2}"
