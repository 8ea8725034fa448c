"""Safety feeds of existing systems 安居守护等: alarms about people living alone, taken over as facts."""

from typing import Annotated

from schemas.facts_contact import SafetyAlarm
from schemas.feed import FactHead, FeedModel, Origin, field
from schemas.labels import Labelled
from schemas.scalars import Day, Key


class Alarm(Labelled):
    """What another system noticed."""

    SILENCE = "SILENCE", "长时间无活动"
    NO_ANSWER = "NO_ANSWER", "主动呼叫无应答"
    FALL = "FALL", "跌倒"
    SOS = "SOS", "主动呼救"
    SMOKE = "SMOKE", "烟感报警"
    GAS = "GAS", "燃气报警"
    OFFLINE = "OFFLINE", "设备离线"


class AlarmOutcome(Labelled):
    """How it ended, as far as the other system knows."""

    OPEN = "OPEN", "处置中"
    SAFE = "SAFE", "确认平安"
    RESCUED = "RESCUED", "已救助"
    HOSPITAL = "HOSPITAL", "送医"
    AWAY = "AWAY", "外出或住院"
    DEVICE = "DEVICE", "设备原因"


class SafetyIncident(FeedModel, kind="safety.incident", version=1, title="居家安全报警", fact=SafetyAlarm):
    """One alarm of another system 一次报警; its outcome comes as a correction."""

    system: Annotated[Key, field("来源系统", key=True, example="安居守护")]
    alarm_no: Annotated[Key, field("报警编号", key=True, example="AJ20260514-00318")]
    alarm: Annotated[Alarm, field("报警类型", example="NO_ANSWER")]
    raised_on: Annotated[Day, field("报警日期", example="2026-05-14")]
    outcome: Annotated[AlarmOutcome, field("处置结果", example="SAFE")]

    def natural_key(self, origin: Origin) -> str:
        """(system, alarm number)."""
        return f"{self.system}|{self.alarm_no}"

    def day(self) -> int:
        """Day of the alarm."""
        return self.raised_on.toordinal()

    def to_fact(self, head: FactHead) -> SafetyAlarm:
        """The alarm."""
        return SafetyAlarm(*head, self.system, self.alarm, self.outcome)
