"""AMOUNT-UNIT 金额单位: amounts of a department's feed lie ten thousand times above or below what they used to be."""

from collections.abc import Mapping, Sequence
from datetime import date

from detectors.cards import covering, days_until, evidence, run, sender
from detectors.findings import Breach, Findings
from detectors.registry import Family, detector
from households.ledger import Household
from policy.parameters import Policy, Rule, severity
from schemas.amounts import Judged, Terms, judge, middle, steps_of, typical_fen
from schemas.feed import FEEDS
from schemas.feeds.report_cards import FeedDay
from schemas.labels import yuan

_WORDS = {"high": ("高", "疑为把元按分、把万元按元报送"), "low": ("低", "疑为把万元当作元报送")}


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
        judged, _ = judge(((day.day, _told(day, field)) for day in days), terms_of(rule))
        for way in _WORDS:
            found = run((each.day, each.way == way) for each in judged)
            if found is not None:
                since = date.fromordinal(found)
                findings.add(_breach(field, since, [each for each in judged if each.day >= found], days, rule))
    return findings


def terms_of(rule: Rule) -> Terms:
    """What the parameters of a place say."""
    steps, percent, least = steps_of(rule.number("factor")), rule.number("percent"), rule.number("least")
    return Terms(steps, percent, least, rule.number("least_before"), rule.number("window_days"))


def _told(day: FeedDay, field: str) -> Mapping[int, int]:
    return dict(next((told for name, told in day.amounts if name == field), ()))


def _breach(field: str, since: date, judged: Sequence[Judged], days: Sequence[FeedDay], rule: Rule) -> Breach:
    last, line = judged[-1], rule.mark("percent")
    cards = {each.day: each for each in days}
    card = cards[last.day]
    word, guess = _WORDS[last.way]
    now = middle(_told(card, field))
    return Breach(
        cause=f"{field}/{last.way}",
        subject="FEED",
        since=since,
        severity=severity(rule.steps("bands"), last.percent),
        measure=last.percent,
        unit="percent",
        threshold=line,
        reason=(
            f"{sender(card)}{date.fromordinal(last.day)}的{_label(card, field)}有{last.percent}%"
            f"比平常{word}约{rule.number('factor'):,}倍（平常多在{yuan(typical_fen(last.usual))}上下，"
            f"当日多在{yuan(typical_fen(now or 0))}上下），{guess}，请核对单位（满{line.value}%提示，{line.cited}）"
        ),
        evidence=tuple(evidence(cards[each.day], each.percent) for each in judged)[-7:],
    )


def _label(day: FeedDay, field: str) -> str:
    fields = FEEDS[day.about].fields if day.about in FEEDS else ()
    return next((f"「{each.label}」" for each in fields if each.name == field), field)
