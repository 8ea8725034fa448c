"""Real estate feeds 自然资源和规划局: registrations of property."""

from typing import Annotated

from schemas.facts_standing import Property
from schemas.feed import FactHead, FeedModel, Origin, field
from schemas.labels import Labelled
from schemas.scalars import Count, Day, Key, Percent


class PropertyAction(Labelled):
    """What a registration did for the person it is about."""

    ACQUIRE = "ACQUIRE", "取得"
    DISPOSE = "DISPOSE", "转出"
    SHARE = "SHARE", "份额变更"
    CANCEL = "CANCEL", "注销"


class Right(Labelled):
    """Right that is registered."""

    OWNERSHIP = "OWNERSHIP", "所有权"
    HOMESTEAD = "HOMESTEAD", "宅基地使用权"
    RESIDENCE = "RESIDENCE", "居住权"


class PropertyUse(Labelled):
    """What a property is for."""

    HOME = "HOME", "住宅"
    RESETTLEMENT = "RESETTLEMENT", "安置房"
    SHOP = "SHOP", "商业"
    PARKING = "PARKING", "车位"
    OTHER = "OTHER", "其他"


class PropertyRegistration(FeedModel, kind="property.registration", version=1, title="不动产登记", fact=Property):
    """One registration for one person 一次登记中的一人; of shared property one record per holder."""

    registration_no: Annotated[Key, field("登记业务号", key=True, example="BDC202605-1406")]
    unit: Annotated[Key, field("不动产编号", meaning="单元号的摘要，不填坐落和原号", example="u_2c91b07e")]
    action: Annotated[PropertyAction, field("登记类型", example="ACQUIRE")]
    registered_on: Annotated[Day, field("登簿日期", example="2026-05-20")]
    right: Annotated[Right, field("权利类型", example="OWNERSHIP")]
    use: Annotated[PropertyUse, field("用途", example="HOME")]
    share: Annotated[
        Percent, field("登记后份额", unit="%", meaning="本次登记之后本人所占份额，全部转出填 0", example=50)
    ]
    area: Annotated[Count, field("建筑面积", unit="平方米", meaning="取整", example=78)]

    def natural_key(self, origin: Origin) -> str:
        """(registration number, person)."""
        return f"{self.registration_no}|{origin.subject}"

    def day(self) -> int:
        """Day of registration."""
        return self.registered_on.toordinal()

    def to_fact(self, head: FactHead) -> Property:
        """The registration."""
        return Property(*head, self.unit, self.action, self.right, self.use, self.share, self.area)
