"""Runs case files: the same runner serves pytest and `lidm detectors test PATH`. A result is a list of differences.

Besides what a case expects, every case must keep two laws: a breach found today is also found on its own `since`
with the same facts (that is how `withdrawn` differs from `lapsed`), and nothing changes before `recheck_on` or the next
day on which something in the ledger begins or ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from detectors.casefacts import HOUSEHOLD_ID, bodies, members
from detectors.casefeeds import declaration, feed_bodies, unit
from detectors.casefile import Case, Expected, person_of, read_cases
from detectors.episodes import step
from detectors.findings import Breach, Findings
from detectors.registry import Detector, load_detectors
from households.coverage import Coverage
from households.horizon import next_change
from households.ledger import Household
from policy.bundle import Bundle
from policy.marked import Marked
from schemas.records import BatchPartBody, FactBody

POLICY = Path(__file__).parents[1] / "policy"
_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_LOOK_AHEAD = 800
_NAMES = "甲乙丙丁戊己庚辛"


class CaseResult(NamedTuple):
    """A case, where it is written, and what differs; no difference means it holds."""

    case: str
    place: str
    silent: bool
    problems: tuple[str, ...]


class _Late(NamedTuple):
    """A cadence that makes a feed without closed months stale."""

    closes: str | None = "month"
    several: bool = False
    by_day: int = 5


@dataclass
class _Table:
    """A household laid out for one case."""

    case: Case
    detector: Detector
    bundle: Bundle
    household: Household

    def evaluate(self, on: date) -> Findings:
        """The detector on a day."""
        return self.detector.evaluate(self.household, on, self.bundle.on(on))

    def settle(self, on: date) -> Findings:
        """Evaluate and bring the episodes in line, as the monitor does."""
        findings = self.evaluate(on)
        known_at = (on.toordinal() - _EPOCH) * _DAY_MS
        step(
            self.household,
            self.detector,
            findings,
            on=on,
            policy=self.bundle.on(on),
            live=True,
            known_at=known_at,
            evaluate_at=self.evaluate,
        )
        return findings

    def fold(self, facts: Iterable[FactBody]) -> None:
        """Facts arrive."""
        for body in facts:
            self.household.fold(body)


def detector_of(path: Path) -> Detector:
    """The detector a case file belongs to: the one whose module has the same name. Raises LookupError."""
    name = path.name.removesuffix(".cases.yaml")
    for each in load_detectors().values():
        if each.rule == name:
            return each
    raise LookupError(f"没有名为{name}的规则")


def case_files(folder: Path) -> list[Path]:
    """Every case file below a folder, or the file itself."""
    return [folder] if folder.is_file() else sorted(folder.rglob("*.cases.yaml"))


def run_file(path: Path, policy: Path = POLICY) -> list[CaseResult]:
    """Every case of a file against the policy of a folder."""
    detector = detector_of(path)
    return [run(case, detector, _bundle(policy)) for case in read_cases(path)]


def run(case: Case, detector: Detector, bundle: Bundle) -> CaseResult:
    """Lay the household out, let the facts arrive as written, and compare."""
    if case.policy:
        area = bundle.on(case.on).rule(detector.rule, _area(case)).area
        bundle = bundle.narrowed(area, detector.rule, case.policy)
    laid = unit(case) if case.about_feed else HOUSEHOLD_ID
    table = _Table(case, detector, bundle, Household(laid, coverage=_coverage(case, ())))
    table.fold([declaration(case)] if case.about_feed else members(case))
    table.fold(_facts(case, case.facts, 1))
    if case.settled_on is not None:
        table.settle(case.settled_on)
    table.fold(_facts(case, case.later, 1000))
    table.household.coverage = _coverage(case, case.stale)
    findings = table.settle(case.on)
    problems = [*_differences(case, table, findings), *_laws(table, findings)]
    place = f"{case.file}:{case.line}"
    return CaseResult(case.name, place, case.expect.silent, tuple(map(_named, problems)))


@cache
def _bundle(policy: Path) -> Bundle:
    return Bundle.load(policy)


def _facts(case: Case, places: tuple[Marked, ...], start: int) -> list[FactBody]:
    return feed_bodies(case, places, start) if case.about_feed else bodies(places, start, _area(case))


def _area(case: Case) -> str:
    return case.household.mapping()["area"].text()


def _coverage(case: Case, stale: tuple[str, ...]) -> Coverage:
    coverage = Coverage({feed: _Late() for feed in stale})
    for feed, months in case.closed.items():
        for month in months:
            coverage.add_part(BatchPartBody(feed, month, 0, 1, month, (), "delta", 0, 0))
    return coverage


def _differences(case: Case, table: _Table, findings: Findings) -> list[str]:
    found: dict[str, set[str]] = {"in force": set(), "withdrawn": set(), "lapsed": set()}
    for episode in table.household.head.episodes:
        found[episode.ended or "in force"].add(episode.cause)
    expect = case.expect
    problems = [
        problem
        for word, causes, expected in (
            ("仍在的预警", found["in force"], expect.breach),
            ("撤回的预警", found["withdrawn"] - found["in force"], expect.withdrawn),
            ("自然消失的预警", found["lapsed"] - found["in force"], expect.lapsed),
            ("不能依据的数据", {each.feed for each in findings.insufficient}, expect.insufficient),
        )
        for problem in _compare(word, causes, {_cause(each) for each in expected})
    ]
    by_cause = {each.cause: each for each in findings.breaches}
    for name, wanted in expect.breach.items():
        breach = by_cause.get(_cause(name))
        if breach is not None:
            problems += [f"{name}：{each}" for each in _breach_differences(wanted, breach)]
    return problems


def _compare(word: str, found: set[str], expected: set[str]) -> list[str]:
    missing, extra = sorted(expected - found), sorted(found - expected)
    return [f"{word}缺少{each}" for each in missing] + [f"{word}多出{each}" for each in extra]


def _breach_differences(wanted: Expected, breach: Breach) -> list[str]:
    pairs = (
        ("等级", wanted.severity, breach.severity),
        ("数值", wanted.measure, breach.measure),
        ("起点", wanted.since, breach.since),
        ("依据", wanted.because and set(wanted.because), {_named(each.key) for each in breach.evidence}),
    )
    problems = [f"{word}应为{want}，得到{got}" for word, want, got in pairs if want is not None and want != got]
    if wanted.says is not None and wanted.says not in breach.reason:
        problems.append(f"说明里没有“{wanted.says}”：{breach.reason}")
    return problems


def _laws(table: _Table, findings: Findings) -> list[str]:
    on = table.case.on
    today = _standing(findings)
    problems = []
    for breach in findings.breaches:
        then = table.evaluate(breach.since)
        if breach.cause not in {each.cause for each in then.breaches}:
            problems.append(f"{breach.cause}在自己的起点{breach.since}那天并不成立")
    known = next_change(table.household, on.toordinal())
    days = (findings.recheck_on, date.fromordinal(known) if known else None, on + timedelta(days=_LOOK_AHEAD))
    after = (min(day for day in days if day is not None) - on).days
    for offset in sorted({*range(1, min(after, 40)), *range(40, after, 11), after - 1}):
        day = on + timedelta(days=max(offset, 0))
        if _standing(table.evaluate(day)) != today:
            problems.append(f"{day}没有新事实答案却变了，recheck_on是{findings.recheck_on}")
            break
    return problems


def _standing(findings: Findings) -> set[tuple[str, date, int]]:
    return {(each.cause, each.since, each.severity) for each in findings.breaches}


def _cause(name: str) -> str:
    head, slash, rest = name.partition("/")
    return (person_of(head) if head in _NAMES else head) + slash + rest


def _named(text: str) -> str:
    for name in _NAMES:
        text = text.replace(person_of(name), name)
    return text.replace(HOUSEHOLD_ID, "本户")
