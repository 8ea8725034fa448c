"""Emergency feeds 应急管理局、消防救援: disasters and fires as they hit people."""

from typing import Annotated

from schemas.facts_contact import Incident
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Injury, Insured, Labelled
from schemas.scalars import Area, Day, Fen, Key, Sensitivity

_LOSS = Flaw("BAD_FIELD", "/data/loss", "损失金额不得为负数")


class IncidentSort(Labelled):
    """Sort of incident."""

    FIRE = "FIRE", "火灾"
    FLOOD = "FLOOD", "洪涝"
    TYPHOON = "TYPHOON", "台风"
    LANDSLIDE = "LANDSLIDE", "地质灾害"
    QUAKE = "QUAKE", "地震"
    EXPLOSION = "EXPLOSION", "爆炸"
    COLLAPSE = "COLLAPSE", "房屋倒塌"
    OTHER = "OTHER", "其他"


class Home(Labelled):
    """What an incident did to somebody's home."""

    INTACT = "INTACT", "未受损"
    DAMAGED = "DAMAGED", "受损可居住"
    UNFIT = "UNFIT", "受损不能居住"
    DESTROYED = "DESTROYED", "倒塌或烧毁"


class EmergencyIncident(FeedModel, kind="emergency.incident", version=1, title="灾害与火灾", fact=Incident):
    """What one incident did to one person 一次事件中的一人; the person is confirmed on the spot, not by address."""

    incident_no: Annotated[Key, field("事件编号", key=True, example="YJ202605-0019")]
    sort: Annotated[IncidentSort, field("事件类型", example="FIRE")]
    happened_on: Annotated[Day, field("发生日期", example="2026-05-13")]
    area: Annotated[Area, field("发生地", example="339901001000")]
    injury: Annotated[Injury, field("伤情", sensitivity=Sensitivity.RESTRICTED, example="NONE")]
    home: Annotated[Home, field("住房受损", example="UNFIT")]
    loss: Annotated[Fen | None, field("财产损失", meaning="估计值；不详则不填", example=4_500_000)] = None
    insured: Annotated[Insured, field("保险赔付", example="NONE")]

    def natural_key(self, origin: Origin) -> str:
        """(incident number, person)."""
        return f"{self.incident_no}|{origin.subject}"

    def day(self) -> int:
        """Day of the incident."""
        return self.happened_on.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A loss is not negative."""
        return (_LOSS,) if self.loss is not None and self.loss < 0 else NO_FLAWS

    def to_fact(self, head: FactHead) -> Incident:
        """The incident for this person."""
        return Incident(*head, self.sort, self.area, self.injury, self.home, self.loss, self.insured)
