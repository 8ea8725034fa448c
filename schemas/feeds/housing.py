"""Housing feeds 住建局、公积金中心: public rental by billing period, housing fund accounts by month."""

from datetime import date
from typing import Annotated

from schemas.calendar import first_of
from schemas.facts import Rent
from schemas.facts_living import Fund
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled, RentItem
from schemas.scalars import Count, Day, Fen, Key, Month

_DUE = Flaw("MISSING_FIELD", "/data/due_on", "应缴记录须填应缴日期")
_UNTIL = Flaw("MISSING_FIELD", "/data/until", "缓缴记录须填缓缴至日期")
_NEGATIVE = Flaw("BAD_FIELD", "/data/amount", "金额不得为负数")
_FUND = Flaw("BAD_FIELD", "/data/deposit", "基数、缴存和提取金额不得为负数")
_REASON = Flaw("MISSING_FIELD", "/data/reason", "有提取金额的记录须填提取原因")


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


class Withdrawal(Labelled):
    """Why money was taken out of a housing fund."""

    PURCHASE = "PURCHASE", "购房或偿还贷款"
    RENT = "RENT", "租房"
    ILLNESS = "ILLNESS", "本人或家人重大疾病"
    HARDSHIP = "HARDSHIP", "生活困难"
    LEAVING = "LEAVING", "离职或离开本地"
    RETIRING = "RETIRING", "退休"
    OTHER = "OTHER", "其他"


class FundLoan(Labelled):
    """State of a loan from the housing fund."""

    NONE = "NONE", "无贷款"
    NORMAL = "NORMAL", "正常还款"
    ARREARS = "ARREARS", "逾期"


class HousingFund(FeedModel, kind="housing.fund", version=1, title="住房公积金", fact=Fund, ahead_days=31):
    """A month of one account 一个账户的一个月: paid in, taken out, loan."""

    account: Annotated[
        Key, field("账户编号", key=True, meaning="中心内部账户编号，不得为证件号码", example="F3399-0815")
    ]
    month: Annotated[Month, field("所属月", key=True, example="2026-05")]
    base: Annotated[Fen, field("缴存基数", example=520_000)]
    deposit: Annotated[Fen, field("当月缴存额", meaning="单位与个人合计；未缴填 0", example=62_400)]
    withdrawn: Annotated[Fen, field("当月提取额", example=0)] = 0
    reason: Annotated[Withdrawal | None, field("提取原因", meaning="有提取金额时必填")] = None
    loan: Annotated[FundLoan, field("贷款状态", example="NONE")]
    arrears_months: Annotated[Count, field("逾期月数", unit="个月", example=0)] = 0

    def natural_key(self, origin: Origin) -> str:
        """(account, month)."""
        return f"{self.account}|{self.month}"

    def day(self) -> int:
        """First of the month."""
        return first_of(self.month)

    def problems(self) -> tuple[Flaw, ...]:
        """Nothing is negative; a withdrawal has a reason."""
        if self.base < 0 or self.deposit < 0 or self.withdrawn < 0:
            return (_FUND,)
        return (_REASON,) if self.withdrawn and self.reason is None else NO_FLAWS

    def to_fact(self, head: FactHead) -> Fund:
        """The month of the account."""
        return Fund(
            *head, self.account, self.base, self.deposit, self.withdrawn, self.reason, self.loan, self.arrears_months
        )
