"""RECENT-EXIT 退出后跟踪: somebody left a scheme not long ago and shows half of what would be a risk.

A household detector on exits (schemes that ended while the person stayed in the register), bills and temporary aid. It
looks at two signals: what treatment cost against a part of the MED-SELFPAY line, and temporary aid. Work and rent are
watched by their own rules from their own lines on. It is no judgement of the exit: it asks somebody to call and see
whether help is needed again.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from detectors import exits
from detectors.burden import Counting, charges, evidence, inside, rolling_year
from detectors.calendar import anniversary, day_text, months_later
from detectors.exits import nobody_left
from detectors.findings import Breach, EvidenceItem, Findings, evidence_days
from detectors.lacking import member_on, turns
from detectors.people import staying, tier
from detectors.registry import Family, detector
from detectors.spans import next_edge, unbroken
from detectors.words import who
from households.ledger import Household, Member
from policy.parameters import Line, Policy, Rule
from policy.schemes import Schemes
from schemas.facts import Status
from schemas.facts_contact import TempAid
from schemas.labels import yuan


class _Signal(NamedTuple):
    """One sign of need: how much of it there was on a day, the line, the sentence and the records."""

    name: str
    unit: str
    measure: Callable[[int], int]
    line: Callable[[int], Line]
    edges: set[int]
    says: Callable[[int, Line], str]
    evidence: Callable[[int], tuple[EvidenceItem, ...]]


@detector(
    code="RECENT-EXIT",
    version="1.0.0",
    family=Family.ENTITLEMENT,
    listens=("civil.household", "medical.settlement", "medical.reimbursement", "civil.temp_aid", "vital.death"),
    rule="recent_exit",
    standards=("medical_selfpay",),
    quiet=lambda on, policy, area: nobody_left,
    trial=True,
)
def recent_exit(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per person and signal, for the months after an exit that the place sets.

    Left is who held one of the schemes, holds none of them now and is still registered here. `since`: the first day of
    the unbroken stretch in which both was so, exit and signal, against today's line. Measure: fen in twelve months, or
    number of grants; the line is the part of the risk line that the place sets.
    """
    findings = Findings.covering(household, on, policy, "medical.settlement")
    if nobody_left(household):
        return findings
    area, today = household.responsible_area, on.toordinal()
    rule, medical = policy.rule("recent_exit", area), policy.rule("medical_selfpay", area)
    first, schemes = max(rule.since, medical.since).toordinal(), policy.schemes_of(area)
    for member in staying(household, today):
        for signal in (_treatment(household, member, rule, medical, schemes), _aid(household, member, rule)):

            def shows(day: int, member: Member = member, signal: _Signal = signal) -> bool:
                left = _left(household, member.person, day, rule)
                return left is not None and signal.measure(day) >= signal.line(day).value

            over = exits.windows(household, member.person, rule.number("window_months"))
            edges = {*signal.edges, *turns(household), *over}
            findings.recheck(next_edge(edges, today))
            since = unbroken(edges, shows, today)
            if since is not None:
                findings.add(_breach(household, member, signal, max(since, first), today, rule))
    return findings


def _left(household: Household, person: str, day: int, rule: Rule) -> Status | None:
    """The scheme somebody left, while that is recent as the place counts."""
    return exits.left(household, person, day, rule.words("exit_schemes"), rule.number("window_months"))


def _treatment(household: Household, member: Member, rule: Rule, medical: Rule, schemes: Schemes) -> _Signal:
    """What treatment cost in twelve months against a part of the line of the person's tier."""
    found = charges(household, (member.person,), medical.read(Counting.of))
    percent = rule.number("percent")

    def line(day: int) -> Line:
        then = member_on(household, member.person, day) or member
        whole = medical.line(tier(then, day, schemes))
        return replace(whole, value=max(1, whole.value * percent // 100))

    return _Signal(
        "medical",
        "fen",
        lambda day: sum(each.fen for each in inside(found, rolling_year(day))),
        line,
        {day for each in found for day in (each.day, anniversary(each.day))},
        lambda fen, half: f"近12个月医疗个人负担{yuan(fen)}，达到预警线的{percent}%（{yuan(half.value)}）",
        lambda day: evidence(inside(found, rolling_year(day))),
    )


def _aid(household: Household, member: Member, rule: Rule) -> _Signal:
    """Temporary aid granted within the months that count."""
    months, mark = rule.number("aid_months"), rule.mark("aids")
    told = [each for each in household.of_kind(TempAid, member.person) if each.amount_fen > 0]

    def fresh(day: int) -> list[TempAid]:
        return [each for each in told if each.day <= day < months_later(each.day, months)]

    return _Signal(
        "aid",
        "grants",
        lambda day: len(fresh(day)),
        lambda day: mark,
        {day for each in told for day in (each.day, months_later(each.day, months))},
        lambda n, line: f"近{months}个月得到临时救助{n}次",
        lambda day: evidence_days(
            EvidenceItem(each.key, TempAid.feed, each.source, each.day, each.amount_fen) for each in fresh(day)
        ),
    )


def _breach(household: Household, member: Member, signal: _Signal, since: int, today: int, rule: Rule) -> Breach:
    left = _left(household, member.person, today, rule)
    line, measure = signal.line(today), signal.measure(today)
    when = f"{day_text(left.until)}退出" if left is not None and left.until is not None else "退出"
    return Breach(
        cause=f"{member.person}/{signal.name}",
        subject=member.relation,
        since=date.fromordinal(since),
        severity=rule.number("severity"),
        measure=measure,
        unit=signal.unit,
        threshold=line,
        reason=(
            f"{who(member.relation)}{when}不满{rule.number('window_months')}个月，{signal.says(measure, line)}，"
            f"请回访了解是否需要重新帮扶（{line.cited}）"
        ),
        evidence=signal.evidence(today),
    )
