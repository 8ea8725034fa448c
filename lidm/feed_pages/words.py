"""The sentences of the pages: what an example is about, how a message is mended."""

from collections.abc import Iterable
from typing import Final

EXAMPLES: Final = {
    "record": "登记",
    "correct": "更正",
    "reverse": "冲销",
    "array": "一条消息多个事件",
    "batch_end": "批次结束标记",
    "absent": "没有见到本人",
    "agrees": "核对一致",
    "back_paid": "补发",
    "borne_only": "只有个人负担总数",
    "by_count": "按数量筛查",
    "cancelled": "注销",
    "cross_place": "异地核查",
    "declined": "未予受理",
    "deferral": "缓缴",
    "disposed": "已处置",
    "ended": "已经终止",
    "injured": "有人受伤",
    "left": "离校",
    "member_leaves": "成员离开一户",
    "move": "迁移",
    "notice": "停供通知",
    "open": "尚未了结",
    "open_ended": "没有终止日期",
    "property": "财产损失",
    "recovered": "追回",
    "refund": "退费",
    "relief": "减免",
    "running_month": "未满一月的累计",
    "scrapped": "报废",
    "without_settle_no": "没有结算单号",
    "withdrawal": "提取",
    "withdrawn": "撤回",
    "year_sum": "全年合计",
}
"""Examples by the name of their file."""

MENDS: Final = {
    "NOT_JSON": "检查引号、逗号和括号；编码为 UTF-8；一条消息一个对象或一个数组",
    "NOT_ENVELOPE": "业务字段放进 data，外层写明 specversion、id、source、type 等属性",
    "BAD_FIELD": "改为约定的取值：代码、格式、长度和字段之间的关系见字段表",
    "UNKNOWN_FIELD": "删去约定之外的字段；可能是字段名拼错",
    "MISSING_FIELD": "补上缺少的字段；有的字段在别的字段取某值时才必填，见含义",
    "NO_KEY": "更正和冲销写明全部业务主键，与原记录一致",
    "FUTURE_DATE": "核对日期和时区；还没有发生的业务发生后再报",
    "PLAIN_IDENTITY": "人员只写假名；证件号码交给网关转换，或用密封主题。自编编号恰似证件号码时加横线或字母",
    "BAD_ENCODING": "原来的字已经找不回来：从源系统重新导出，按源系统的编码转换成 UTF-8",
    "WRONG_TYPE": "金额写整数分，数字不加引号，文字加引号",
    "SUM_MISMATCH": "核对各分项与总额，金额单位须一致；每项允许一分的进位差",
    "TOO_LARGE": "拆成几条消息发送",
    "BATCH_SHORT": "核对结束标记中本分区的行数，缺少的行补发后重发批次",
    "UNKNOWN_BATCH": "先在每个分区写批次开始标记，再写行，最后写结束标记",
    "BATCH_REUSED": "同一数据类、来源和所属期内每批换一个编号，整批重发",
    "ROUTING_LOOP": "由数据专员核对此人的户籍登记先后，与报送部门无关",
    "TOO_OLD": "核对年份",
    "AMOUNT_UNIT": "核对金额单位后整批重发；金额属实请告知数据专员放行",
}
"""How whoever writes messages mends a refusal, by code."""


_AT: Final = {
    ("MISSING_FIELD", "/recordedtime"): "更正和冲销写明记录时间，比原记录的晚",
    ("WRONG_TYPE", "/type"): "type 与主题一致：一个主题只收一类事件",
    ("FUTURE_DATE", "/data"): "核对业务日期；还没有发生的业务发生后再报",
}


def mend(code: str, pointer: str = "", codes: Iterable[str] = ()) -> str:
    """How to mend a refusal at a place, `codes` being what that field may hold. Raises KeyError without advice."""
    allowed = "、".join(codes)
    if code == "BAD_FIELD" and allowed:
        return f"写代码：{allowed}"
    return _AT.get((code, pointer)) or MENDS[code]
