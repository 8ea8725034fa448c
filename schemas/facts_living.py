"""Facts about what people live on and pay for: insurance, pensions, funds, school, water and light."""

from typing import ClassVar

from schemas.fact import Fact


class Enrolment(Fact, array_like=True, frozen=True, gc=False, tag="enrolment"):
    """Medical insurance of a year, from `day` until `until`. Key: (person, plan, year)."""

    plan: str
    year: int
    until: int | None
    subsidised: bool

    feed: ClassVar[str] = "medical.enrolment"
    ended_in: ClassVar[str | None] = "until"


class YearTotal(Fact, array_like=True, frozen=True, gc=False, tag="yeartotal"):
    """What a person bore of a medical year up to the end of a month. Key: (person, year, as-of month).

    The newest as-of month counts, and only in answers about year totals: the same money stands in the bills.
    """

    year: int
    as_of: int
    in_catalogue_fen: int | None
    out_of_catalogue_fen: int | None
    borne_fen: int

    feed: ClassVar[str] = "medical.year_total"


class Pension(Fact, array_like=True, frozen=True, gc=False, tag="pension"):
    """A month's pension; `basic_fen`: its basic part, central and local together. Key: (person, scheme, month)."""

    scheme: str
    amount_fen: int
    basic_fen: int
    first_month: int | None

    feed: ClassVar[str] = "pension.payment"


class Fund(Fact, array_like=True, frozen=True, gc=False, tag="fund"):
    """A month of a housing fund account: paid in, taken out, loan. Key: (account, month)."""

    account: str
    base_fen: int
    deposit_fen: int
    withdrawn_fen: int
    reason: str | None
    loan: str
    arrears_months: int

    feed: ClassVar[str] = "housing.fund"
    keyed_alone: ClassVar[bool] = True


class Schooling(Fact, array_like=True, frozen=True, gc=False, tag="school"):
    """A spell at one school from `day` until `until`, `ended` says how. Key: (person, school, start)."""

    school: str
    stage: str
    until: int | None
    ended: str | None

    feed: ClassVar[str] = "education.enrolment"
    paged: ClassVar[bool] = False
    ends: ClassVar[tuple[str, ...]] = ("until",)
    ended_in: ClassVar[str | None] = "until"


class SchoolAid(Fact, array_like=True, frozen=True, gc=False, tag="schoolaid"):
    """Aid to a pupil or student for a term. Key: (person, school year, term, kind of aid)."""

    school_year: int
    term: str
    aid: str
    amount_fen: int

    feed: ClassVar[str] = "education.aid"


class SchoolFee(Fact, array_like=True, frozen=True, gc=False, tag="schoolfee"):
    """What a family paid for a term. Key: (person, school year, term, item)."""

    school_year: int
    term: str
    item: str
    stage: str
    amount_fen: int

    feed: ClassVar[str] = "education.fee"


class UtilityUse(Fact, array_like=True, frozen=True, gc=False, tag="use"):
    """A meter's use in a month up to the day `as_of`; told daily it stays one fact. Key: (utility, meter, month)."""

    utility: str
    meter: str
    quantity: int
    as_of: int

    feed: ClassVar[str] = "utility.usage"
    keyed_alone: ClassVar[bool] = True


class UtilityBill(Fact, array_like=True, frozen=True, gc=False, tag="utilbill"):
    """A billing month of water, light or gas. Key: (utility, account, month)."""

    utility: str
    account: str
    amount_fen: int
    paid_fen: int
    due_on: int
    notice_on: int | None
    lives_there: bool

    feed: ClassVar[str] = "utility.bill"
    keyed_alone: ClassVar[bool] = True


class Income(Fact, array_like=True, frozen=True, gc=False, tag="income"):
    """Income of the months `month_from` to that of `day`, as one sum. Key: (person, payer, kind, from, to)."""

    kind: str
    payer: str
    month_from: int
    amount_fen: int
    request_no: str

    feed: ClassVar[str] = "tax.income"
