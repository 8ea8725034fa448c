"""Closed words that several parts use, with their official Chinese labels. A word of one feed stands in its file."""

from enum import StrEnum
from typing import Self

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Labelled(StrEnum):
    """A code that stands on the wire and the Chinese label people read."""

    label: str

    def __new__(cls, value: str, label: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shown = handler(schema)
        handler.resolve_ref_schema(shown)["x-labels"] = {member.value: member.label for member in cls}
        return shown

    @classmethod
    def of_label(cls, label: str) -> Self | None:
        """The code of an official label, None when there is none."""
        return next((member for member in cls if member.label == label), None)


class YesNo(Labelled):
    """An answer that must be given."""

    yes = "yes", "是"
    no = "no", "否"


class Operation(Labelled):
    """What an event does to its fact."""

    record = "record", "登记"
    correct = "correct", "更正"
    reverse = "reverse", "冲销"


class Relation(Labelled):
    """Relation of a member to the head of household."""

    HEAD = "HEAD", "户主"
    SPOUSE = "SPOUSE", "配偶"
    CHILD = "CHILD", "子女"
    PARENT = "PARENT", "父母"
    GRANDCHILD = "GRANDCHILD", "孙子女"
    GRANDPARENT = "GRANDPARENT", "祖父母"
    SIBLING = "SIBLING", "兄弟姐妹"
    OTHER = "OTHER", "其他"


class Sex(Labelled):
    """Sex as the register has it; no rule may look at it, only the fairness report does."""

    F = "F", "女"
    M = "M", "男"


class Visit(Labelled):
    """Kind of medical visit."""

    OUTPATIENT = "OUTPATIENT", "门诊"
    CHRONIC_OUTPATIENT = "CHRONIC_OUTPATIENT", "门诊慢特病"
    INPATIENT = "INPATIENT", "住院"
    PHARMACY = "PHARMACY", "药店"


class EmploymentKind(Labelled):
    """A spell in somebody's working life that explains a missing or present contribution."""

    UNEMPLOYED = "UNEMPLOYED", "登记失业"
    RETIRED = "RETIRED", "退休"
    FLEXIBLE = "FLEXIBLE", "灵活就业"
    MATERNITY = "MATERNITY", "生育津贴期"
    MILITARY = "MILITARY", "服兵役"
    PLACED = "PLACED", "公益性岗位安置"


class RentItem(Labelled):
    """What a record of public rental says about a billing period."""

    bill = "bill", "应缴"
    relief = "relief", "减免"
    deferral = "deferral", "缓缴"


class ReportedBy(Labelled):
    """Kind of source that reports a death."""

    police = "police", "公安户籍注销"
    health = "health", "卫健死亡证明"
    cremation = "cremation", "殡葬火化"
    civil = "civil", "民政走访登记"


class Hardship(Labelled):
    """What somebody needs, as those who hear or see it first sort it."""

    LIVING = "LIVING", "基本生活"
    MEDICAL = "MEDICAL", "看病就医"
    HOUSING = "HOUSING", "住房"
    SCHOOLING = "SCHOOLING", "就学"
    WORK = "WORK", "就业"
    CARE = "CARE", "照料护理"
    DISASTER = "DISASTER", "突发急难"
    OTHER = "OTHER", "其他"


class Injury(Labelled):
    """What an incident did to a person."""

    NONE = "NONE", "未受伤"
    MINOR = "MINOR", "轻伤"
    SERIOUS = "SERIOUS", "重伤"
    DEAD = "DEAD", "死亡"


class Insured(Labelled):
    """Whether a loss is insured."""

    NONE = "NONE", "无保险"
    PARTLY = "PARTLY", "部分赔付"
    FULLY = "FULLY", "足额赔付"
    UNKNOWN = "UNKNOWN", "不详"


class BatchMode(Labelled):
    """What a closed batch says about rows it does not hold."""

    delta = "delta", "增量"
    replace_period = "replace_period", "整期替换"
    full_snapshot = "full_snapshot", "全量快照"


class HoldState(Labelled):
    """What becomes of a batch from which too much is missing."""

    held = "held", "待确认"
    released = "released", "已放行"
    refused = "refused", "已拒绝"
    superseded = "superseded", "已被新批次取代"


class FamilyLabel(Labelled):
    """Family of a detector."""

    risk = "risk", "风险预警"
    entitlement = "entitlement", "政策找人"
    review = "review", "资格复核"
    quality = "quality", "数据质量"


class AlertStateLabel(Labelled):
    """State of an alert."""

    raised = "raised", "新发"
    updated = "updated", "更新"
    moved = "moved", "随人迁移"
    withdrawn = "withdrawn", "撤回"
    lapsed = "lapsed", "自然消除"


class ProblemCode(Labelled):
    """Why an input cannot be accepted; the label is the sentence of the dead letter when nothing better is known."""

    NOT_JSON = "NOT_JSON", "内容不是有效的 JSON（须为 UTF-8 编码）"
    NOT_ENVELOPE = "NOT_ENVELOPE", "不是 CloudEvents 1.0 消息"
    BAD_FIELD = "BAD_FIELD", "字段取值不符合约定"
    UNKNOWN_FIELD = "UNKNOWN_FIELD", "含有约定之外的字段"
    MISSING_FIELD = "MISSING_FIELD", "缺少必填字段"
    NO_KEY = "NO_KEY", "更正或冲销缺少业务主键"
    FUTURE_DATE = "FUTURE_DATE", "时间在未来"
    PLAIN_IDENTITY = "PLAIN_IDENTITY", "出现明文证件号码"
    BAD_ENCODING = "BAD_ENCODING", "含有转换编码时已经丢失的字符"
    WRONG_TYPE = "WRONG_TYPE", "类型不符合约定"
    SUM_MISMATCH = "SUM_MISMATCH", "分项之和与总额不符"
    TOO_LARGE = "TOO_LARGE", "消息超过 900000 字节"
    BATCH_SHORT = "BATCH_SHORT", "批次行数与声明不符"
    UNKNOWN_BATCH = "UNKNOWN_BATCH", "批次结束标记没有对应的开始标记"
    BATCH_REUSED = "BATCH_REUSED", "批次编号已经用过，内容不同"
    ROUTING_LOOP = "ROUTING_LOOP", "转递次数超过上限"
    TOO_OLD = "TOO_OLD", "早于可处理的最早日期"
    AMOUNT_UNIT = "AMOUNT_UNIT", "金额与本类数据平常水平相差约万倍，疑为单位（元、万元、分）有误，暂存待核"


# National schemes; places add their own in the policy catalogue, so the wire takes any code of this shape.
SCHEMES: dict[str, str] = {
    "DIBAO": "低保",
    "TEKUN": "特困",
    "DIBIAN": "低保边缘家庭成员",
    "GANGXING": "刚性支出困难家庭成员",
    "FANGPIN": "防止返贫监测对象",
    "OTHER": "其他困难人员",
}


def yuan(fen: int) -> str:
    """Money as people write it: 520000 -> `5,200元`, 520050 -> `5,200.50元`."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    whole, rest = divmod(fen, 100)
    return f"{sign}{whole:,}.{rest:02d}元" if rest else f"{sign}{whole:,}元"
