"""Employment feeds 人社局、税务局: employee insurance per month, spells of an employment status, pensions."""

from datetime import date
from typing import Annotated

from schemas.calendar import first_of, month_number
from schemas.facts import Contribution, Employment
from schemas.facts_living import Pension
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import EmploymentKind, Labelled, YesNo
from schemas.scalars import Day, Fen, Key, Month

_NEGATIVE = Flaw("BAD_FIELD", "/data/base", "缴费基数不得为负数")
_BASIC = Flaw("BAD_FIELD", "/data/basic", "基础养老金不得为负数，也不得大于发放金额")
_ORDER = Flaw("BAD_FIELD", "/data/until", "终止日期不得早于起始日期")


class EmploymentContribution(
    FeedModel, kind="employment.contribution", version=1, title="职工社会保险缴费", fact=Contribution, ahead_days=31
):
    """Employee insurance one employer paid for one month 职工缴费的一个费款所属期; paid late it keeps its month."""

    month: Annotated[Month, field("费款所属期", key=True, example="2026-05")]
    employer: Annotated[Key, field("单位编号", key=True, example="E33990100017")]
    base: Annotated[Fen, field("缴费基数", meaning="每月缴费工资基数", example=520_000)]
    paid_on: Annotated[Day | None, field("到账日期", example="2026-05-21")] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, month, employer)."""
        return f"{origin.subject}|{self.month}|{self.employer}"

    def day(self) -> int:
        """First of the month paid for."""
        return date(int(self.month[:4]), int(self.month[5:]), 1).toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A contribution base is not negative."""
        return NO_FLAWS if self.base >= 0 else (_NEGATIVE,)

    def to_fact(self, head: FactHead) -> Contribution:
        """The month as insured."""
        return Contribution(*head, self.employer, self.base)


class Employer(Labelled):
    """Kind of employer."""

    COMPANY = "COMPANY", "企业"
    PUBLIC = "PUBLIC", "机关事业单位"
    SOLE = "SOLE", "个体工商户"
    POST = "POST", "公益性岗位"
    OTHER = "OTHER", "其他"


class EmploymentContributionV2(
    FeedModel,
    kind="employment.contribution",
    version=2,
    title="职工社会保险缴费（分险种）",
    fact=Contribution,
    ahead_days=31,
):
    """The month of version 1, and which insurances were paid, by what kind of employer, in time or later."""

    month: Annotated[Month, field("费款所属期", key=True, example="2026-05")]
    employer: Annotated[Key, field("单位编号", key=True, example="E33990100017")]
    employer_kind: Annotated[Employer, field("单位类型", example="COMPANY")]
    base: Annotated[Fen, field("缴费基数", meaning="每月缴费工资基数", example=520_000)]
    pension: Annotated[YesNo, field("是否缴纳养老保险", example="yes")]
    medical: Annotated[YesNo, field("是否缴纳医疗保险", example="yes")]
    unemployment: Annotated[YesNo, field("是否缴纳失业保险", example="yes")]
    back_paid: Annotated[YesNo, field("是否补缴", meaning="在所属期之后补缴的填是", example="no")]
    paid_on: Annotated[Day, field("到账日期", example="2026-05-21")]

    def natural_key(self, origin: Origin) -> str:
        """(person, month, employer), as in version 1: the newest record counts, whatever its version."""
        return f"{origin.subject}|{self.month}|{self.employer}"

    def day(self) -> int:
        """First of the month paid for."""
        return first_of(self.month)

    def problems(self) -> tuple[Flaw, ...]:
        """A contribution base is not negative."""
        return NO_FLAWS if self.base >= 0 else (_NEGATIVE,)

    def to_fact(self, head: FactHead) -> Contribution:
        """The month as insured; an insurance that was not paid is left out."""
        told = (("P", self.pension), ("M", self.medical), ("U", self.unemployment))
        insured = "".join(letter for letter, paid in told if paid == "yes")
        return Contribution(*head, self.employer, self.base, insured, self.employer_kind, self.back_paid == "yes")


class EmploymentStatus(FeedModel, kind="employment.status", version=1, title="就业状态", fact=Employment):
    """A spell of an employment status 登记失业、退休、灵活就业等; its end comes as a correction with `until`."""

    kind: Annotated[EmploymentKind, field("状态类型", key=True, example="UNEMPLOYED")]
    start: Annotated[Day, field("起始日期", key=True, example="2026-03-01")]
    until: Annotated[
        Day | None, field("终止日期", meaning="不再处于该状态的第一天；仍在持续则不填", example="2026-09-01")
    ] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, kind, start)."""
        return f"{origin.subject}|{self.kind}|{self.start}"

    def day(self) -> int:
        """First day of the spell."""
        return self.start.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A spell does not end before it starts."""
        return (_ORDER,) if self.until is not None and self.until < self.start else NO_FLAWS

    def to_fact(self, head: FactHead) -> Employment:
        """The spell, half-open."""
        return Employment(*head, self.kind, None if self.until is None else self.until.toordinal())


class PensionScheme(Labelled):
    """Who pays a pension."""

    EMPLOYEE = "EMPLOYEE", "职工基本养老保险"
    RESIDENT = "RESIDENT", "城乡居民基本养老保险"


class PensionPayment(
    FeedModel, kind="pension.payment", version=1, title="养老金发放", fact=Pension, ahead_days=31
):
    """A month's pension 一月一笔养老金; `basic` is apart because it may not count as income."""

    scheme: Annotated[PensionScheme, field("养老保险类型", key=True, example="RESIDENT")]
    month: Annotated[Month, field("待遇所属月", key=True, example="2026-05")]
    amount: Annotated[Fen, field("发放金额", meaning="当月实发合计；追回为负数", example=36_000)]
    basic: Annotated[Fen, field("其中基础养老金", meaning="中央与地方基础养老金合计，没有则填 0", example=21_000)]
    first_month: Annotated[Month | None, field("首次领取月", example="2024-08")] = None
    paid_on: Annotated[Day | None, field("发放日期", example="2026-05-15")] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, scheme, month)."""
        return f"{origin.subject}|{self.scheme}|{self.month}"

    def day(self) -> int:
        """First of the month paid for."""
        return first_of(self.month)

    def problems(self) -> tuple[Flaw, ...]:
        """The basic pension is a part of what was paid."""
        return NO_FLAWS if self.amount < 0 or 0 <= self.basic <= self.amount else (_BASIC,)

    def to_fact(self, head: FactHead) -> Pension:
        """The month's pension."""
        first = None if self.first_month is None else month_number(self.first_month)
        return Pension(*head, self.scheme, self.amount, self.basic, first)
