"""Dated parameters of case work: deadlines in working days, in natural hours for severity 4, and how alerts group."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from cases.grouping import Grouping
from cases.workdays import WorkCalendar
from schemas.alerts import Document
from schemas.calendar import SHANGHAI
from schemas.case_words import Lane, Step
from schemas.cases import Clock
from schemas.errors import DataError

DEFAULT_FILE = Path(__file__).with_name("deadlines.yaml")
Span = Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,3}[dh]$")]
Level = Literal[1, 2, 3, 4, "other"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Spans(_Strict):
    accept: Mapping[Level, Span] = {}
    verify: Mapping[Level, Span] = {}
    close: Mapping[Level, Span] = {}
    feedback: Mapping[Level, Span] = {}

    def find(self, step: Step, severity: int) -> str | None:
        spans: Mapping[Level, str] = getattr(self, step.value)
        return next((span for level, span in spans.items() if level == severity), spans.get("other"))


class Edition(_Spans):
    """The limits in force from one date on, with the document that sets them."""

    status: Literal["enacted", "pilot", "example"]
    document: dict[Literal["title", "number"], str | None]
    lanes: Mapping[Lane, _Spans] = {}
    contest_days: Annotated[int, Field(ge=0)]
    snooze_max_days: Annotated[int, Field(ge=1)]
    grouping: Grouping

    @model_validator(mode="after")
    def _complete(self) -> "Edition":
        for step in Step:
            for severity in (1, 2, 3, 4):
                if self.find(step, severity) is None:
                    raise ValueError(f"缺少时限：{step.label}，严重程度 {severity}")
        return self

    def span(self, step: Step, lane: Lane, severity: int) -> str:
        """The limit of a step, as `5d` or `24h`; the lane's own first."""
        own = self.lanes[lane].find(step, severity) if lane in self.lanes else None
        return own or self.find(step, severity) or "15d"

    @property
    def cited(self) -> Document:
        """The document as alerts cite one."""
        return Document(title=self.document.get("title") or "", number=self.document.get("number"), status=self.status)


class _Values(_Strict):
    label: str
    values: Mapping[date, Edition]


class _Calendar(_Strict):
    holidays: list[date] = []
    make_up_days: list[date] = []


class _File(_Strict):
    case_deadlines: _Values
    calendar: _Calendar = _Calendar()


@dataclass(frozen=True)
class Deadlines:
    """Clocks for cases; every answer depends on its arguments only."""

    editions: tuple[tuple[date, Edition], ...]
    calendar: WorkCalendar

    @classmethod
    def load(cls, path: Path = DEFAULT_FILE) -> "Deadlines":
        """Reads and checks the file. Raises DataError with file and place."""
        try:
            read = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError) as error:
            raise DataError(f"办理时限文件有误 {path}：{_where(error)}") from error
        if not read.case_deadlines.values:
            raise DataError(f"办理时限文件没有任何一版 {path}")
        calendar = WorkCalendar(frozenset(read.calendar.holidays), frozenset(read.calendar.make_up_days))
        return cls(tuple(sorted(read.case_deadlines.values.items())), calendar)

    def on(self, day: date) -> Edition:
        """The edition in force on a day (the oldest for days before it)."""
        return next((edition for since, edition in reversed(self.editions) if since <= day), self.editions[0][1])

    def clock(self, step: Step, lane: Lane, severity: int, at: datetime, referral: str | None = None) -> Clock:
        """The clock a step starts at a moment. A working-day limit ends with its last working day."""
        span = self.on(at.date()).span(step, lane, max(1, min(severity, 4)))
        natural, amount = span.endswith("h"), int(span[:-1])
        due = at + timedelta(hours=amount) if natural else self._end_of(self.calendar.after(at.date(), amount))
        return Clock(step=step, since=at, due=due, natural=natural, referral=referral)

    def paused(self, clock: Clock, at: datetime, until: date) -> Clock:
        """The clock after resting from `at` until the start of `until`: what was left then is left after it."""
        if clock.due <= at:
            return clock
        resumed = datetime.combine(until, time(), SHANGHAI)
        if clock.natural:
            return clock.model_copy(update={"due": clock.due + (resumed - at)})
        left = self.calendar.between(at.date(), last_day(clock))
        return clock.model_copy(update={"due": self._end_of(self.calendar.after(until, left))})

    def contestable(self, closed_at: datetime, at: datetime) -> bool:
        """Whether a closed case may still be contested."""
        return at.date() <= self.calendar.after(closed_at.date(), self.on(closed_at.date()).contest_days)

    @staticmethod
    def _end_of(day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


def last_day(clock: Clock) -> date:
    """The last day on which the step is in time."""
    return (clock.due - timedelta(milliseconds=1)).date()


@lru_cache(maxsize=1)
def default_deadlines() -> Deadlines:
    """The deadlines shipped with the product."""
    return Deadlines.load()


def _where(error: ValidationError | yaml.YAMLError) -> str:
    if isinstance(error, yaml.YAMLError):
        return str(error)
    return "；".join(f"{'.'.join(map(str, e['loc']))}：{e['msg']}" for e in error.errors(include_input=False))
