"""Lists any department draws up each month 各部门的筛查名单: people over that department's own line."""

from typing import Annotated

from schemas.calendar import first_of, ordinal
from schemas.facts_contact import Listed
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled
from schemas.scalars import Count, Day, Fen, Key, Month, Text

_PAIR = Flaw("MISSING_FIELD", "/data/measure", "须填标准线和实际值：金额填前两栏，其他填后两栏")
_DUE = Flaw("MISSING_FIELD", "/data/reply_due", "要求回复的名单须填回复期限")


class ReplyForm(Labelled):
    """How the department wants to hear what became of the people on its list."""

    NONE = "NONE", "无需回复"
    SYSTEM = "SYSTEM", "系统回执"
    TABLE = "TABLE", "台账表格"
    LETTER = "LETTER", "书面函复"


class ScreeningList(FeedModel, kind="screening.list", version=1, title="部门筛查名单", fact=Listed):
    """One person on one department's list of one month 一份名单中的一人, with the line and what was measured."""

    list_type: Annotated[Key, field("名单类型", key=True, example="高额医疗费用")]
    period: Annotated[Month, field("所属期", key=True, example="2026-05")]
    department: Annotated[Text, field("提供部门", example="星河市医疗保障局")]
    line: Annotated[Fen | None, field("标准线金额", meaning="部门自定的线；不以金额计则不填", example=1_000_000)] = None
    measure: Annotated[Fen | None, field("实际金额", meaning="与标准线金额同填", example=1_624_000)] = None
    line_count: Annotated[Count | None, field("标准线数值", meaning="次数、天数等；以金额计则不填")] = None
    measure_count: Annotated[Count | None, field("实际数值", meaning="与标准线数值同填")] = None
    reply_form: Annotated[ReplyForm, field("回复方式", example="SYSTEM")]
    reply_due: Annotated[Day | None, field("回复期限", meaning="要求回复时必填", example="2026-07-15")] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, list, period)."""
        return f"{origin.subject}|{self.list_type}|{self.period}"

    def day(self) -> int:
        """First of the period."""
        return first_of(self.period)

    def problems(self) -> tuple[Flaw, ...]:
        """A line and what was measured, of the same kind; a date for a reply that is wanted."""
        amounts = (self.line is None, self.measure is None)
        numbers = (self.line_count is None, self.measure_count is None)
        if len({*amounts}) > 1 or len({*numbers}) > 1 or amounts == numbers:
            return (_PAIR,)
        return (_DUE,) if self.reply_form != "NONE" and self.reply_due is None else NO_FLAWS

    def to_fact(self, head: FactHead) -> Listed:
        """The person as listed."""
        return Listed(
            *head, self.list_type, self.department, self.line, self.measure, self.line_count, self.measure_count,
            ordinal(self.reply_due), self.reply_form,
        )  # fmt: skip
