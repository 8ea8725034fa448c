"""Utility feeds 供电、供水、燃气公司: use by month, bills by month."""

from typing import Annotated

from schemas.calendar import first_of, ordinal
from schemas.facts_living import UtilityBill, UtilityUse
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled, YesNo
from schemas.scalars import Count, Day, Fen, Key, Month

_AS_OF = Flaw("BAD_FIELD", "/data/as_of", "截至日期须在所属月之内")
_NEGATIVE = Flaw("BAD_FIELD", "/data/amount", "应缴与已缴金额不得为负数")


class Utility(Labelled):
    """What comes through the meter."""

    ELECTRICITY = "ELECTRICITY", "电"
    WATER = "WATER", "水"
    GAS = "GAS", "燃气"


class UtilityUsage(FeedModel, kind="utility.usage", version=1, title="水电气用量", fact=UtilityUse, ahead_days=31):
    """A meter's use in a month so far 一只表一个月的累计用量; a newer record of the month replaces the older one."""

    utility: Annotated[Utility, field("能源种类", key=True, example="ELECTRICITY")]
    meter: Annotated[Key, field("表计编号", key=True, example="D3399-220817")]
    month: Annotated[Month, field("所属月", key=True, example="2026-05")]
    quantity: Annotated[
        Count, field("当月累计用量", unit="电为千瓦时，水、气为升", meaning="取整；1 立方米为 1000 升", example=96)
    ]
    as_of: Annotated[Day, field("截至日期", meaning="累计到这一天，全月则为月末", example="2026-05-31")]

    def natural_key(self, origin: Origin) -> str:
        """(utility, meter, month)."""
        return f"{self.utility}|{self.meter}|{self.month}"

    def day(self) -> int:
        """First of the month."""
        return first_of(self.month)

    def problems(self) -> tuple[Flaw, ...]:
        """The day read lies in the month."""
        return NO_FLAWS if self.as_of.isoformat()[:7] == self.month else (_AS_OF,)

    def to_fact(self, head: FactHead) -> UtilityUse:
        """The month so far."""
        return UtilityUse(*head, self.utility, self.meter, self.quantity, self.as_of.toordinal())


class UtilityBilling(FeedModel, kind="utility.bill", version=1, title="水电气账单", fact=UtilityBill, ahead_days=31):
    """A billing month of one account 一个户号一个账期的应缴与已缴; subject: who lives there, else who signed."""

    utility: Annotated[Utility, field("能源种类", key=True, example="ELECTRICITY")]
    account: Annotated[Key, field("户号", key=True, example="DH339901-5521")]
    month: Annotated[Month, field("账期", key=True, example="2026-05")]
    amount: Annotated[Fen, field("应缴金额", example=8_650)]
    paid: Annotated[Fen, field("已缴金额", meaning="截至记录时间累计已缴", example=0)] = 0
    due_on: Annotated[Day, field("应缴日期", meaning="最迟缴纳日期", example="2026-06-20")]
    notice_on: Annotated[Day | None, field("停供通知日期", meaning="发出停供通知之日；没有则不填")] = None
    lives_there: Annotated[YesNo, field("是否本人居住", meaning="户主名下但出租或空置填否", example="yes")]

    def natural_key(self, origin: Origin) -> str:
        """(utility, account, month)."""
        return f"{self.utility}|{self.account}|{self.month}"

    def day(self) -> int:
        """First of the billing month."""
        return first_of(self.month)

    def problems(self) -> tuple[Flaw, ...]:
        """Money is not negative."""
        return NO_FLAWS if self.amount >= 0 and self.paid >= 0 else (_NEGATIVE,)

    def to_fact(self, head: FactHead) -> UtilityBill:
        """What is due and paid."""
        due, notice, here = self.due_on.toordinal(), ordinal(self.notice_on), self.lives_there == "yes"
        return UtilityBill(*head, self.utility, self.account, self.amount, self.paid, due, notice, here)
