"""JOB-LOSS 失业停保: the household's only insured earner has had no employee insurance for two complete months."""

from datetime import date
from typing import NamedTuple

from detectors.calendar import birthday, month_text
from detectors.certificates import SEVERE, severely_disabled
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import at_least, edges, newest, next_birthday, staying, unbroken_from, under
from detectors.registry import Family, detector
from detectors.words import who
from households.ledger import Household, Member
from policy.parameters import Policy, Rule
from schemas.facts import Contribution, Employment, first_day, month_of

_FEED = "employment.contribution"
_Paid = tuple[Member, Contribution]


class _Stop(NamedTuple):
    """A member whose insurance stopped. `silent_from`: the first month without it; `alone_from`: and nobody else's."""

    member: Member
    last_paid: Contribution
    silent_from: int
    alone_from: int


@detector(
    code="JOB-LOSS",
    version="1.2.0",
    family=Family.RISK,
    listens=(
        "employment.contribution", "employment.status", "civil.household", "vital.death", "disability.certificate",
    ),
    rule="job_loss",
    standards=(SEVERE,),
    absence=("employment.contribution",),
)  # fmt: skip
def job_loss(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per member of working age whose insurance stopped while nobody else in the household is insured.

    Silence counts only in months whose batch is closed and in which nobody here was insured; a month in retirement,
    flexible work, maternity, military service or a placed job is not silent. Of several who stopped it is about the
    last; who is excused or beyond working age lost no job and hides nobody else's. `since` is the day after the last of
    the required months. The breach stands for a limited time after the stop, then it is known. Unknown age:
    `Insufficient`. Measure: closed silent months; each further one is news.
    """
    findings = Findings.covering(household, on, policy, _FEED)
    rule = policy.rule("job_loss", household.responsible_area)
    today, required = on.toordinal(), rule.number("silent_months")
    members = staying(household, today)
    last_paid: list[_Paid] = []
    for member in members:
        paid = newest(household, Contribution, member.person, today)
        if paid is not None and paid.month + required >= month_of(today):  # somebody is insured: mostly it ends here
            findings.recheck(date.fromordinal(first_day(paid.month + required + 1)))
            return findings
        if paid is not None:
            last_paid.append((member, paid))
    _watch(household, last_paid, today, rule, findings)
    for stop in _stops(household, last_paid, today, rule):
        if stop.member.born is None:
            findings.lacks("civil.household", None)
            continue
        since, until = _stands(stop, rule)
        findings.recheck(*(date.fromordinal(day) for day in (since, until) if day > today))
        months = _closed_silent_months(household, on, policy, stop)
        if since <= today < until and months >= required:
            # The files of this month may be complete before it is over.
            findings.recheck(date.fromordinal(first_day(month_of(today) + 1)))
            standard = policy.rule(SEVERE, household.responsible_area)
            findings.add(_breach(household, stop, months, members, today, rule, standard))
            findings.recheck(*_birthdays(members, today, rule))
    return findings


def _watch(household: Household, last_paid: list[_Paid], today: int, rule: Rule, findings: Findings) -> None:
    """Asks to look again when somebody here comes into or out of working age, or a month of an excuse is over."""
    for member, _ in last_paid:
        findings.recheck(next_birthday(member, rule.ages("working_age"), today))
        for spell in _excuses(household, member, today, rule):
            if spell.until is not None and spell.until <= today and month_of(spell.until - 1) == month_of(today):
                findings.recheck(date.fromordinal(first_day(month_of(today) + 1)))


def _stops(household: Household, last_paid: list[_Paid], today: int, rule: Rule) -> list[_Stop]:
    """Members insured once and silent now, the last of those who could have lost a job."""
    stopped: list[_Stop] = []
    insured = max((paid.month for _, paid in last_paid), default=0)
    for member, paid in last_paid:
        active = max(paid.month, _last_excused_month(household, member, today, rule))
        if active < month_of(today) and _of_age(member, today, rule):
            stopped.append(_Stop(member, paid, active + 1, max(active, insured) + 1))
    last = max((each.last_paid.month for each in stopped), default=0)
    return [each for each in stopped if each.last_paid.month == last]


def _of_age(member: Member, day: int, rule: Rule) -> bool:
    """Whether somebody is of working age, as far as the age is known."""
    young, old = rule.ages("working_age")
    return member.born is None or (at_least(member, young, day) and under(member, old, day))


def _stands(stop: _Stop, rule: Rule) -> tuple[int, int]:
    """The day after the last required month, and the day from which the stop is no news any more."""
    required = rule.number("silent_months")
    return first_day(stop.alone_from + required), first_day(stop.silent_from + required + rule.number("stands_months"))


def _excuses(household: Household, member: Member, today: int, rule: Rule) -> list[Employment]:
    """Statuses begun by a day that explain why there is no contribution."""
    excused_by = rule.words("excused_by")
    return [each for each in household.employments(member.person) if each.kind in excused_by and each.day <= today]


def _last_excused_month(household: Household, member: Member, today: int, rule: Rule) -> int:
    """The newest month, up to today, in which a status explains why there is no contribution; 0 when none does."""
    months = [
        month_of(today if each.until is None else min(today, max(each.day, each.until - 1)))
        for each in _excuses(household, member, today, rule)
    ]
    return max(months, default=0)


def _closed_silent_months(household: Household, on: date, policy: Policy, stop: _Stop) -> int:
    """How many months in a row, from the first without anybody's insurance, are over and complete."""
    chain = policy.areas.chain(household.responsible_area, on)
    month, this_month = stop.alone_from, month_of(on.toordinal())
    while month < this_month and household.coverage.closed(_FEED, month, chain):
        month += 1
    return month - stop.alone_from


def _since(household: Household, stop: _Stop, today: int, rule: Rule) -> int:
    """The first day on which this was the only insured earner of those living here, insurance stopped, of age."""
    first, _ = _stands(stop, rule)

    def alone(day: int) -> bool:
        paid = [(each, newest(household, Contribution, each.person, day)) for each in staying(household, day)]
        stops = _stops(household, [(each, fact) for each, fact in paid if fact is not None], day, rule)
        mine = (each for each in stops if each.member.person == stop.member.person)
        return any((each.silent_from, each.alone_from) == (stop.silent_from, stop.alone_from) for each in mine)

    born = [each.born for each in household.head.members if each.born is not None]
    birthdays = [birthday(each, age) for each in born for age in rule.ages("working_age")]
    told = [each.day for each in (*household.deaths(), *household.employments())]
    days = [first, *birthdays, *told, *edges(household, first, today)]
    return unbroken_from((day for day in days if first <= day <= today), alone, first)


def _birthdays(members: list[Member], today: int, rule: Rule) -> list[date | None]:
    ages = (rule.number("child_under"), rule.number("elder_from"))
    return [next_birthday(each, ages, today) for each in members]


def _dependants(household: Household, others: list[Member], today: int, rule: Rule, standard: Rule) -> bool:
    """Whether somebody here is a minor, old, or severely disabled."""
    return any(
        under(each, rule.number("child_under"), today)
        or at_least(each, rule.number("elder_from"), today)
        or severely_disabled(household, each.person, today, standard)
        for each in others
    )


def _breach(
    household: Household, stop: _Stop, months: int, members: list[Member], today: int, rule: Rule, standard: Rule
) -> Breach:
    others = [each for each in members if each.person != stop.member.person]
    dependants = _dependants(household, others, today, rule, standard)
    together = "全家" if stop.alone_from > stop.silent_from else ""
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
            f"{month_text(stop.alone_from)}起{together}连续{months}个月无缴费记录，家中没有其他参保缴费的成员"
            f"{'，且有老人、未成年人或重残人员需要照顾' if dependants else ''}（满{line.value}个月提示，{line.cited}）"
        ),
        evidence=(
            EvidenceItem(stop.last_paid.key, _FEED, stop.last_paid.source, stop.last_paid.day, stop.last_paid.base_fen),
        ),
        person=stop.member.person,
        news=months,
    )
