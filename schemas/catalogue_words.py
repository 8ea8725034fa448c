"""A catalogue entry in the words people read: how often, by when, about whom, how closely kept."""

from typing import Final

from schemas.fact import Fact
from schemas.topics import Cadence, Entry, Watch

EVERY: Final = {"day": "每日", "week": "每周", "month": "每月"}
KINDS: Final = {
    "fen": "金额（分）", "date": "日期", "time": "时间", "month": "月份", "year": "年份", "key": "编号", "text": "文字",
    "area": "区划代码", "scheme": "类别代码", "person": "人员假名", "household": "户假名", "count": "整数",
    "opaque": "号码摘要",     "code": "代码", "part": "一组字段", "parts": "多组字段",
}  # fmt: skip
LEVELS: Final = {"internal": "内部", "personal": "个人信息", "restricted": "敏感个人信息"}
_WATCHED: Final = {
    "registered": "在册低收入人口；其余人员的数据只计数，不留存",
    "over_line": "在册低收入人口及达到约定线的人员；其余只计数，不留存",
    "all": "约定范围内全部人员",
}


def cadence_text(cadence: Cadence) -> str:
    """How often a feed speaks and by when a month is complete: 每月，次月 10 日前报齐上月."""
    who = "各单位分别" if cadence.several else ""
    due = "随发生随报" if cadence.closes is None else f"次月 {cadence.by_day} 日前{who}报齐上月"
    return f"{EVERY[cadence.every]}，{due}"


def watched_text(scope: Watch) -> str:
    """Whose facts are kept, with the line that a department or the gateway picks by."""
    return _WATCHED[scope.watch] + (f"（{scope.line}）" if scope.line else "")


def missing_text(fact: type[Fact], hold_above: int | None) -> str:
    """What becomes of what was there and is not in a full snapshot, and from how much on somebody looks first."""
    if not fact.snapshots:
        return "不收全量快照"
    said = "全量快照里没有的，自所属月首日起终止" if fact.ended_in else "全量快照里没有的，视为冲销"
    held = f"；缺的超过原有的 {hold_above / 10:g}% 先等人确认（整期替换同）" if hold_above is not None else ""
    return said + held


def kept_text(entry: Entry) -> str:
    """How long the topic keeps a message."""
    if entry.cleanup == "compact":
        return "每个键只留最新一条"
    return f"保留 {entry.retention_days} 日" if entry.retention_days else "永久保留"
