"""Feeds of those who help 镇街、社工站、各部门: visits of other systems, lists handed over, what referrals led to."""

from typing import Annotated

from schemas.facts_contact import Feedback, HappyList, VisitRecord
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Hardship, Labelled
from schemas.scalars import Count, Day, Fen, Key, Text

_REASON = Flaw("MISSING_FIELD", "/data/reason", "未受理的反馈须填原因")
_AMOUNT = Flaw("BAD_FIELD", "/data/amount", "帮扶金额不得为负数")


class VisitResult(Labelled):
    """How a visit went."""

    MET = "MET", "见到本人"
    RELATIVE = "RELATIVE", "见到家人"
    ABSENT = "ABSENT", "未遇"
    MOVED = "MOVED", "已搬离"
    DECLINED = "DECLINED", "婉拒探访"


class ReceivedBy(Labelled):
    """Who took a list."""

    SELF = "SELF", "本人"
    RELATIVE = "RELATIVE", "家人"
    ONLINE = "ONLINE", "线上签收"


class Outcome(Labelled):
    """What a department did about a referral."""

    ACCEPTED = "ACCEPTED", "已受理"
    DECLINED = "DECLINED", "未受理"
    ALREADY = "ALREADY", "已在享受"
    IN_SERVICE = "IN_SERVICE", "帮扶中"
    DONE = "DONE", "已办结"


class WhyNot(Labelled):
    """Why a department did not take a referral."""

    CONDITIONS = "CONDITIONS", "不符合条件"
    CAPACITY = "CAPACITY", "资源不足"
    PAPERS = "PAPERS", "材料不齐"
    UNWANTED = "UNWANTED", "家庭不需要"
    UNREACHABLE = "UNREACHABLE", "联系不上"
    OTHER = "OTHER", "其他"


class VisitRecordData(FeedModel, kind="visit.record", version=1, title="探访记录", fact=VisitRecord):
    """One visit checked in by another system 幸福码等系统的一次探访; place and photographs stay there."""

    system: Annotated[Key, field("来源系统", key=True, example="幸福码")]
    visit_no: Annotated[Key, field("探访编号", key=True, example="XF20260514-0041")]
    visited_on: Annotated[Day, field("探访日期", example="2026-05-14")]
    result: Annotated[VisitResult, field("探访结果", example="MET")]
    plan: Annotated[Key | None, field("探访计划编号", example="TF2026-05-03")] = None
    need: Annotated[Hardship | None, field("发现的主要需求", meaning="没有则不填", example="CARE")] = None

    def natural_key(self, origin: Origin) -> str:
        """(system, visit number)."""
        return f"{self.system}|{self.visit_no}"

    def day(self) -> int:
        """Day of the visit."""
        return self.visited_on.toordinal()

    def to_fact(self, head: FactHead) -> VisitRecord:
        """The visit."""
        return VisitRecord(*head, self.system, self.plan, self.result, self.need)


class HappyListDelivery(FeedModel, kind="happy_list.delivery", version=1, title="幸福清单送达", fact=HappyList):
    """One list handed over 一份清单的一次送达."""

    list_no: Annotated[Key, field("清单编号", key=True, example="QD2026-000731")]
    delivered_on: Annotated[Day, field("送达日期", example="2026-05-14")]
    items: Annotated[Count, field("已享项目数", unit="项", example=6)]
    pending: Annotated[Count, field("待享项目数", unit="项", example=1)]
    received_by: Annotated[ReceivedBy, field("签收人", example="SELF")]

    def natural_key(self, origin: Origin) -> str:
        """`list_no`."""
        return self.list_no

    def day(self) -> int:
        """Day of delivery."""
        return self.delivered_on.toordinal()

    def to_fact(self, head: FactHead) -> HappyList:
        """The delivery."""
        return HappyList(*head, self.items, self.pending, self.received_by)


class ReferralFeedback(FeedModel, kind="referral.feedback", version=1, title="转介反馈", fact=Feedback):
    """What came of one item of a referral 一次转介的一个项目; the newest record counts."""

    referral_no: Annotated[Key, field("转介编号", key=True, example="ZJ2026-001204")]
    item: Annotated[Key, field("帮扶项目", key=True, example="临时救助")]
    department: Annotated[Text, field("反馈单位", example="星河市医疗保障局")]
    answered_on: Annotated[Day, field("反馈日期", example="2026-05-22")]
    outcome: Annotated[Outcome, field("办理情况", example="DONE")]
    amount: Annotated[Fen | None, field("帮扶金额", meaning="资金类帮扶填写", example=200_000)] = None
    reason: Annotated[WhyNot | None, field("未受理原因", meaning="未受理时必填")] = None

    def natural_key(self, origin: Origin) -> str:
        """(referral number, item)."""
        return f"{self.referral_no}|{self.item}"

    def day(self) -> int:
        """Day of the answer."""
        return self.answered_on.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """Who declines says why; help is not negative."""
        if self.amount is not None and self.amount < 0:
            return (_AMOUNT,)
        return (_REASON,) if self.outcome == "DECLINED" and self.reason is None else NO_FLAWS

    def to_fact(self, head: FactHead) -> Feedback:
        """The answer."""
        return Feedback(*head, self.referral_no, self.item, self.department, self.outcome, self.amount, self.reason)
