"""The measure against its line as one SVG: self-contained, readable in print, nothing in it but days and figures.

Only what the alerts themselves carry is drawn. Where the inputs add up to the measure: their running total. Where the
measure counts them: their running count. Else nothing in between is invented: what each revision measured, and where
there is only one, the measure as a bar up to the line or past it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import accumulate
from typing import Literal

from lidm.alert_text import amount
from schemas.alerts import Alert, Evidence

WIDTH, HEIGHT = 720, 280
LEFT, RIGHT, TOP, BOTTOM = 116, 20, 26, 36
_HEADROOM = 1.15
_LABELS_APART = 96
_APART = 28

_BAR_TOP, _BAR_HEIGHT = 96, 64

Shape = Literal["total", "count", "revisions", "level"]


@dataclass(frozen=True)
class Series:
    """Values by day, each holding until the next; `line`: what they are held against."""

    shape: Shape
    points: tuple[tuple[date, int], ...]
    line: int
    unit: str
    until: date

    @property
    def caption(self) -> str:
        """What is drawn, in words."""
        return {
            "total": "计入预警的各笔金额按日期累计，与预警线对照",
            "count": "计入预警的各项按日期累计，与预警线对照",
            "revisions": "各次修订的测得值，与预警线对照",
            "level": "测得值，与预警线对照",
        }[self.shape]


def series_of(alert: Alert, revisions: Sequence[Alert]) -> Series:
    """What there is to draw of an alert; `revisions`: all of it, oldest first."""
    shape, points = _points(alert, revisions)
    if len({alert.on, *(day for day, _ in points)}) == 1:
        shape, points = "level", ((alert.on, alert.measure),)
    return Series(shape, points, alert.threshold.value, alert.unit, alert.on)


def _points(alert: Alert, revisions: Sequence[Alert]) -> tuple[Shape, tuple[tuple[date, int], ...]]:
    inputs = sorted(alert.evidence, key=lambda each: each.day)
    if alert.unit == "fen" and inputs and sum(each.value for each in inputs) == alert.measure:
        return "total", _running(inputs, [each.value for each in inputs])
    counted = _counted(inputs, alert.measure)
    if alert.unit not in ("fen", "percent") and counted:
        return "count", _running(counted, [1] * len(counted))
    past = [each for each in revisions if each.revision < alert.revision]
    return "revisions", tuple((each.on, each.measure) for each in [*past, alert])


def svg(series: Series) -> str:
    """The drawing. Text stays text, so that it can be searched, enlarged and read aloud."""
    frame = _Frame.of(series)
    if series.shape == "level":
        drawn = _level(series)
    else:
        drawn = _axis(frame, series) + _area(frame, series) + _line(frame, series) + _dots(frame, series)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(series.caption)}">{drawn}</svg>'


@dataclass(frozen=True)
class _Frame:
    """Days and values to places on the paper."""

    first: date
    last: date
    top: float

    @classmethod
    def of(cls, series: Series) -> "_Frame":
        days = [day for day, _ in series.points] + [series.until]
        highest = max(series.line, *(value for _, value in series.points), 1)
        return cls(min(days), max(days), highest * _HEADROOM)

    def x(self, day: date) -> float:
        days = max(1, (self.last - self.first).days)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - self.first).days / days, 1)

    def y(self, value: int) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * max(0, value) / self.top, 1)


def _running(inputs: Sequence[Evidence], values: Sequence[int]) -> tuple[tuple[date, int], ...]:
    by_day: dict[date, int] = {}
    for each, value in zip(inputs, accumulate(values), strict=True):
        by_day[each.day] = value
    return tuple(by_day.items())


def _counted(inputs: Sequence[Evidence], measure: int) -> list[Evidence]:
    """The inputs of the one feed whose number is the measure."""
    for feed in dict.fromkeys(each.feed for each in inputs):
        own = [each for each in inputs if each.feed == feed]
        if len(own) == measure:
            return own
    return []


def _axis(frame: _Frame, series: Series) -> str:
    base = HEIGHT - BOTTOM
    marks = [f'<line class="axis" x1="{LEFT}" y1="{base}" x2="{WIDTH - RIGHT}" y2="{base}"/>']
    if frame.y(series.line) < base - _APART:
        marks.append(f'<text class="tick" x="{LEFT - 8}" y="{base + 4}" text-anchor="end">0</text>')
    shown = -1e9
    days = dict.fromkeys([*(day for day, _ in series.points), series.until])
    for day in sorted(days, key=lambda each: (each != series.until, each)):
        x = frame.x(day)
        if day != series.until and (x - shown < _LABELS_APART or frame.x(series.until) - x < _LABELS_APART):
            continue
        shown = shown if day == series.until else x
        anchor = "end" if day == series.until and day != frame.first else "start" if day == frame.first else "middle"
        marks.append(f'<text class="tick" x="{x}" y="{base + 20}" text-anchor="{anchor}">{day.isoformat()}</text>')
    return "".join(marks)


def _area(frame: _Frame, series: Series) -> str:
    first_day, first_value = series.points[0]
    path = [f"M{frame.x(first_day)},{frame.y(0)}", f"V{frame.y(first_value)}"]
    for day, value in series.points[1:]:
        path += [f"H{frame.x(day)}", f"V{frame.y(value)}"]
    path.append(f"H{frame.x(series.until)}")
    drawn = "".join(path)
    return f'<path class="fill" d="{drawn}V{frame.y(0)}Z"/><path class="total" d="{drawn}"/>'


def _line(frame: _Frame, series: Series) -> str:
    y, value = frame.y(series.line), escape(amount(series.line, series.unit))
    return (
        f'<line class="limit" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>'
        f'<text class="limit-text" x="{LEFT - 8}" y="{y - 4}" text-anchor="end">预警线'
        f'<tspan x="{LEFT - 8}" dy="16">{value}</tspan></text>'
    )


def _dots(frame: _Frame, series: Series) -> str:
    marks = []
    for day, value in series.points:
        told = escape(f"{day} {amount(value, series.unit)}")
        marks.append(
            f'<circle class="dot" cx="{frame.x(day)}" cy="{frame.y(value)}" r="3.5"><title>{told}</title></circle>'
        )
    value = series.points[-1][1]
    x, y = frame.x(series.until), frame.y(value)
    marks.append(
        f'<text class="end" x="{x}" y="{y - 10}" text-anchor="end">{escape(amount(value, series.unit))}</text>'
    )
    return "".join(marks)


def _level(series: Series) -> str:
    """One bar from nothing to the measure, and where the line stands in it."""
    value, line, wide = series.points[-1][1], series.line, WIDTH - LEFT - RIGHT
    most = max(value, line, 1) * _HEADROOM
    bar, mark = round(wide * max(0, value) / most, 1), round(LEFT + wide * line / most, 1)
    below = _BAR_TOP + _BAR_HEIGHT
    told, limit = escape(amount(value, series.unit)), escape(f"预警线 {amount(line, series.unit)}")
    anchor = "end" if mark > WIDTH / 2 else "start"
    return (
        f'<rect class="fill" x="{LEFT}" y="{_BAR_TOP}" width="{bar}" height="{_BAR_HEIGHT}"/>'
        f'<text class="end" x="{LEFT + 10}" y="{_BAR_TOP + _BAR_HEIGHT / 2 + 5}">测得 {told}</text>'
        f'<line class="limit" x1="{mark}" y1="{_BAR_TOP - 20}" x2="{mark}" y2="{below + 20}"/>'
        f'<text class="limit-text" x="{mark}" y="{_BAR_TOP - 28}" text-anchor="{anchor}">{limit}</text>'
        f'<line class="axis" x1="{LEFT}" y1="{_BAR_TOP - 20}" x2="{LEFT}" y2="{below + 20}"/>'
    )
