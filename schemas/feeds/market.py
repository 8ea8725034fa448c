"""Market regulation feeds 市场监督管理局: roles in businesses."""

from typing import Annotated

from schemas.calendar import ordinal
from schemas.facts_standing import Business
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled
from schemas.scalars import Day, Fen, Key, Percent

_UNTIL = Flaw("BAD_FIELD", "/data/until", "终止日期不得早于起始日期")
_CAPITAL = Flaw("BAD_FIELD", "/data/capital", "注册资本不得为负数")


class Role(Labelled):
    """What a person is in a business."""

    LEGAL = "LEGAL", "法定代表人"
    SHAREHOLDER = "SHAREHOLDER", "股东"
    SOLE = "SOLE", "个体工商户经营者"
    PARTNER = "PARTNER", "合伙人"
    OFFICER = "OFFICER", "董事、监事或高级管理人员"


class BusinessStanding(Labelled):
    """State of a business."""

    ACTIVE = "ACTIVE", "存续"
    SUSPENDED = "SUSPENDED", "歇业"
    REVOKED = "REVOKED", "吊销"
    CANCELLED = "CANCELLED", "注销"


class BusinessRegistration(FeedModel, kind="business.registration", version=1, title="市场主体登记", fact=Business):
    """A role in one business 在一个市场主体的一个身份; its end comes as a correction with `until`."""

    business: Annotated[Key, field("统一社会信用代码", key=True, example="92339901MA2ABCDE3K")]
    role: Annotated[Role, field("身份", key=True, example="SOLE")]
    since: Annotated[Day, field("起始日期", key=True, example="2026-03-11")]
    until: Annotated[Day | None, field("终止日期", meaning="不再具有该身份的第一天；仍具有则不填")] = None
    capital: Annotated[
        Fen, field("注册资本", meaning="登记系统以万元计的须先换算；个体工商户填资金数额", example=2_000_000)
    ]
    share: Annotated[Percent | None, field("出资比例", unit="%", meaning="股东和合伙人填写，取整")] = None
    standing: Annotated[BusinessStanding, field("登记状态", example="ACTIVE")]

    def natural_key(self, origin: Origin) -> str:
        """(person, business, role, start)."""
        return f"{origin.subject}|{self.business}|{self.role}|{self.since}"

    def day(self) -> int:
        """First day of the role."""
        return self.since.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A role ends after it begins; capital is not negative."""
        if self.until is not None and self.until < self.since:
            return (_UNTIL,)
        return NO_FLAWS if self.capital >= 0 else (_CAPITAL,)

    def to_fact(self, head: FactHead) -> Business:
        """The role."""
        until = ordinal(self.until)
        return Business(*head, self.business, self.role, until, self.capital, self.share, self.standing)
