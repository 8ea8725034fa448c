"""Facts about where people stand: certificates, family, property, custody, what they allowed, what checks found."""

from typing import ClassVar

from schemas.fact import Fact


class Disability(Fact, array_like=True, frozen=True, gc=False, tag="disability"):
    """A disability certificate from `day`. Key: (person, category, issued). `until`: cancelled."""

    category: str
    level: int
    expires: int | None
    until: int | None
    action: str
    carer: str | None

    feed: ClassVar[str] = "disability.certificate"
    paged: ClassVar[bool] = False
    ends: ClassVar[tuple[str, ...]] = ("expires", "until")
    ended_in: ClassVar[str | None] = "until"


class FamilyChange(Fact, array_like=True, frozen=True, gc=False, tag="family"):
    """What the registers of residents and marriages say happened. Key: (register number, person).

    It moves nobody: who lives in a declared household is what civil affairs declares.
    """

    change: str
    relative: str | None
    relation: str | None
    from_area: str | None
    to_area: str | None

    feed: ClassVar[str] = "household.change"
    paged: ClassVar[bool] = False
    people: ClassVar[tuple[str, ...]] = ("relative",)


class Vehicle(Fact, array_like=True, frozen=True, gc=False, tag="vehicle"):
    """A registration of a vehicle for or away from a person. Key: (registration number, person).

    `until`: the first day on which a full snapshot of the register no longer named it; no department sends it.
    """

    vehicle: str
    action: str
    sort: str
    band: str
    disabled_use: bool
    until: int | None = None

    feed: ClassVar[str] = "vehicle.registration"
    paged: ClassVar[bool] = False
    ends: ClassVar[tuple[str, ...]] = ("until",)
    ended_in: ClassVar[str | None] = "until"


class Property(Fact, array_like=True, frozen=True, gc=False, tag="property"):
    """A registration of real estate for or away from a person. Key: (registration number, person).

    `until`: the first day on which a full snapshot of the register no longer named it; no department sends it.
    """

    unit: str
    action: str
    right: str
    use: str
    share_percent: int
    area_m2: int
    until: int | None = None

    feed: ClassVar[str] = "property.registration"
    paged: ClassVar[bool] = False
    ends: ClassVar[tuple[str, ...]] = ("until",)
    ended_in: ClassVar[str | None] = "until"


class Business(Fact, array_like=True, frozen=True, gc=False, tag="business"):
    """A role in a business from `day` until `until`. Key: (person, business, role, start)."""

    business: str
    role: str
    until: int | None
    capital_fen: int
    share_percent: int | None
    standing: str

    feed: ClassVar[str] = "business.registration"
    paged: ClassVar[bool] = False
    ends: ClassVar[tuple[str, ...]] = ("until",)
    ended_in: ClassVar[str | None] = "until"


class Custody(Fact, array_like=True, frozen=True, gc=False, tag="custody"):
    """Somebody cannot care for others: category and days, nothing of the case. Key: (person, category, start)."""

    category: str
    expected_to: int | None
    until: int | None

    feed: ClassVar[str] = "justice.custody"
    paged: ClassVar[bool] = False
    ends: ClassVar[tuple[str, ...]] = ("expected_to", "until")
    ended_in: ClassVar[str | None] = "until"


class Authorisation(Fact, array_like=True, frozen=True, gc=False, tag="authorised"):
    """What a person allows to be looked at, signed on `day`. Key: (person, scope, signed).

    Holds before `valid_to` and before `withdrawn`; both are the first day on which it no longer does.
    """

    scope: str
    valid_to: int | None
    withdrawn: int | None

    feed: ClassVar[str] = "civil.authorisation"
    paged: ClassVar[bool] = False
    ends: ClassVar[tuple[str, ...]] = ("valid_to", "withdrawn")
    ended_in: ClassVar[str | None] = "valid_to"

    def holds(self, day: int) -> bool:
        """Whether it was in force on `day`."""
        ends = (end for end in (self.valid_to, self.withdrawn) if end is not None)
        return not self.gone and self.day <= day and all(day < end for end in ends)


class CheckRequest(Fact, array_like=True, frozen=True, gc=False, tag="checkask"):
    """A check of means was asked for a person. Key: (request number, person)."""

    request_no: str
    purpose: str
    reply_due: int | None
    place: str | None
    authorised_on: int

    feed: ClassVar[str] = "check.request"


class CheckReply(Fact, array_like=True, frozen=True, gc=False, tag="checkreply"):
    """What was declared and what a register says, one item. Key: (request number, person, item).

    Evidence of a difference, never a conclusion about the person.
    """

    request_no: str
    item: str
    difference: str
    declared_fen: int | None
    found_fen: int | None
    as_of: int | None
    place: str | None

    feed: ClassVar[str] = "check.reply"


class AssetBand(Fact, array_like=True, frozen=True, gc=False, tag="asset"):
    """A bank's answer to a check, as a band. Key: (request number, person, institution, kind of asset)."""

    request_no: str
    institution: str
    asset: str
    band: str
    as_of: int

    feed: ClassVar[str] = "finance.check_reply"
