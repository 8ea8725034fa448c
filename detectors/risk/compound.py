"""COMPOUND 多因叠加: need of different kinds began within some weeks and is still there.

A household rule over other rules, for declared households alone. It asks the rules of risk that the list of dimensions
of the place (`need_profile`) names, of the same household, day and policy: never what was said before, so that whatever
led here in whatever order, the answer is the same. A dimension counts once, however many rules speak of it: illness
that leads to arrears is one kind of need (spending). Somebody who left a scheme not long ago counts as one more. It
reads no rule about reviews or data, and each rule it asks keeps its own alert.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from detectors import exits
from detectors.calendar import day_text
from detectors.findings import HISTORY, Breach, EvidenceItem, Findings, evidence_days
from detectors.needs import NAMES, READS, SOURCES, Asked, ask, silent
from detectors.people import edges, staying, unbroken_from
from detectors.registry import Detector, Family, Sure, detector
from detectors.words import who
from households.ledger import HOUSEHOLD, Household
from policy.needs import NEEDS, Dimension, dimensions_of
from policy.parameters import Policy, Rule, Steps, severity
from schemas.facts import Membership, Status
from schemas.facts_contact import AreaIncident

_RULE = "compound"
_FEEDS = tuple(sorted({feed for each in SOURCES.values() for feed in each.listens | each.absence}))


class _Terms(NamedTuple):
    """The rule of the place."""

    window_days: int
    least: int
    bands: Steps
    exit_schemes: tuple[str, ...]
    exit_months: int

    @classmethod
    def of(cls, rule: Rule) -> "_Terms":
        schemes, months = rule.words("exit_schemes"), rule.number("exit_months")
        return cls(rule.number("window_days"), rule.number("dimensions"), rule.steps("bands"), schemes, months)


class _Signal(NamedTuple):
    """A breach of a rule that speaks of a dimension, and the ordinal of its first day."""

    dimension: Dimension
    source: Detector
    breach: Breach
    since: int


class _Exit(NamedTuple):
    """Somebody left a scheme, and when."""

    person: str
    relation: str
    day: int
    status: Status


class _Seen(NamedTuple):
    """A day: the signals that began close together, the newest exit, and what every rule answered."""

    together: list[_Signal]
    exit: _Exit | None
    answers: list[Asked]

    @property
    def total(self) -> int:
        """Dimensions, an exit as one more; an exit alone is no need."""
        found = _dimensions(self.together)
        return found + 1 if found and self.exit is not None else found


@lru_cache(maxsize=256)
def _too_little(on: date, policy: Policy, area: str) -> Sure:
    """Whether the rules of too few dimensions can have anything to say, by their own cheap questions."""
    terms = policy.rule(_RULE, area).read(_Terms.of)
    dimensions = policy.rule(NEEDS, area).read(dimensions_of)
    asked = [[silent(code, on, policy, area) for code in each.rules] for each in dimensions]

    def sure(household: Household) -> bool:
        may = sum(not all(nothing(household) for nothing in rules) for rules in asked)
        return (may + 1 if may and not exits.nobody_left(household) else may) < terms.least

    return sure


@detector(
    code="COMPOUND",
    version="1.0.0",
    family=Family.RISK,
    listens=("civil.household",),
    rule=_RULE,
    standards=(NEEDS,),
    quiet=_too_little,
    trial=True,
    reads=READS,
)
def compound(household: Household, on: date, policy: Policy) -> Findings:
    """One breach per household with need in so many dimensions that began within the days the place sets.

    Counted are breaches that stand today. `since` is the day the last dimension needed was there, as far back as
    today's values hold. Where late files hide what could make the difference: `Insufficient`; what no file of the
    place ever tells does not count. Measure: dimensions.
    """
    findings = Findings.covering(household, on, policy)
    area, today = household.responsible_area, on.toordinal()
    if household.declared_on(today) is None or _too_little(on, policy, area)(household):
        return findings
    rule, dimensions = policy.rule(_RULE, area), policy.rule(NEEDS, area).read(dimensions_of)
    terms = rule.read(_Terms.of)
    seen = _look(household, today, policy, dimensions, terms)
    findings.recheck(_next_change(policy, area))
    findings.recheck(*(each.findings.recheck_on for each in seen.answers if each.findings is not None))
    findings.recheck(*_over(household, today, terms))
    if seen.total < terms.least:
        for feed, last_covered in _hidden(household, on, policy, seen, terms):
            findings.lacks(feed, last_covered)
        return findings

    def holds(day: int) -> bool:
        there = household.declared_on(day) is not None
        return there and _look(household, day, policy, dimensions, terms).total >= terms.least

    first = max(_began(seen, terms), _settled_since(policy, area))
    days = [first, *(each.since for each in seen.together), *edges(household, first, today)]
    since = unbroken_from((day for day in days if first <= day <= today), holds, today)
    findings.add(_breach(household, seen, since, rule, terms))
    return findings


def _look(household: Household, day: int, policy: Policy, dimensions: Sequence[Dimension], terms: _Terms) -> _Seen:
    """What the rules say of the household on a day, by today's values."""
    answers = ask(household, date.fromordinal(day), policy, dimensions)
    signals = [
        _Signal(each.dimension, each.source, breach, breach.since.toordinal())
        for each in answers
        if each.findings is not None
        for breach in each.findings.breaches
        if not _only_to_be_seen(breach)
    ]
    return _Seen(_together(signals, terms.window_days), _exit(household, day, terms), answers)


