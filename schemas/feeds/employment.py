"""Employment feeds 人社局、税务局: employee insurance paid per month, spells of an employment status."""

from datetime import date
from typing import Annotated

from schemas.facts import Contribution, Employment
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import EmploymentKind
from schemas.scalars import Day, Fen, Key, Month

_NEGATIVE = Flaw("BAD_FIELD", "/data/base", "缴费基数不得为负数")
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
