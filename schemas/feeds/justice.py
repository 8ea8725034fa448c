"""Justice feeds 司法局、公安局、法院: that somebody cannot care for others now; nothing about a case."""

from typing import Annotated

from schemas.calendar import ordinal
from schemas.facts_standing import Custody
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled
from schemas.scalars import Day, Sensitivity

_ENDS = Flaw("BAD_FIELD", "/data/until", "预计和实际终止日期不得早于起始日期")


class CustodyCategory(Labelled):
    """Category of the state; the only thing told of it."""

    DETAINED = "DETAINED", "羁押"
    PRISON = "PRISON", "服刑"
    REHAB = "REHAB", "强制隔离戒毒"
    MISSING = "MISSING", "宣告失踪或失联"
    REVOKED = "REVOKED", "撤销监护资格"
    OTHER = "OTHER", "其他限制人身自由"


class JusticeCustody(FeedModel, kind="justice.custody", version=1, title="无法履行监护的状态", fact=Custody):
    """A spell in such a state 一段状态; its end comes as a correction with `until`."""

    category: Annotated[
        CustodyCategory, field("状态类别", key=True, sensitivity=Sensitivity.RESTRICTED, example="PRISON")
    ]
    since: Annotated[Day, field("起始日期", key=True, sensitivity=Sensitivity.RESTRICTED, example="2026-02-03")]
    expected_to: Annotated[
        Day | None,
        field(
            "预计终止日期",
            sensitivity=Sensitivity.RESTRICTED,
            meaning="预计不再处于该状态的第一天",
            example="2027-08-03",
        ),
    ] = None
    until: Annotated[
        Day | None,
        field("实际终止日期", sensitivity=Sensitivity.RESTRICTED, meaning="不再处于该状态的第一天；仍在持续则不填"),
    ] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, category, start)."""
        return f"{origin.subject}|{self.category}|{self.since}"

    def day(self) -> int:
        """First day of the spell."""
        return self.since.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A spell ends after it begins."""
        return (
            (_ENDS,)
            if any(end is not None and end < self.since for end in (self.expected_to, self.until))
            else NO_FLAWS
        )

    def to_fact(self, head: FactHead) -> Custody:
        """Category and days."""
        return Custody(*head, self.category, ordinal(self.expected_to), ordinal(self.until))
