"""Police feeds 公安局: what the register of residents records of families, vehicles, traffic accidents."""

from typing import Annotated

from schemas.facts_contact import Accident
from schemas.facts_standing import FamilyChange, Vehicle
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Injury, Insured, Labelled, Relation, YesNo
from schemas.scalars import Area, Day, Key, Person, Sensitivity

_RELATIVE = Flaw("MISSING_FIELD", "/data/relative", "相关人和与本人关系须同时填写")


class Change(Labelled):
    """What happened to a family."""

    BIRTH = "BIRTH", "出生"
    MARRIAGE = "MARRIAGE", "结婚"
    DIVORCE = "DIVORCE", "离婚"
    MOVE_IN = "MOVE_IN", "迁入"
    MOVE_OUT = "MOVE_OUT", "迁出"
    SPLIT = "SPLIT", "分户"
    MERGE = "MERGE", "并户"
    KINSHIP = "KINSHIP", "亲属关系登记"
    ID_CHANGE = "ID_CHANGE", "证件号码变更"


class VehicleAction(Labelled):
    """What a registration did for the person it is about."""

    NEW = "NEW", "新车注册"
    TRANSFER_IN = "TRANSFER_IN", "过户取得"
    TRANSFER_OUT = "TRANSFER_OUT", "过户转出"
    SCRAP = "SCRAP", "报废注销"


class VehicleSort(Labelled):
    """Sort of vehicle."""

    CAR = "CAR", "小型汽车"
    TRUCK = "TRUCK", "货车"
    BUS = "BUS", "客车"
    MOTORCYCLE = "MOTORCYCLE", "摩托车"
    TRICYCLE = "TRICYCLE", "三轮车"
    FARM = "FARM", "农用车辆"


class ValueBand(Labelled):
    """Band of a vehicle's value when it was registered."""

    UNDER_50K = "UNDER_50K", "5万元以下"
    TO_150K = "TO_150K", "5万元至15万元"
    OVER_150K = "OVER_150K", "15万元以上"
    UNKNOWN = "UNKNOWN", "不详"


class Liability(Labelled):
    """How much of an accident was the person's own doing."""

    NONE = "NONE", "无责任"
    PART = "PART", "次要责任"
    EQUAL = "EQUAL", "同等责任"
    MAIN = "MAIN", "主要责任"
    FULL = "FULL", "全部责任"
    UNKNOWN = "UNKNOWN", "尚未认定"


class HouseholdChange(FeedModel, kind="household.change", version=1, title="户籍与婚姻变动", fact=FamilyChange):
    """One change in the registers 一次变动, told of each person it is about; moves nobody between households."""

    register_no: Annotated[Key, field("登记业务号", key=True, example="HB20260506-0031")]
    change: Annotated[Change, field("变动类型", example="BIRTH")]
    changed_on: Annotated[Day, field("变动日期", example="2026-05-06")]
    relative: Annotated[
        Person | None, field("相关人", meaning="配偶、父母或子女的人员假名", example="p_" + "0" * 31 + "2")
    ] = None
    relation: Annotated[
        Relation | None, field("相关人与本人关系", meaning="相关人是本人的什么人", example="PARENT")
    ] = None
    from_area: Annotated[Area | None, field("迁出地", meaning="迁移、分户、并户时填写")] = None
    to_area: Annotated[Area | None, field("迁入地", meaning="迁移、分户、并户时填写")] = None

    def natural_key(self, origin: Origin) -> str:
        """(register number, person)."""
        return f"{self.register_no}|{origin.subject}"

    def day(self) -> int:
        """Day of the change."""
        return self.changed_on.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A relative has a relation, and the other way round."""
        return NO_FLAWS if (self.relative is None) == (self.relation is None) else (_RELATIVE,)

    def to_fact(self, head: FactHead) -> FamilyChange:
        """The change as registered."""
        return FamilyChange(*head, self.change, self.relative, self.relation, self.from_area, self.to_area)


class VehicleRegistration(FeedModel, kind="vehicle.registration", version=1, title="机动车登记", fact=Vehicle):
    """One registration 一次登记; of a sale one record for the seller and one for the buyer."""

    registration_no: Annotated[Key, field("登记流水号", key=True, example="CG202605-88120")]
    vehicle: Annotated[Key, field("车辆编号", meaning="车架号的摘要，不填号牌", example="v_7f3a90c1")]
    action: Annotated[VehicleAction, field("业务类型", example="TRANSFER_IN")]
    registered_on: Annotated[Day, field("登记日期", example="2026-05-18")]
    sort: Annotated[VehicleSort, field("车辆种类", example="CAR")]
    band: Annotated[ValueBand, field("价值区间", meaning="登记时的估值区间", example="UNDER_50K")]
    disabled_use: Annotated[YesNo, field("是否残疾人专用", example="no")]

    def natural_key(self, origin: Origin) -> str:
        """(registration number, person)."""
        return f"{self.registration_no}|{origin.subject}"

    def day(self) -> int:
        """Day of registration."""
        return self.registered_on.toordinal()

    def to_fact(self, head: FactHead) -> Vehicle:
        """The registration."""
        return Vehicle(*head, self.vehicle, self.action, self.sort, self.band, self.disabled_use == "yes")


class TrafficAccident(FeedModel, kind="traffic.accident", version=1, title="道路交通事故", fact=Accident):
    """What one accident did to one person 一次事故中的一人."""

    accident_no: Annotated[Key, field("事故编号", key=True, example="SG202605-0417")]
    happened_on: Annotated[Day, field("发生日期", example="2026-05-09")]
    injury: Annotated[Injury, field("伤情", sensitivity=Sensitivity.RESTRICTED, example="SERIOUS")]
    liability: Annotated[Liability, field("责任认定", sensitivity=Sensitivity.RESTRICTED, example="UNKNOWN")]
    insured: Annotated[Insured, field("保险赔付", example="PARTLY")]

    def natural_key(self, origin: Origin) -> str:
        """(accident number, person)."""
        return f"{self.accident_no}|{origin.subject}"

    def day(self) -> int:
        """Day of the accident."""
        return self.happened_on.toordinal()

    def to_fact(self, head: FactHead) -> Accident:
        """The accident for this person."""
        return Accident(*head, self.injury, self.liability, self.insured)
