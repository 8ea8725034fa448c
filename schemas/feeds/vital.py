"""Vital events 公安、卫健、殡葬: deaths."""

from typing import Annotated

from schemas.facts import Death
from schemas.feed import FactHead, FeedModel, Origin, field
from schemas.labels import ReportedBy
from schemas.scalars import Day, Sensitivity, Text


class VitalDeath(FeedModel, kind="vital.death", version=1, title="死亡登记", fact=Death):
    """One source's report of a death 一个来源的一次死亡登记; a wrong one is reversed."""

    reported_by: Annotated[ReportedBy, field("登记来源", key=True, example="cremation")]
    died_on: Annotated[Day, field("死亡日期", example="2026-05-02")]
    cert_no: Annotated[
        Text | None, field("死亡证明编号", sensitivity=Sensitivity.RESTRICTED, example="DC2026-00017")
    ] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, kind of source)."""
        return f"{origin.subject}|{self.reported_by}"

    def day(self) -> int:
        """Day of death."""
        return self.died_on.toordinal()

    def to_fact(self, head: FactHead) -> Death:
        """The report."""
        return Death(*head, self.reported_by)
