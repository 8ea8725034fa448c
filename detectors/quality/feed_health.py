"""FEED-HEALTH 断供与报送异常: a department's feed fell silent, never became whole, or brings far more or less."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

from detectors.calendar import month_text
from detectors.cards import covering, days_until, evidence, periods_until, run, sender
from detectors.findings import Breach, Findings
from detectors.registry import Family, detector
from households.ledger import Household
from policy.parameters import Policy, Rule
from schemas.facts import month_of
from schemas.feeds.report_cards import FeedDay, FeedPeriod

_LENGTH = {"week": 7, "month": 30}
_WAYS = {"high": "多于", "low": "少于"}
_BEFORE = 4


class _Volume(NamedTuple):
    """What came in a week or month, when that was known, and the median of the four before."""

    name: str
    known_on: int
    rows: int
    usual: int
    facts: tuple[FeedDay | FeedPeriod, ...]

    @property
    def percent(self) -> int:
        """Of the usual."""
        return self.rows * 100 // self.usual


@detector(
    code="FEED-HEALTH",
    version="1.0.0",
    family=Family.QUALITY,
    listens=("feed.day", "feed.period"),
    rule="feed_health",
    about="feed",
)
def feed_health(household: Household, on: date, policy: Policy) -> Findings:
    """`silent`: nothing for more than 1.5 of the feed's periods; `overdue`: a month not whole long after it was due;
    `volume`: the newest whole week or month lies outside a band around the median of the four before.

    The period of a daily feed is a working day, of others a week or 30 days. A feed counts as silent only against its
    own habit: each of the last periods before brought something. Volumes of daily and weekly feeds are compared by
    week, per working day, those of monthly feeds by closed month; small ones are left alone. Measures: days without
    anything, months overdue, percent of the usual.
    """
    days = days_until(household, on)
    findings = covering(days, on)
    if not days:
        return findings
    rule = policy.rule("feed_health", household.responsible_area)
    if days[-1].day >= on.toordinal():
        findings.recheck(on + timedelta(days=1))  # today is over tomorrow
    over = [day for day in days if day.day < on.toordinal()]
    periods = periods_until(household, on)
    for breach in (_silent(over, rule), _overdue(periods, on, rule, findings)):
        if breach is not None:
            findings.add(breach)
    volumes = _months(periods, on) if days[-1].every == "month" else _weeks(over)
    closings = (period.closed_on or 0 for period in periods)
    findings.recheck(*(date.fromordinal(closed_on) for closed_on in closings if closed_on > on.toordinal()))
    findings.breaches += _volume(list(volumes), rule)
    return findings


# ---- silence


def _silent(over: Sequence[FeedDay], rule: Rule) -> Breach | None:
    last = next((day for day in reversed(over) if day.rows), None)
    if last is None or not _used_to_speak(over, last, rule.number("habit")):
        return None
    every = last.every
    silent = [day for day in over if day.day > last.day and (day.worked or every != "day")]
    allowed = rule.number("silent_periods") * _LENGTH.get(every, 1) // 100
    if len(silent) <= allowed:
        return None
    line = rule.mark("silent_periods")
    return Breach(
        cause="silent",
        subject="FEED",
        since=date.fromordinal(silent[allowed].day + 1),
        severity=rule.number("silent_severity"),
        measure=len(silent) * 100 // _LENGTH.get(every, 1),
        unit="period_percent",
        threshold=line,
        reason=(
            f"{sender(last)}自{date.fromordinal(last.day)}后没有来过数据，已{len(silent)}个"
            f"{'工作日' if every == 'day' else '自然日'}（超过报送周期的{line.value / 100:g}倍，{line.cited}）："
            "请联系部门；确无业务的，请报“本期无业务”"
        ),
        evidence=(evidence(last, last.rows), evidence(silent[-1], 0)),
    )


def _used_to_speak(days: Sequence[FeedDay], last: FeedDay, habit: int) -> bool:
    """Whether each of so many periods up to the last one with data brought something."""
    if last.every == "day":
        before = [day for day in days if day.day <= last.day and (day.worked or day is last)][-habit:]
        return len(before) == habit and all(day.rows for day in before)
    spoke = {_period_of(day) for day in days if day.rows}
    newest = _period_of(last)
    return all(newest - back in spoke for back in range(habit))


def _period_of(day: FeedDay) -> int:
    return (day.day - 1) // 7 if day.every == "week" else month_of(day.day)


# ---- months that are not whole


def _overdue(periods: Sequence[FeedPeriod], on: date, rule: Rule, findings: Findings) -> Breach | None:
    grace, today = rule.number("overdue_days"), on.toordinal()
    findings.recheck(*(date.fromordinal(p.due_on + grace + 1) for p in periods if p.due_on + grace >= today))
    due = [each for each in periods if each.due_on + grace < today]
    found = run((each.due_on + grace + 1, each.closed_on is None or each.closed_on > today) for each in due)
    if found is None:
        return None
    late = [each for each in due if each.due_on + grace + 1 >= found]
    line = rule.mark("overdue_days")
    return Breach(
        cause="overdue",
        subject="FEED",
        since=date.fromordinal(found),
        severity=rule.number("overdue_severity"),
        measure=len(late),
        unit="closings",
        threshold=line,
        reason=(
            f"{sender(late[-1])}{month_text(month_of(late[0].day))}起有{len(late)}期过了应报齐之日{line.value}天仍未报齐"
            f"（应于{date.fromordinal(late[0].due_on)}报齐，{line.cited}）：依据它的规则在报齐以前不作判断"
        ),
        evidence=tuple(evidence(each, each.rows) for each in late)[-7:],
    )


# ---- volume


def _volume(volumes: Sequence[_Volume], rule: Rule) -> list[Breach]:
    low, high, least = rule.number("volume_low"), rule.number("volume_high"), rule.number("least_rows")
    judged = [each for each in volumes if each.usual >= max(1, least)]
    going = {
        "low": run((each.known_on, each.percent < low) for each in judged),
        "high": run((each.known_on, each.percent > high) for each in judged),
    }
    return [
        _breach(way, date.fromordinal(since), judged[-1], rule) for way, since in going.items() if since is not None
    ]


def _breach(way: str, since: date, last: _Volume, rule: Rule) -> Breach:
    line = rule.mark(f"volume_{way}")
    return Breach(
        cause=f"volume/{way}",
        subject="FEED",
        since=since,
        severity=rule.number("volume_severity"),
        measure=last.percent,
        unit="percent",
        threshold=line,
        reason=(
            f"{sender(last.facts[-1])}{last.name}的数据量是此前四期中位数的{last.percent}%，{_WAYS[way]}{line.value}%"
            f"（{line.cited}）：请核对是否漏报、重报或口径变化；数量属实的，以整期替换方式重报即为确认"
        ),
        evidence=tuple(evidence(each, each.rows) for each in last.facts),
    )


def _months(periods: Sequence[FeedPeriod], on: date) -> Iterator[_Volume]:
    """Closed months, each against the four before it that were closed by then."""
    today = on.toordinal()
    closed = [(each.closed_on, each) for each in periods if each.closed_on is not None and each.closed_on <= today]
    for known_on, each in closed:
        before = [p.rows for at, p in closed if p.day < each.day and at <= known_on][-_BEFORE:]
        if len(before) == _BEFORE:
            yield _Volume(month_text(month_of(each.day)), known_on, each.rows, int(median(before)), (each,))


def _weeks(over: Sequence[FeedDay]) -> Iterator[_Volume]:
    """Whole weeks from Monday, rows per working day in hundredths, each against the four known before it."""
    weeks: dict[int, list[FeedDay]] = {}
    for day in over:
        weeks.setdefault((day.day - 1) // 7, []).append(day)
    before: list[int] = []
    for _, week in sorted(weeks.items()):
        worked = sum(day.worked for day in week) if week[-1].every == "day" else 1
        if len(week) < 7 or not worked:
            continue
        rows = sum(day.rows for day in week) // worked
        if len(before) == _BEFORE:
            name = f"{date.fromordinal(week[0].day)}起一周"
            yield _Volume(name, week[-1].day + 1, rows, int(median(before)), tuple(week))
        before = [*before, rows][-_BEFORE:]
