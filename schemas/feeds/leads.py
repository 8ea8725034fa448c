"""Leads 12345 热线、网格、浙里办: calls for help, need seen by somebody near, people who ask for themselves.

Categories only: the words people use name others, and a topic must name nobody.
"""

from typing import Annotated

from schemas.facts_contact import Lead, SelfReport, Ticket
from schemas.feed import FactHead, FeedModel, Origin, field
from schemas.labels import Hardship, Labelled
from schemas.scalars import Area, Day, Key


class About(Labelled):
    """Whom a call is about."""

    SELF = "SELF", "本人或家人"
    THIRD = "THIRD", "他人"


class FoundBy(Labelled):
    """Who saw the need."""

    GRID = "GRID", "网格员"
    VILLAGE = "VILLAGE", "村社协理员"
    SOCIAL_WORKER = "SOCIAL_WORKER", "社会工作者"
    TEACHER = "TEACHER", "教师"
    DOCTOR = "DOCTOR", "医务人员"


class Channel(Labelled):
    """How somebody asked."""

    APP = "APP", "浙里办"
    WINDOW = "WINDOW", "窗口"
    PHONE = "PHONE", "电话"
    VISIT = "VISIT", "走访时提出"


class HotlineTicket(FeedModel, kind="hotline.ticket", version=1, title="热线求助工单", fact=Ticket):
    """One call sorted as hardship 一张困难类工单; subject is the person in need."""

    ticket_no: Annotated[Key, field("工单编号", key=True, example="RX20260514-0903")]
    category: Annotated[Hardship, field("诉求类别", example="MEDICAL")]
    called_on: Annotated[Day, field("来电日期", example="2026-05-14")]
    area: Annotated[Area, field("诉求地", example="339901001000")]
    about: Annotated[About, field("为谁求助", example="SELF")]

    def natural_key(self, origin: Origin) -> str:
        """`ticket_no`."""
        return self.ticket_no

    def day(self) -> int:
        """Day of the call."""
        return self.called_on.toordinal()

    def to_fact(self, head: FactHead) -> Ticket:
        """The call."""
        return Ticket(*head, self.category, self.area, self.about)


class GridLead(FeedModel, kind="grid.lead", version=1, title="网格主动发现", fact=Lead):
    """Need seen by somebody near 一条主动发现线索."""

    lead_no: Annotated[Key, field("线索编号", key=True, example="WG202605-0217")]
    category: Annotated[Hardship, field("困难类别", example="CARE")]
    found_on: Annotated[Day, field("发现日期", example="2026-05-14")]
    area: Annotated[Area, field("发现地", example="339901001000")]
    found_by: Annotated[FoundBy, field("发现人", example="GRID")]

    def natural_key(self, origin: Origin) -> str:
        """`lead_no`."""
        return self.lead_no

    def day(self) -> int:
        """Day it was seen."""
        return self.found_on.toordinal()

    def to_fact(self, head: FactHead) -> Lead:
        """The lead."""
        return Lead(*head, self.category, self.area, self.found_by)


class SelfReportData(FeedModel, kind="self.report", version=1, title="本人求助", fact=SelfReport):
    """Somebody asks for help 一次本人求助."""

    report_no: Annotated[Key, field("求助编号", key=True, example="QZ202605-0088")]
    category: Annotated[Hardship, field("困难类别", example="LIVING")]
    reported_on: Annotated[Day, field("求助日期", example="2026-05-14")]
    area: Annotated[Area, field("求助地", example="339901001000")]
    channel: Annotated[Channel, field("求助渠道", example="APP")]

    def natural_key(self, origin: Origin) -> str:
        """`report_no`."""
        return self.report_no

    def day(self) -> int:
        """Day of the report."""
        return self.reported_on.toordinal()

    def to_fact(self, head: FactHead) -> SelfReport:
        """The report."""
        return SelfReport(*head, self.category, self.area, self.channel)
