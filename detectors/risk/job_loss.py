"""JOB-LOSS 失业停保: the household's only insured earner has had no employee insurance for two complete months."""

from datetime import date
from typing import NamedTuple

from detectors.calendar import month_text
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import at_least, living, next_birthday, next_edge, under
from detectors.registry import Family, detector
from detectors.words import who
from households.ledger import Household, Member
from policy.parameters import Policy, Rule
from schemas.facts import Contribution, first_day, month_of

_FEED = "employment.contribution"


class _Stop(NamedTuple):
    """A member whose insurance stopped: the last month paid and the first silent month that counts."""

    member: Member
    last_paid: Contribution
    silent_from: int


@detector(
    code="JOB-LOSS",
    version="1.0.0",
    family=Family.RISK,
    listens=("employment.contribution", "employment.status", "civil.household", "vital.death"),
    rule="job_loss",
    absence=("employment.contribution",),
)
def job_loss(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per member of working age whose insurance stopped while nobody else in the household is insured.

    Silence counts only in months whose batch is closed; a month in retirement, flexible work, maternity, military
    service or a placed job is not silent. `since` is the day after the last of the required months. The breach
    stands for a limited time, then it is known. Unknown age: `Insufficient`. Measure: closed silent months.
    """
    findings = Findings.covering(household, on, policy, _FEED)
    area = household.responsible_area
    rule = policy.rule("job_loss", area)
    today = on.toordinal()
    members = living(household, today)
    findings.recheck(next_edge(household, today), policy.next_change("job_loss", area))
    for stop in _stops(household, members, today, rule):
        if stop.member.born is None:
            findings.lacks("civil.household", None)
            continue
        since = first_day(stop.silent_from + rule.number("silent_months"))
        until = first_day(stop.silent_from + rule.number("silent_months") + rule.number("stands_months"))
        young, old = rule.ages("working_age")
        findings.recheck(
            *(date.fromordinal(day) for day in (since, until) if day > today),
            next_birthday(stop.member, (young, old), today),
        )
        of_age = at_least(stop.member, young, today) and under(stop.member, old, today)
        months = _closed_silent_months(household, on, policy, stop)
        if since <= today < until and of_age and months >= rule.number("silent_months"):
            findings.add(_breach(stop, months, since, members, today, rule))
    return findings


def _stops(household: Household, members: list[Member], today: int, rule: Rule) -> list[_Stop]:
    """Members insured once and silent now, while no other member was insured after them."""
    paid = {
        member.person: [each for each in household.contributions(member.person) if each.day <= today]
        for member in members
    }
    newest = max((facts[-1].day for facts in paid.values() if facts), default=None)
    stops = []
    for member in members:
        if not paid[member.person] or newest is None or paid[member.person][-1].day < newest:
            continue
        last_paid = paid[member.person][-1]
        active = max(last_paid.month, _last_excused_month(household, member, today, rule))
        if active < month_of(today):
            stops.append(_Stop(member, last_paid, active + 1))
    return stops


def _last_excused_month(household: Household, member: Member, today: int, rule: Rule) -> int:
    """The newest month, up to today, in which a status explains why there is no contribution; 0 when none does."""
    excused_by = rule.words("excused_by")
    months = [
        month_of(today if each.until is None else min(today, max(each.day, each.until - 1)))
        for each in household.employments(member.person)
        if each.kind in excused_by and each.day <= today
    ]
    return max(months, default=0)


def _closed_silent_months(household: Household, on: date, policy: Policy, stop: _Stop) -> int:
    """How many months in a row, from the first silent one, are over and complete."""
    chain = policy.areas.chain(household.responsible_area, on)
    month, this_month = stop.silent_from, month_of(on.toordinal())
    while month < this_month and household.coverage.closed(_FEED, month, chain):
        month += 1
    return month - stop.silent_from


def _breach(stop: _Stop, months: int, since: int, members: list[Member], today: int, rule: Rule) -> Breach:
    others = [each for each in members if each.person != stop.member.person]
    dependants = any(
        under(each, rule.number("child_under"), today) or at_least(each, rule.number("elder_from"), today)
        for each in others
    )
    line = rule.mark("silent_months")
    return Breach(
        cause=stop.member.person,
        subject=stop.member.relation,
        since=date.fromordinal(since),
        severity=rule.number("severity_with_dependants" if dependants else "severity"),
        measure=months,
        unit="months",
        threshold=line,
        reason=(
            f"{who(stop.member.relation)}职工社会保险最后缴至{month_text(stop.last_paid.month)}，"
            f"{month_text(stop.silent_from)}起连续{months}个月无缴费记录，家中没有其他参保缴费的成员"
            f"{'，且有老人或未成年人需要照顾' if dependants else ''}（满{line.value}个月提示，{line.cited}）"
        ),
        evidence=(
            EvidenceItem(stop.last_paid.key, _FEED, stop.last_paid.source, stop.last_paid.day, stop.last_paid.base_fen),
        ),
        person=stop.member.person,
    )
