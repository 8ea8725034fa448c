"""JOB-LOSS 失业停保: the household's only insured earner has had no employee insurance for two complete months."""

from datetime import date
from typing import NamedTuple

from detectors.calendar import birthday, month_text
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import at_least, belonging, earliest, edges, newest, next_birthday, under, without_dead
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
    rule = policy.rule("job_loss", household.responsible_area)
    today, required = on.toordinal(), rule.number("silent_months")
    members = without_dead(household, belonging(household, today), today)
    last_paid: list[tuple[Member, Contribution]] = []
    for member in members:
        paid = newest(household, Contribution, member.person, today)
        if paid is not None and paid.month + required >= month_of(today):  # somebody is insured: mostly it ends here
            findings.recheck(date.fromordinal(first_day(paid.month + required + 1)))
            return findings
        if paid is not None:
            last_paid.append((member, paid))
    for stop in _stops(household, last_paid, today, rule):
        if stop.member.born is None:
            findings.lacks("civil.household", None)
            continue
        since, until = _stands(stop, rule)
        young, old = rule.ages("working_age")
        findings.recheck(
            *(date.fromordinal(day) for day in (since, until) if day > today),
            next_birthday(stop.member, (young, old), today),
        )
        of_age = at_least(stop.member, young, today) and under(stop.member, old, today)
        months = _closed_silent_months(household, on, policy, stop)
        if since <= today < until and of_age and months >= required:
            findings.add(_breach(household, stop, months, members, today, rule))
            findings.recheck(*_birthdays(members, today, rule))
    return findings


def _stops(household: Household, last_paid: list[tuple[Member, Contribution]], today: int, rule: Rule) -> list[_Stop]:
    """Members insured once and silent now, while no other member was insured after them."""
    last_day = max((paid.day for _, paid in last_paid), default=0)
    stops = []
    for member, paid in last_paid:
        active = max(paid.month, _last_excused_month(household, member, today, rule))
        if paid.day == last_day and active < month_of(today):
            stops.append(_Stop(member, paid, active + 1))
    return stops


def _stands(stop: _Stop, rule: Rule) -> tuple[int, int]:
    """The day after the last required month, and the day from which the stop is no news any more."""
    since = stop.silent_from + rule.number("silent_months")
    return first_day(since), first_day(since + rule.number("stands_months"))


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


def _since(household: Household, stop: _Stop, today: int, rule: Rule) -> int:
    """The first day on which this was the only insured earner of those living here, insurance stopped, of age."""
    first, _ = _stands(stop, rule)
    young, _ = rule.ages("working_age")

    def alone(day: int) -> bool:
        paid = [
            (each, newest(household, Contribution, each.person, day))
            for each in without_dead(household, belonging(household, day), day)
        ]
        stops = _stops(household, [(each, fact) for each, fact in paid if fact is not None], day, rule)
        mine = (each for each in stops if each.member.person == stop.member.person)
        return any(each.silent_from == stop.silent_from and at_least(each.member, young, day) for each in mine)

    came_of_age = birthday(stop.member.born, young) if stop.member.born is not None else first
    deaths = [each.day for each in household.deaths()]
    days = [first, came_of_age, *deaths, *edges(household, first, today)]
    return earliest((day for day in days if first <= day <= today), alone, first)


def _birthdays(members: list[Member], today: int, rule: Rule) -> list[date | None]:
    ages = (rule.number("child_under"), rule.number("elder_from"))
    return [next_birthday(each, ages, today) for each in members]


def _breach(household: Household, stop: _Stop, months: int, members: list[Member], today: int, rule: Rule) -> Breach:
    others = [each for each in members if each.person != stop.member.person]
    dependants = any(
        under(each, rule.number("child_under"), today) or at_least(each, rule.number("elder_from"), today)
        for each in others
    )
    line = rule.mark("silent_months")
    return Breach(
        cause=stop.member.person,
        subject=stop.member.relation,
        since=date.fromordinal(_since(household, stop, today, rule)),
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
