"""Payee feed 民政局: the account a person's help is paid into. The number itself never leaves the gateway."""

from typing import Annotated, ClassVar

from schemas.calendar import ordinal
from schemas.fact import Fact
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled
from schemas.scalars import Day, Opaque

_ORDER = Flaw("BAD_FIELD", "/data/until", "停用日期不得早于启用日期")


class Holder(Labelled):
    """In whose name the account stands."""

    SELF = "SELF", "本人"
    MEMBER = "MEMBER", "同户成员"
    AGENT = "AGENT", "代领人"
    INSTITUTION = "INSTITUTION", "供养或托养机构"


class Payee(Fact, array_like=True, frozen=True, gc=False, tag="payee"):
    """A person's help goes to an account from `day` until `until`. Key: (person, account, start)."""

    account: str
    holder: str
    until: int | None

    feed: ClassVar[str] = "civil.payee"
    paged: ClassVar[bool] = False
    ends: ClassVar[tuple[str, ...]] = ("until",)
    ended_in: ClassVar[str | None] = "until"


class CivilPayee(FeedModel, kind="civil.payee", version=1, title="救助金收款账户", fact=Payee, ahead_days=62):
    """Where help is paid 一人的一个收款账户; the account is a digest that only tells equal from different."""

    account: Annotated[
        Opaque,
        field(
            "收款账户",
            key=True,
            meaning="填账号，由网关换成摘要；账号本身不进入任何主题",
            example="k_00000000000000000000000000000a11",
        ),
    ]
    holder: Annotated[Holder, field("户名", meaning="账户在谁名下", example="SELF")]
    since: Annotated[Day, field("启用日期", key=True, example="2026-01-05")]
    until: Annotated[Day | None, field("停用日期", meaning="不再使用的第一天；仍在使用则不填")] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, account, start)."""
        return f"{origin.subject}|{self.account}|{self.since}"

    def day(self) -> int:
        """First day."""
        return self.since.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """It does not end before it begins."""
        return (_ORDER,) if self.until is not None and self.until < self.since else NO_FLAWS

    def to_fact(self, head: FactHead) -> Payee:
        """The account in use."""
        return Payee(*head, self.account, self.holder, ordinal(self.until))
