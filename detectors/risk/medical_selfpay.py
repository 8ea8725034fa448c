"""MED-SELFPAY 大额自付医疗: what a member, or the household together, paid for treatment passes the local line."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

from detectors.burden import (
    Charge,
    Counting,
    Window,
    above_since,
    charges,
    evidence,
    inside,
    medical_year,
    next_change,
    rolling_year,
    spent_since,
)
from detectors.calendar import year_ago
from detectors.findings import Breach, Findings
from detectors.people import belonging, edges, staying, tier, unbroken_from
from detectors.registry import Family, detector
from detectors.words import who
from households.ledger import HOUSEHOLD, Household, Member
from policy.parameters import Line, Policy, Rule, severity
from policy.schemes import OTHER
from schemas.labels import yuan

_WINDOWS = {"rolling_12m": rolling_year, "medical_year": medical_year}


class Terms(NamedTuple):
    """The rule as this detector reads it."""

    persons: bool
    together: bool
    windows: tuple[str, ...]
    counting: Counting
    lines: Mapping[str, int]


def _terms(rule: Rule) -> Terms:
    subjects = rule.words("subjects")
    lines = {scheme: rule.line(scheme).value for scheme in rule.scheme_labels}
    return Terms("person" in subjects, "household" in subjects, rule.words("windows"), Counting.of(rule), lines)


class _Subject(NamedTuple):
    """A member, or the household together: whose bills count and whose schemes set the line."""

    name: str
    relation: str
    people: tuple[str, ...]
    members: tuple[Member, ...]


def _far_below(on: date, policy: Policy, area: str) -> Callable[[Household], bool]:
    """Whether even everything together, before refunds, stays at or under the lowest line of a household."""
    terms = policy.rule("medical_selfpay", area).read(_terms)
    spent, lines = spent_since(year_ago(on.toordinal()) + 1, terms.counting.measure), terms.lines

    def below(household: Household) -> bool:
        total = household.totals.get(spent)
        return (household.total(spent) if total is None else total) <= _lowest_held(household, lines)

    return below


@detector(
    code="MED-SELFPAY",
    version="1.1.1",
    family=Family.RISK,
    listens=("medical.settlement", "medical.reimbursement", "civil.household", "vital.death"),
    rule="medical_selfpay",
    quiet=_far_below,
)
def medical_selfpay(household: Household, on: date, policy: Policy) -> Findings:
    """One breach per subject whose personal burden inside a window is above the line of its tier.

    Subject, windows (medical year, rolling 12 months; half-open) and what counts as burden are policy, because
    places differ. Amounts are fen, after every payer and refund known to the ledger; a reversed bill was never
    billed. `since` is the first day of the unbroken stretch above today's line and under no higher one.
    A stale feed makes the rest `Insufficient`, but a line already passed stays passed. What somebody who died had paid
    still weighs on those left behind; where nobody is, there is nobody to help.
    """
    findings = Findings.covering(household, on, policy, "medical.settlement")
    if _far_below(on, policy, household.responsible_area)(household):
        return findings
    rule = policy.rule("medical_selfpay", household.responsible_area)
    terms = rule.read(_terms)
    today = on.toordinal()
    if not staying(household, today):
        return findings
    for subject in _subjects(household, today, terms):
        found = charges(household, subject.people, terms.counting)
        for name in terms.windows:
            window = _WINDOWS[name](today)
            if (breach := _passed(household, subject, window, found, rule, policy)) is not None:
                findings.add(breach)
            findings.recheck(next_change(found, window))
    return findings


def _lowest_held(household: Household, lines: Mapping[str, int]) -> int:
    """The lowest line that anybody of this household has, had or is about to have."""
    schemes = household.memo.get("schemes")
    if schemes is None:
        held = {status.scheme for member in household.head.members for status in member.statuses}
        schemes = household.memo["schemes"] = tuple(sorted(held))
    lowest = lines[OTHER]
    for scheme in schemes:
        line = lines.get(scheme, lowest)
        if line < lowest:
            lowest = line
    return lowest


def _subjects(household: Household, today: int, terms: Terms) -> list[_Subject]:
    people = belonging(household, today)
    found = [_Subject(each.person, each.relation, (each.person,), (each,)) for each in people] if terms.persons else []
    if terms.together:
        everybody = {each.person: each for each in (*people, *household.members_on(today))}
        found.append(_Subject(HOUSEHOLD, "HOUSEHOLD", tuple(everybody), tuple(everybody.values())))
    return found


def _passed(
    household: Household, subject: _Subject, window: Window, found: list[Charge], rule: Rule, policy: Policy
) -> Breach | None:
    """The breach of a subject in a window, None when its burden is not above the line of its tier."""

    schemes = policy.schemes_of(household.responsible_area)

    def line_on(day: int) -> Line:
        tiers = (tier(each, day, schemes) for each in subject.members)
        return rule.line(schemes.highest(tiers, day))

    today = window.after - 1
    line = line_on(today)
    above = above_since(found, window, line.value + 1)
    if above is None:
        return None
    first_of_rule = max(above, rule.since.toordinal())
    days = [first_of_rule, *edges(household, first_of_rule, today)]
    since = unbroken_from(days, lambda day: line_on(day).value <= line.value, today)
    counted = inside(found, window)
    burden = sum(each.fen for each in counted)
    return Breach(
        cause=f"{subject.name}/{window.name}",
        subject=subject.relation,
        since=date.fromordinal(since),
        severity=severity(rule.steps("bands"), burden * 100 // line.value if line.value else burden),
        measure=burden,
        unit="fen",
        threshold=line,
        reason=(
            f"{who(subject.relation)}{window.label}医疗个人负担{yuan(burden)}，"
            f"超过{line.label}预警线{yuan(line.value)}（{line.cited}）"
        ),
        evidence=evidence(counted),
    )
