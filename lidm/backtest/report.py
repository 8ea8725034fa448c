"""What a back-test says, ready to be shown: tables with names, small cells withheld where they are about a place. Pure.

`before` is as it was, `after` with the draft. None stands for a figure that is withheld.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from detectors.registry import Detector
from lidm.backtest import small_cells
from lidm.backtest.silenced import silenced
from lidm.backtest.spells import monday
from lidm.backtest.tally import ANY, Both, Cell, Count, Tally
from lidm.backtest.work import Answer
from policy.bundle import Bundle

LAWS = {"in-force": "现行口径", "counterfactual": "反事实口径"}
NOWHERE = "（未认定责任地区）"
_COUNTS = ("before", "gained", "lost", "longer", "shorter")


@dataclass(frozen=True)
class Line:
    """Households of one detector or one scheme."""

    code: str
    name: str
    before: int
    after: int
    gained: int
    lost: int
    longer: int
    shorter: int


@dataclass(frozen=True)
class AreaLine:
    """Households of one area. How many there are with the draft would give away what is withheld, and is left out."""

    code: str
    name: str
    households: int | None
    before: int | None
    gained: int | None
    lost: int | None
    longer: int | None
    shorter: int | None


@dataclass(frozen=True)
class Week:
    """Households to visit in a week that begins on a Monday."""

    begins: date
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Town:
    """Work of one area: what stood when the window began, what came week by week, and together."""

    code: str
    name: str
    stood_before: int | None
    stood_after: int | None
    before: int | None
    after: int | None
    weeks: tuple[Week, ...]


@dataclass(frozen=True)
class Report:
    """Everything there is to show. `compared`: the first day on which the two may differ; `reached`: the last day the
    log tells of; `notes`: sentences to read first."""

    law: str
    first: date
    last: date
    compared: date
    reached: date
    draft: str
    policies: tuple[tuple[date, str], ...]
    households: int
    total: Line
    detectors: tuple[Line, ...]
    schemes: tuple[Line, ...]
    areas: tuple[AreaLine, ...]
    weeks: tuple[Week, ...]
    towns: tuple[Town, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        said: dict[str, Any] = _plain(asdict(self))
        said["policies"] = [{"since": since.isoformat(), "policy": short} for since, short in self.policies]
        return said


def report(answer: Answer, detectors: Mapping[str, Detector]) -> Report:
    """The report of an answer; `detectors`: those that ran, by code."""
    asked, tally, span = answer.asked, answer.tally, answer.span
    newest = answer.policies[-1].bundle
    place, weeks = _places(asked.draft, newest), _weeks(span.first, answer.reached)
    cells = tally.by(_detector, _of_all)
    return Report(
        law=asked.law,
        first=asked.first,
        last=asked.last,
        compared=date.fromordinal(span.parts),
        reached=date.fromordinal(answer.reached),
        draft=asked.draft.short,
        policies=tuple((date.fromordinal(each.day), each.bundle.short) for each in answer.policies),
        households=sum(tally.households.values()),
        total=_line(ANY, "全部规则", cells.pop(ANY, Count())),
        detectors=_lines(cells, lambda code: detectors[code].label if code in detectors else code),
        schemes=_lines(tally.by(_scheme, _of_any), newest.schemes.label),
        areas=_areas(tally, place),
        weeks=tuple(_week(begins, _together(tally, begins)) for begins in weeks),
        towns=_towns(tally, place, weeks),
        notes=(*_notes(answer), *silenced(answer, detectors, place)),
    )


def _lines(counts: Mapping[str, Count], name: Callable[[str], str]) -> tuple[Line, ...]:
    made = [_line(code, name(code), count) for code, count in counts.items()]
    return tuple(sorted(made, key=lambda each: (-each.gained - each.lost, -each.before, each.code)))


def _line(code: str, name: str, count: Count) -> Line:
    return Line(code, name, **asdict(count))


def _areas(tally: Tally, place: Callable[[str], str]) -> tuple[AreaLine, ...]:
    counts = tally.by(_area, _of_any)
    codes = sorted({*counts, *tally.households})
    columns = {
        field: small_cells.column({code: getattr(counts.get(code, Count()), field) for code in codes})
        for field in _COUNTS
    }
    people = small_cells.column({code: tally.households[code] for code in codes})
    return tuple(
        AreaLine(code, place(code), people[code], **{field: shown[code] for field, shown in columns.items()})
        for code in codes
    )


def _towns(tally: Tally, place: Callable[[str], str], weeks: list[int]) -> tuple[Town, ...]:
    codes = sorted({*(area for area, _ in tally.work), *tally.standing})
    then = small_cells.grid({(code, week): _work(tally, code, week).before for code in codes for week in weeks})
    now = small_cells.grid({(code, week): _work(tally, code, week).after for code in codes for week in weeks})
    stood = small_cells.column({code: tally.standing.get(code, Both()).before for code in codes})
    stands = small_cells.column({code: tally.standing.get(code, Both()).after for code in codes})
    before = small_cells.column({code: sum(_work(tally, code, week).before for week in weeks) for code in codes})
    after = small_cells.column({code: sum(_work(tally, code, week).after for week in weeks) for code in codes})
    return tuple(
        Town(
            code, place(code), stood[code], stands[code], before[code], after[code],
            tuple(Week(date.fromordinal(week), then[code, week], now[code, week]) for week in weeks),
        )
        for code in codes
    )  # fmt: skip


def _work(tally: Tally, area: str, week: int) -> Both:
    return tally.work.get((area, week), Both())


def _together(tally: Tally, week: int) -> Both:
    whole = Both()
    for (_, each), both in tally.work.items():
        if each == week:
            whole.add(both)
    return whole


def _week(begins: int, both: Both) -> Week:
    return Week(date.fromordinal(begins), both.before, both.after)


def _weeks(first: int, last: int) -> list[int]:
    return list(range(monday(first), last + 1, 7))


def _notes(answer: Answer) -> Iterable[str]:
    asked, differs = answer.asked, answer.differs
    if differs is None:
        yield "草案与最近启用的参数没有不同"
    elif differs > asked.last:
        yield f"草案自 {differs} 起才与现行参数不同，在窗口之后；--law counterfactual 可看整个窗口都按草案会怎样"
    elif differs > asked.first:
        yield f"草案自 {differs} 起与现行参数不同，从这一天起比较"
    if answer.reached < answer.span.last:
        yield f"台账日志只到 {date.fromordinal(answer.reached)}，之后的日子没有比较"


def _places(*bundles: Bundle) -> Callable[[str], str]:
    def place(code: str) -> str:
        if not code:
            return NOWHERE
        known = next((each for each in bundles if code in each.areas), None)
        return known.areas.name(code) if known is not None else code

    return place


def _detector(cell: Cell) -> str:
    return cell.detector


def _scheme(cell: Cell) -> str:
    return cell.scheme


def _area(cell: Cell) -> str:
    return cell.area


def _of_any(cell: Cell) -> bool:
    return cell.detector == ANY


def _of_all(cell: Cell) -> bool:
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
