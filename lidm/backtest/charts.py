"""A back-test's charts as SVG: self-contained, readable in print, their figures also in words. Nothing but counts."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Protocol

from lidm.backtest.report import Report, Town, Week
from lidm.backtest.words import figure

_INK, _SOFT, _AXIS = "#1c2733", "#5b6876", "#8894a1"
_BEFORE, _MORE, _LESS, _WITHHELD = "#9aa5b1", "#1f5fa8", "#9c2f1f", "#eef1f4"
_WIDE = 1000
_NAMES = 250
_ROW = 26
_SHADES = 5


class Differing(Protocol):
    """A rule with the households that differ."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def gained(self) -> int: ...
    @property
    def lost(self) -> int: ...


def differences(lines: Sequence[Differing]) -> str:
    """Bars of households gained (to the right) and lost (to the left), one row per rule."""
    most = max((max(each.gained, each.lost) for each in lines), default=0) or 1
    middle = _NAMES + (_WIDE - _NAMES) / 2
    room = (_WIDE - _NAMES) / 2 - 70
    drawn = [_text(middle - 8, 14, "减少", _LESS, "end"), _text(middle + 8, 14, "新增", _MORE)]
    for row, each in enumerate(lines):
        top = 24 + row * _ROW
        left, right = round(room * each.lost / most, 1), round(room * each.gained / most, 1)
        drawn += [
            _text(_NAMES - 10, top + 16, f"{each.code} {each.name}", _INK, "end"),
            _box(middle - left, top + 4, left, _ROW - 8, _LESS),
            _box(middle, top + 4, right, _ROW - 8, _MORE),
            _text(middle - left - 6, top + 16, figure(each.lost), _SOFT, "end") if each.lost else "",
            _text(middle + right + 6, top + 16, figure(each.gained), _SOFT) if each.gained else "",
        ]
    height = 24 + len(lines) * _ROW + 6
    drawn.append(_stroke(middle, 20, middle, height - 4))
    return _svg(height, "各规则新增和减少的户数", drawn)


def weekly(weeks: Sequence[Week], then: str = "当时的参数", now: str = "草案") -> str:
    """Households to visit week by week: as it was (called `then`) in grey, with the draft (`now`) in blue beside it."""
    height, left, base = 260, 60, 222
    most = max((max(each.before or 0, each.after or 0) for each in weeks), default=0) or 1
    step = (_WIDE - left) / max(1, len(weeks))
    wide = max(1.0, min(18.0, step * 0.4))
    drawn = [
        _box(left, 2, 12, 12, _BEFORE), _text(left + 18, 13, then, _SOFT),
        _box(left + 110, 2, 12, 12, _MORE), _text(left + 128, 13, now, _SOFT),
        _text(left - 8, 34, figure(most), _SOFT, "end"), _text(left - 8, base + 4, "0", _SOFT, "end"),
    ]  # fmt: skip
    for number, each in enumerate(weeks):
        at = left + step * (number + 0.5)
        told = f"{each.begins} 起一周：{then} {figure(each.before)} 户，{now} {figure(each.after)} 户"
        for place, count, colour in ((at - wide, each.before, _BEFORE), (at, each.after, _MORE)):
            tall = (base - 30) * (count or 0) / most
            drawn.append(_box(place, base - tall, wide, tall, colour, told))
    drawn += [_text(at, base + 22, day, _SOFT, "middle") for at, day in _dates(weeks, left, step)]
    drawn.append(_stroke(left, base, _WIDE, base))
    return _svg(height, "每周需要走访的户数", drawn)


def heat(said: Report) -> str:
    """Town by week: how many more (blue) or fewer (red) households to visit; withheld cells are grey."""
    towns, weeks = said.towns, said.weeks
    step = min(26.0, (_WIDE - _NAMES) / max(1, len(weeks)))
    most = max((abs(change) for town in towns for change in _changes(town) if change is not None), default=0) or 1
    drawn = [_text(at, 12, day, _SOFT, "middle") for at, day in _dates(weeks, _NAMES, step)]
    for row, town in enumerate(towns):
        top = 20 + row * _ROW
        drawn.append(_text(_NAMES - 10, top + 17, town.name, _INK, "end"))
        for number, (week, change) in enumerate(zip(town.weeks, _changes(town), strict=True)):
            told = f"{town.name} {week.begins} 起一周：当时 {figure(week.before)} 户，按草案 {figure(week.after)} 户"
            place = _NAMES + step * number
            drawn.append(_box(place, top + 2, step - 1, _ROW - 3, _shade(change, most), told))
    return _svg(20 + len(towns) * _ROW + 6, "各地每周走访户数的增减", drawn)


def _changes(town: Town) -> list[int | None]:
    return [
        None if week.before is None or week.after is None else week.after - week.before for week in town.weeks
    ]


def _shade(change: int | None, most: int) -> str:
    """White for no change; the further from it the stronger."""
    if change is None:
        return _WITHHELD
    if not change:
        return "#ffffff"
    share = max(1, round(_SHADES * abs(change) / most)) / _SHADES
    strong = _MORE if change > 0 else _LESS
    parts = (int(strong[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02x}" for part in parts)


def _dates(weeks: Sequence[Week], left: float, step: float) -> Iterable[tuple[float, str]]:
    """As many dates as have room."""
    every = max(1, round(90 / step))
    return [
        (left + step * (number + 0.5), each.begins.isoformat())
        for number, each in enumerate(weeks)
        if number % every == 0 and left + step * (number + 0.5) < _WIDE - 40
    ]


def _svg(height: float, label: str, drawn: Iterable[str]) -> str:
    return (
        f'<div class="wide"><svg viewBox="0 0 {_WIDE} {round(height)}" width="100%" role="img" '
        f'aria-label="{escape(label)}" font-size="13">{"".join(drawn)}</svg></div>'
    )


def _box(x: float, y: float, wide: float, tall: float, colour: str, told: str = "") -> str:
    inside = f"<title>{escape(told)}</title>" if told else ""
    place = f'x="{round(x, 1)}" y="{round(y, 1)}" width="{round(wide, 1)}" height="{round(tall, 1)}"'
    return f'<rect {place} fill="{colour}">{inside}</rect>'


def _text(x: float, y: float, said: str, colour: str, anchor: str = "start") -> str:
    place = f'x="{round(x, 1)}" y="{round(y, 1)}"'
    return f'<text {place} fill="{colour}" text-anchor="{anchor}">{escape(said)}</text>'


def _stroke(x1: float, y1: float, x2: float, y2: float) -> str:
    places = f'x1="{round(x1, 1)}" y1="{round(y1, 1)}" x2="{round(x2, 1)}" y2="{round(y2, 1)}"'
    return f'<line {places} stroke="{_AXIS}" stroke-width="1"/>'
