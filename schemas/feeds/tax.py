"""Tax feeds 税务局: income of a period, told only where a check was authorised."""

from typing import Annotated

from schemas.calendar import first_of, month_number
from schemas.facts_living import Income
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled
from schemas.scalars import Fen, Key, Month, Sensitivity

_ORDER = Flaw("BAD_FIELD", "/data/month_to", "截止月份不得早于起始月份")


class IncomeKind(Labelled):
    """Kind of taxed income."""

    WAGES = "WAGES", "工资薪金"
    LABOUR = "LABOUR", "劳务报酬"
    BUSINESS = "BUSINESS", "经营所得"
    LETTING = "LETTING", "财产租赁所得"
    INTEREST = "INTEREST", "利息股息红利"
    TRANSFER = "TRANSFER", "财产转让所得"
    OTHER = "OTHER", "其他所得"


class TaxIncome(FeedModel, kind="tax.income", version=1, title="个人所得（依授权核对）", fact=Income):
    """Income from one payer over whole months 一个支付方的一类所得; a year's sum is never spread out."""

    payer: Annotated[Key, field("支付方编号", key=True, meaning="扣缴义务人编号；无则填 -", example="E33990100017")]
    kind: Annotated[IncomeKind, field("所得类型", key=True, example="WAGES")]
    month_from: Annotated[
        Month, field("所得期间起", key=True, meaning="取得所得的月份，不是申报月份", example="2026-01")
    ]
    month_to: Annotated[Month, field("所得期间止", key=True, meaning="含该月", example="2026-03")]
    amount: Annotated[
        Fen, field("收入额", meaning="税前；更正退回为负数", sensitivity=Sensitivity.RESTRICTED, example=1_350_000)
    ]
    request_no: Annotated[Key, field("核对委托编号", meaning="没有委托和授权不得报送", example="HD202605-0071")]

    def natural_key(self, origin: Origin) -> str:
        """(person, payer, kind, from, to)."""
        return f"{origin.subject}|{self.payer}|{self.kind}|{self.month_from}|{self.month_to}"

    def day(self) -> int:
        """First of the last month."""
        return first_of(self.month_to)

    def problems(self) -> tuple[Flaw, ...]:
        """Months run forward; the shape YYYY-MM sorts as time does."""
        return NO_FLAWS if self.month_from <= self.month_to else (_ORDER,)

    def to_fact(self, head: FactHead) -> Income:
        """The sum of the whole period."""
        return Income(*head, self.kind, self.payer, month_number(self.month_from), self.amount, self.request_no)