def _only_to_be_seen(breach: Breach) -> bool:
    """Whether it is known of the area alone: a town struck is no sign of need of each household in it."""
    return bool(breach.evidence) and all(each.feed == AreaIncident.feed for each in breach.evidence)


def _together(signals: Sequence[_Signal], days: int) -> list[_Signal]:
    """The signals of the most dimensions begun within so many days; then the most signals, then the latest."""
    firsts = sorted({each.since for each in signals})
    near = ([each for each in signals if first <= each.since <= first + days] for first in firsts)
    return max(reversed(list(near)), key=lambda each: (_dimensions(each), len(each)), default=[])


def _dimensions(signals: Sequence[_Signal]) -> int:
    return len({each.dimension.code for each in signals})


def _exit(household: Household, day: int, terms: _Terms) -> _Exit | None:
    """The newest exit of somebody who still belongs here and holds none of the schemes."""
    if exits.nobody_left(household):
        return None
    found = []
    for member in staying(household, day):
        status = exits.left(household, member.person, day, terms.exit_schemes, terms.exit_months)
        if status is not None and status.until is not None:
            found.append(_Exit(member.person, member.relation, status.until, status))
    return max(found, key=lambda each: (each.day, each.person), default=None)


def _over(household: Household, today: int, terms: _Terms) -> Iterator[date]:
    """Later days on which an exit ceases to be recent."""
    for person in {each.person for each in household.head.members}:
        for day in exits.windows(household, person, terms.exit_months):
            if day > today:
                yield date.fromordinal(day)


def _began(seen: _Seen, terms: _Terms) -> int:
    """The day from which as many dimensions as needed were there, by the days on which each began."""
    first: dict[str, int] = {}
    for each in seen.together:
        first[each.dimension.code] = min(each.since, first.get(each.dimension.code, each.since))
    days = [*first.values(), *([] if seen.exit is None else [seen.exit.day])]
    return sorted(days)[terms.least - 1]


@lru_cache(maxsize=256)
def _next_change(policy: Policy, area: str) -> date | None:
    """The first later day on which a value read may be another."""
    days = (policy.next_change(name, area) for name in (_RULE, NEEDS, *NAMES))
    return min((day for day in days if day is not None), default=None)


def _settled_since(policy: Policy, area: str) -> int:
    """The first day on which every value read is today's."""
    rules = (policy.known(name, area) for name in (_RULE, NEEDS, *NAMES))
    return max(each.since.toordinal() for each in rules if each is not None)


def _hidden(household: Household, on: date, policy: Policy, seen: _Seen, terms: _Terms) -> list[tuple[str, str | None]]:
    """The late feeds, with their last month, where what they would tell could make enough dimensions."""
    chain = policy.areas.chain(household.responsible_area, on)
    late = dict(household.coverage.missing(_FEEDS, chain, on))
    counted = {each.dimension.code for each in seen.together}
    hidden = {
        (each.dimension.code, lacking.feed)
        for each in seen.answers
        if each.findings is not None and each.dimension.code not in counted
        for lacking in each.findings.insufficient
        if lacking.feed in late and lacking.feed != HISTORY
    }
    could = len(counted | {code for code, _ in hidden})
    if (could + 1 if could and seen.exit is not None else could) < terms.least:
        return []
    return [(feed, late[feed]) for feed in sorted({feed for _, feed in hidden})]


def _breach(household: Household, seen: _Seen, since: int, rule: Rule, terms: _Terms) -> Breach:
    line, gone = rule.mark("dimensions"), seen.exit
    shown = [item for each in seen.together for item in _opening(each)]
    left = ""
    if gone is not None:
        shown += _registered(household, gone)
        left = f"；{who(gone.relation)}{day_text(gone.day)}退出救助不满{terms.exit_months}个月，另计一个方面"
    return Breach(
        cause=HOUSEHOLD,
        subject="HOUSEHOLD",
        since=date.fromordinal(since),
        severity=severity(terms.bands, seen.total),
        measure=seen.total,
        unit="dimensions",
        threshold=line,
        reason=(
            f"{terms.window_days}天内先后出现、至今还在的困难有{_dimensions(seen.together)}个方面："
            f"{'；'.join(_said(seen.together))}{left}。合计{seen.total}个方面，"
            f"请安排个案会商，先核实是否同一原因引起（满{line.value}个方面提示，{line.cited}）"
        ),
        evidence=evidence_days({(each.feed, each.key): each for each in shown}.values()),
    )


def _said(signals: Sequence[_Signal]) -> list[str]:
    """Each dimension with its rules and the day each began, in the order of the list."""
    found: dict[str, dict[str, int]] = {}
    for each in signals:
        days = found.setdefault(each.dimension.label, {})
        days[each.source.label] = min(each.since, days.get(each.source.label, each.since))
    return [
        f"{label}（{'、'.join(f'{name}，{day_text(day)}起' for name, day in days.items())}）"
        for label, days in found.items()
    ]


def _opening(signal: _Signal) -> list[EvidenceItem]:
    """The input that brought a breach about: the last one up to its first day. Its own alert holds all of them."""
    inputs = sorted(signal.breach.evidence, key=lambda each: (each.day, each.feed, each.key))
    return [each for each in inputs if each.day <= signal.since][-1:] or inputs[:1]


def _registered(household: Household, gone: _Exit) -> list[EvidenceItem]:
    """The registration that told of the scheme's end."""
    told = (each for each in household.head.members if each.person == gone.person and gone.status in each.statuses)
    return [EvidenceItem(each.key, Membership.feed, each.source, each.day, 1) for each in told if not each.gone]
