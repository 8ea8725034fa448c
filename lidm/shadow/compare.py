"""How a shadow run differs from what is said live: households by rule, severity, line and place, and the work. Pure.

`before` is what is said live, `after` what the run says. None stands for a figure that is withheld.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

from lidm.alert_text import amount
from lidm.backtest import small_cells
from lidm.backtest.report import Week
from lidm.backtest.spells import monday
from lidm.shadow.runs import ShadowRun
from sinks.shadows import Stand

Change = Literal["gained", "lost", "same"]


@dataclass(frozen=True)
class Side:
    """What one side says. `rule`: what a rule is called in the report, whatever it is called there."""

    stands: Sequence[Stand]
    rule: Callable[[str], str]

    def standing(self) -> dict[tuple[str, str], Stand]:
        """By household and rule, the worst alert in force."""
        found: dict[tuple[str, str], Stand] = {}
        for each in self.stands:
            at = (each.household, self.rule(each.detector))
            if each.standing and (at not in found or each.severity > found[at].severity):
                found[at] = each
        return found


@dataclass(frozen=True)
class Line:
    """Households of one rule, or of all (`code` ""). `worse`, `milder`: said by both, at another severity."""

    code: str
    name: str
    before: int
    after: int
    gained: int
    lost: int
    same: int
    worse: int
    milder: int


@dataclass(frozen=True)
class Level:
    """Households by the severity of their worst alert: of a gained one in the run, of a lost one live."""

    severity: int
    before: int
    after: int
    gained: int
    lost: int


@dataclass(frozen=True)
class Reason:
    """The line behind a difference, with its document, and of how many households."""

    rule: str
    change: Change
    line: str
    document: str
    households: int


@dataclass(frozen=True)
class AreaLine:
    """Households of one area. How many the run has, or both have, would give away what is withheld, and is left out.

    `new_before`, `new_after`: something new was found of them after the first day, once a week.
    """

    code: str
    name: str
    before: int | None
    gained: int | None
    lost: int | None
    new_before: int | None
    new_after: int | None


@dataclass(frozen=True)
class Named:
    """One household's difference under one rule, with the sentence that says it."""

    household: str
    rule: str
    change: Change
    severity: int
    area: str
    since: date
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Everything there is to show. `weeks`: households of which something new was found after the first day."""

    run: ShadowRun
    until: date
    total: Line
    rules: tuple[Line, ...]
    levels: tuple[Level, ...]
    reasons: tuple[Reason, ...]
    areas: tuple[AreaLine, ...]
    weeks: tuple[Week, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        said = asdict(self) | {"run": self.run.as_json(), "until": self.until.isoformat()}
        said["weeks"] = [{**asdict(each), "begins": each.begins.isoformat()} for each in self.weeks]
        return {name: list(each) if isinstance(each, tuple) else each for name, each in said.items()}


def compare(
    run: ShadowRun,
    until: date,
    live: Side,
    shadow: Side,
    labels: Mapping[str, str],
    place: Callable[[str], str],
    notes: Iterable[str] = (),
) -> tuple[Comparison, list[Named]]:
    """The comparison, and the households behind it. `labels`: of the rules; `place`: what an area is called."""
    before, after = live.standing(), shadow.standing()
    whole = _worst(before), _worst(after)
    lines = [_line(code, labels.get(code, code), _of(before, code), _of(after, code)) for code in sorted(labels)]
    weekly, areal = _work(run, until, live.stands, shadow.stands)
    told = Comparison(
        run=run,
        until=until,
        total=_line("", "全部规则", *whole),
        rules=tuple(sorted(lines, key=lambda each: (-each.gained - each.lost, -each.before, each.code))),
        levels=tuple(_level(severity, *whole) for severity in (4, 3, 2, 1)),
        reasons=tuple(_reasons(before, after)),
        areas=_areas(*whole, areal, place),
        weeks=weekly,
        notes=tuple(notes),
    )
    return told, sorted(_named(before, after), key=lambda each: (each.rule, each.change, each.household))


def _of(found: Mapping[tuple[str, str], Stand], rule: str) -> dict[str, Stand]:
    return {household: each for (household, code), each in found.items() if code == rule}


def _worst(found: Mapping[tuple[str, str], Stand]) -> dict[str, Stand]:
    worst: dict[str, Stand] = {}
    for (household, _), each in sorted(found.items()):
        if household not in worst or each.severity > worst[household].severity:
            worst[household] = each
    return worst


def _line(code: str, name: str, before: Mapping[str, Stand], after: Mapping[str, Stand]) -> Line:
    both = before.keys() & after.keys()
    steps = [after[each].severity - before[each].severity for each in both]
    return Line(
        code, name, len(before), len(after), len(after.keys() - both), len(before.keys() - both), len(both),
        sum(step > 0 for step in steps), sum(step < 0 for step in steps),
    )  # fmt: skip


def _level(severity: int, before: Mapping[str, Stand], after: Mapping[str, Stand]) -> Level:
    then, now = ({name for name, each in side.items() if each.severity == severity} for side in (before, after))
    return Level(severity, len(then), len(now), len(now - before.keys()), len(then - after.keys()))


def _reasons(before: Mapping[tuple[str, str], Stand], after: Mapping[tuple[str, str], Stand]) -> list[Reason]:
    found: Counter[tuple[str, Change, str, str]] = Counter()
    changes: tuple[tuple[Change, Mapping[tuple[str, str], Stand], Iterable[tuple[str, str]]], ...] = (
        ("gained", after, after.keys() - before.keys()),
        ("lost", before, before.keys() - after.keys()),
    )
    for change, side, which in changes:
        for at in which:
            found[at[1], change, amount(side[at].line, side[at].unit), side[at].document] += 1
    return [Reason(*key, count) for key, count in sorted(found.items(), key=lambda each: (-each[1], each[0]))]


def _named(before: Mapping[tuple[str, str], Stand], after: Mapping[tuple[str, str], Stand]) -> Iterable[Named]:
    for household, rule in before.keys() | after.keys():
        then, now = before.get((household, rule)), after.get((household, rule))
        change: Change = "same" if then and now else "gained" if now else "lost"
        said = now or then
        if said is not None:
            yield Named(household, rule, change, said.severity, said.area, said.first, said.reason)


def _work(
    run: ShadowRun, until: date, live: Sequence[Stand], shadow: Sequence[Stand]
) -> tuple[tuple[Week, ...], dict[str, list[int]]]:
    """Households of which something was first said after the first day: by week, and by area over all weeks."""
    begun = run.since.date()
    weeks: dict[int, list[set[str]]] = {}
    for week in range(monday(begun.toordinal()), until.toordinal() + 1, 7):
        weeks[week] = [set(), set()]
    places: defaultdict[str, list[set[tuple[str, int]]]] = defaultdict(lambda: [set(), set()])
    for side, stands in enumerate((live, shadow)):
        for each in stands:
            if begun < each.first <= until:
                week = monday(each.first.toordinal())
                weeks[week][side].add(each.household)
                places[each.area][side].add((each.household, week))
    found = tuple(Week(date.fromordinal(week), len(then), len(now)) for week, (then, now) in weeks.items())
    return found, {area: [len(then), len(now)] for area, (then, now) in places.items()}


def _areas(
    before: Mapping[str, Stand],
    after: Mapping[str, Stand],
    work: Mapping[str, list[int]],
    place: Callable[[str], str],
) -> tuple[AreaLine, ...]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for household in before.keys() | after.keys():
        then, now = before.get(household), after.get(household)
        area = (now or then or before[household]).area
        counts[area]["before"] += then is not None
        if then is None or now is None:
            counts[area]["gained" if then is None else "lost"] += 1
    for area, (then_new, now_new) in work.items():
        counts[area] += Counter(new_before=then_new, new_after=now_new)
    codes = sorted(counts)
    fields = ("before", "gained", "lost", "new_before", "new_after")
    columns = {name: small_cells.column({code: counts[code][name] for code in codes}) for name in fields}
    return tuple(AreaLine(code, place(code), **{name: columns[name][code] for name in fields}) for code in codes)


def estimate(weeks: Sequence[Week]) -> tuple[float, float] | None:
    """New households a week, live and in the run, over the whole weeks; None before there was one."""
    whole = weeks[1:-1]
    if not whole:
        return None
    return sum(each.before or 0 for each in whole) / len(whole), sum(each.after or 0 for each in whole) / len(whole)
