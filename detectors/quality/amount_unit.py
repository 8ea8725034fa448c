"""AMOUNT-UNIT 金额单位: amounts of a department's feed lie ten thousand times above or below what they used to be."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from detectors.cards import covering, days_until, evidence, run, sender
from detectors.findings import Breach, Findings
from detectors.registry import Family, detector
from households.ledger import Household
from policy.parameters import Policy, Rule, severity
from schemas.amounts import merged, middle, steps_of, typical_fen
from schemas.feed import FEEDS
from schemas.feeds.report_cards import FeedDay
from schemas.labels import yuan

_WORDS = {"high": ("高", "疑为把元按分、把万元按元报送"), "low": ("低", "疑为把万元当作元报送")}


class _Judged(NamedTuple):
    """A day of a field: how much of it lies a factor away from the running median, which way, and that median."""

    day: FeedDay
    percent: int
    way: str
    usual: int


@detector(
    code="AMOUNT-UNIT",
    version="1.0.0",
    family=Family.QUALITY,
    listens=("feed.day",),
    rule="amount_unit",
    about="feed",
)
def amount_unit(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per amount field where so large a share of the newest judged day lies a factor from the running median.

    The running median is that of the days before, within a window, without days that were themselves out of line; a day
    is judged when it and they have enough amounts. Orders of magnitude only, so a factor of 10,000 is told from 8,000
    on. When the window holds no ordinary day any more, the new order becomes the usual one. Measure: percent.
    """
    days = days_until(household, on)
    findings = covering(days, on)
    if not days:
        return findings
    rule = policy.rule("amount_unit", household.responsible_area)
    for field in sorted({name for day in days for name, _ in day.amounts}):
        judged = _judge(field, days, rule)
        for way in _WORDS:
            found = run((each.day.day, each.way == way) for each in judged)
            if found is not None:
                since = date.fromordinal(found)
                findings.add(_breach(field, since, [each for each in judged if each.day.day >= found], rule))
    return findings


def _judge(field: str, days: Sequence[FeedDay], rule: Rule) -> list[_Judged]:
    """Every day with enough amounts of the field and enough before it, in order."""
    least, before, window = rule.number("least"), rule.number("least_before"), rule.number("window_days")
    steps, line = steps_of(rule.number("factor")), rule.number("percent")
    usual: list[tuple[int, Mapping[int, int]]] = []
    found: list[_Judged] = []
    for day in days:
        counts = dict(next((told for name, told in day.amounts if name == field), ()))
        if sum(counts.values()) < max(1, least):
            continue
        usual = [each for each in usual if each[0] >= day.day - window]
        reference = merged(told for _, told in usual)
        centre = middle(reference) if sum(reference.values()) >= max(1, before) else None
        if centre is None:
            usual.append((day.day, counts))
            continue
        percent, way = _away(counts, centre, steps)
        if percent >= line:
            found.append(_Judged(day, percent, way, centre))
        else:
            found.append(_Judged(day, percent, "", centre))
            usual.append((day.day, counts))
    return found


def _away(counts: Mapping[int, int], centre: int, steps: int) -> tuple[int, str]:
    """Percent of amounts so many magnitudes above or below the median, and which is more."""
    total = sum(counts.values())
    high = sum(count for size, count in counts.items() if size >= centre + steps)
    low = sum(count for size, count in counts.items() if size <= centre - steps)
    return max(high, low) * 100 // total, "high" if high >= low else "low"


def _breach(field: str, since: date, judged: Sequence[_Judged], rule: Rule) -> Breach:
    last, line = judged[-1], rule.mark("percent")
    word, guess = _WORDS[last.way]
    now = middle(dict(next(told for name, told in last.day.amounts if name == field)))
    return Breach(
        cause=f"{field}/{last.way}",
        subject="FEED",
        since=since,
        severity=severity(rule.steps("bands"), last.percent),
        measure=last.percent,
        unit="percent",
        threshold=line,
        reason=(
            f"{sender(last.day)}{date.fromordinal(last.day.day)}的{_label(last.day, field)}有{last.percent}%"
            f"比平常{word}约{rule.number('factor'):,}倍（平常多在{yuan(typical_fen(last.usual))}上下，"
            f"当日多在{yuan(typical_fen(now or 0))}上下），{guess}，请核对单位（满{line.value}%提示，{line.cited}）"
        ),
        evidence=tuple(evidence(each.day, each.percent) for each in judged)[-7:],
    )


def _label(day: FeedDay, field: str) -> str:
    fields = FEEDS[day.about].fields if day.about in FEEDS else ()
    return next((f"「{each.label}」" for each in fields if each.name == field), field)
