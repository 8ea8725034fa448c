"""Housing feeds 住建局: public rental by billing period."""

from datetime import date
from typing import Annotated

from schemas.facts import Rent
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import RentItem
from schemas.scalars import Day, Fen, Key, Month

_DUE = Flaw("MISSING_FIELD", "/data/due_on", "应缴记录须填应缴日期")
_UNTIL = Flaw("MISSING_FIELD", "/data/until", "缓缴记录须填缓缴至日期")
_NEGATIVE = Flaw("BAD_FIELD", "/data/amount", "金额不得为负数")


class HousingSecurity(
    FeedModel, kind="housing.security", version=1, title="公共租赁住房租金", fact=Rent, ahead_days=366
):
    """Rent of one contract for one billing period 应缴与已缴、减免、缓缴; subject is the tenant who signed."""

    contract: Annotated[Key, field("合同编号", key=True, example="G339901-0042")]
    billing_period: Annotated[Month, field("账期", key=True, example="2026-05")]
    item: Annotated[RentItem, field("记录类型", key=True, example="bill")]
    amount: Annotated[
        Fen, field("金额", meaning="应缴记录为应缴租金，减免记录为减免金额，缓缴记录为缓缴金额", example=42_000)
    ]
    paid: Annotated[Fen, field("已缴金额", meaning="应缴记录截至记录时间累计已缴；其他记录填 0", example=0)] = 0
    due_on: Annotated[Day | None, field("应缴日期", meaning="最迟缴纳日期，应缴记录必填", example="2026-05-20")] = None
    until: Annotated[
        Day | None,
        field(
            "缓缴至或缴清日期",
            meaning="缓缴记录为缓缴期满后的第一天，必填；应缴记录为缴清之日，未缴清不填",
        ),
    ] = None

    def natural_key(self, origin: Origin) -> str:
        """(contract, billing_period, item)."""
        return f"{self.contract}|{self.billing_period}|{self.item}"

    def day(self) -> int:
        """First of the billing period."""
        return date(int(self.billing_period[:4]), int(self.billing_period[5:]), 1).toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A bill says when it is due, a deferral until when; money is not negative."""
        if self.item == "bill" and self.due_on is None:
            return (_DUE,)
        if self.item == "deferral" and self.until is None:
            return (_UNTIL,)
        return NO_FLAWS if self.amount >= 0 and self.paid >= 0 else (_NEGATIVE,)

    def to_fact(self, head: FactHead) -> Rent:
        """What is due, forgiven or agreed to wait."""
        due = self.day() if self.due_on is None else self.due_on.toordinal()
        until = None if self.until is None else self.until.toordinal()
        return Rent(*head, self.contract, self.item, self.amount, self.paid, due, until)
