"""Facts as they stand in a block and in a ledger: one compact struct per kind, the newest of a natural key wins.

The same struct travels inside `households.events.v1` and lies in a ledger page, so folding copies a reference and
never converts. A kind belongs to one feed and may stand in its file; the union is tagged, so one more kind costs the
others nothing.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING, ClassVar, TypeAlias, Union

import msgspec

from schemas.fact import Fact, Version, first_day, month_of


class Bill(Fact, array_like=True, frozen=True, gc=False, tag="bill"):
    """One settled medical bill; amounts after all public payers. Key: settle_no."""

    in_catalogue_fen: int
    out_of_catalogue_fen: int
    account_fen: int
    total_fen: int
    visit: str

    feed: ClassVar[str] = "medical.settlement"
    keyed_alone: ClassVar[bool] = True


class Refund(Fact, array_like=True, frozen=True, gc=False, tag="refund"):
    """A later payer or refund against one bill. Key: (settle_no, payer, reimburse_no); `day` is the day it was paid."""

    settle_no: str
    payer: str
    amount_fen: int

    feed: ClassVar[str] = "medical.reimbursement"
    keyed_alone: ClassVar[bool] = True


class Contribution(Fact, array_like=True, frozen=True, gc=False, tag="contribution"):
    """Insurance paid by one employer for a month. Key: (person, month, employer); `day` is the month's first."""

    employer: str
    base_fen: int
    # Told since version 2 of the feed: which insurances (P pension, M medical, U unemployment), what kind of employer.
    insured: str = ""
    employer_kind: str = ""
    back_paid: bool = False

    feed: ClassVar[str] = "employment.contribution"


class Employment(Fact, array_like=True, frozen=True, gc=False, tag="employment"):
    """A spell of an employment status. Key: (person, kind, start); `day` is the start, `until` the last day + 1."""

    kind: str
    until: int | None

    feed: ClassVar[str] = "employment.status"
    paged: ClassVar[bool] = False
    ends: ClassVar[tuple[str, ...]] = ("until",)
    ended_in: ClassVar[str | None] = "until"


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
    keyed_alone: ClassVar[bool] = True


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
    """A person belongs to a household from `day` until `until` (half-open). Key: (household, person, valid_from).

    `sex` is for the fairness report; `detectors.protected` keeps it from rules.
    """

    household: str
    person: str
    relation: str
    until: int | None
    born: int | None
    statuses: tuple[Status, ...]
    declared: Declared | None
    sex: str | None = None

    feed: ClassVar[str] = "civil.household"
    paged: ClassVar[bool] = False
    snapshots: ClassVar[bool] = False

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


def _all_kinds() -> tuple[type[Fact], ...]:
    """Every kind: those above, and what the files of `schemas/feeds/` bring along or define themselves."""
    package = importlib.import_module("schemas.feeds")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"schemas.feeds.{module.name}")
    return tuple(sorted(Fact.__subclasses__(), key=lambda kind: str(kind.__struct_config__.tag)))


FACT_KINDS: tuple[type[Fact], ...] = _all_kinds()
KIND_OF_FEED: dict[str, type[Fact]] = {kind.feed: kind for kind in FACT_KINDS}
if TYPE_CHECKING:
    AnyFact: TypeAlias = Fact
else:
    AnyFact = Union[FACT_KINDS]  # noqa: UP007 - of kinds known only now

__all__ = [
    "FACT_KINDS",
    "KIND_OF_FEED",
    "AnyFact",
    "Benefit",
    "Bill",
    "Contribution",
    "Death",
    "Declared",
    "Employment",
    "Fact",
    "Membership",
    "Refund",
    "Rent",
    "Status",
    "Version",
    "first_day",
    "month_of",
]
