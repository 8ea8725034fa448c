"""Alerts in the words officers read."""

from collections.abc import Sequence

from schemas.alerts import Alert, Missing
from schemas.labels import AlertStateLabel, FamilyLabel, Relation, yuan

_UNITS = {
    "months": "个月", "periods": "个账期", "deaths": "人", "percent": "%", "permille": "‰", "rows": "行", "days": "天",
    "level": "级", "people": "人", "notices": "份通知", "alarms": "次", "contacts": "次", "grants": "次",
    "households": "户", "parents": "人", "items": "项", "registrations": "处", "homes": "套", "closings": "期",
    "period_percent": "% 个报送周期", "dimensions": "个方面",
}  # fmt: skip
_SUBJECTS = {"HOUSEHOLD": "全户", "FEED": "数据"}
_STATUS = {"enacted": "现行", "pilot": "试点", "example": "示例"}
_MONEY_FEEDS = (
    "medical.settlement", "medical.reimbursement", "medical.year_total", "housing.", "finance.", "business.",
    "civil.benefit", "civil.temp_aid", "employment.contribution", "pension.", "tax.",
    "education.fee", "education.aid", "utility.bill", "emergency.",
)  # fmt: skip


def amount(value: int, unit: str) -> str:
    """A measure with its unit."""
    return yuan(value) if unit == "fen" else f"{value}{_UNITS.get(unit, unit)}"


def gap(missing: Missing) -> str:
    """A feed the answer could not rely on."""
    return f"{missing.feed}：{f'只到 {missing.last_covered}' if missing.last_covered else '没有数据'}"


def evidence_value(feed: str, value: int) -> str:
    """The value of an input: money where the feed speaks of money, or a registration of more than that it is there."""
    money = feed.startswith(_MONEY_FEEDS) or (feed == "civil.household" and value != 1)
    return yuan(value) if money else str(value)


def state(alert: Alert) -> str:
    """The state's label, with the mark of stock."""
    label = AlertStateLabel[alert.state].label
    return f"{label}（存量）" if alert.baseline else label


def subject(alert: Alert) -> str:
    """Whom it is about: a relation in the household, never a name; or a feed."""
    return _SUBJECTS.get(alert.subject) or Relation[alert.subject].label


def document(alert: Alert) -> str:
    """The document that sets the line."""
    set_by = alert.threshold.document
    number = f"（{set_by.number}）" if set_by.number else ""
    return f"《{set_by.title.strip('《》')}》{number} {_STATUS[set_by.status]}"


def line(alert: Alert) -> str:
    """One alert in one line."""
    return f"{alert.alert_id}  {alert.on}  {state(alert)}  {alert.severity}级  {alert.detector}  {alert.reason}"


def page(history: Sequence[Alert], cases: Sequence[str]) -> str:
    """All revisions of one alert, newest state first, and its cases."""
    now = history[-1]
    unit = "数据" if now.subject == "FEED" else "家庭"
    lines = [
        f"预警 {now.alert_id}",
        now.reason,
        f"{FamilyLabel[now.family].label}  {subject(now)}  {now.severity}级  {state(now)}  自 {now.since} 起",
        f"{unit} {now.household}  责任地区 {now.areas.responsible if now.areas else '不明'}",
        *(f"  第 {each.revision} 次  {each.on}  {state(each)}  {amount(each.measure, each.unit)}" for each in history),
        *(f"个案 {case}  lidm case show {case}" for case in cases),
        f"来龙去脉  lidm explain {now.alert_id}",
    ]
    return "\n".join(lines)
