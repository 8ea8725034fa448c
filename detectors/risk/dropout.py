"""DROPOUT 辍学: a child of compulsory school age is in no school, as far as complete enrolment files tell.

A household detector on spells at schools. There is no attendance feed, so a child who is enrolled and stays away is
not seen; a child whose first school year began before the files did is not judged either. Moving to a school of another
province looks like leaving none: such a gap weighs less and asks to be checked.
"""

from datetime import date
from typing import NamedTuple

from detectors.calendar import birthday, day_text, months_later
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import at_least, staying, under
from detectors.registry import Family, Sure, detector
from detectors.words import who
from households.ledger import Household, Member
from policy.parameters import Policy, Rule
from schemas.facts import first_day, month_of
from schemas.facts_living import Schooling
from schemas.feeds.education import Leaving, Stage

_FEED = "education.enrolment"
_BEFORE_SCHOOL = Stage.PRESCHOOL


class _Gap(NamedTuple):
    """A child in no school: `counts` from that day on, if the files of the `silent` months are complete."""

    child: Member
    last: Schooling | None
    since: int
    key: str
    silent: range


def _grown(on: date, policy: Policy, area: str) -> Sure:
    """Whether nobody who was ever a member is still under the age at which school stops being compulsory."""
    _, leaving = policy.rule("dropout", area).ages("compulsory_age")
    today = on.toordinal()

    def sure(household: Household) -> bool:
        members = household.head.members
        return all(each.born is None or birthday(each.born, leaving) <= today for each in members)

    return sure


@detector(
    code="DROPOUT",
    version="1.0.0",
    family=Family.RISK,
    listens=("education.enrolment", "civil.household", "vital.death"),
    rule="dropout",
    absence=("education.enrolment",),
    quiet=_grown,
    trial=True,
)
def dropout(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per child of compulsory age in no school for the school days, or months, the place sets.

    Leaving without another school counts by itself; after a transfer, a finished primary school or in the year of the
    first enrolment, silence counts only where the files of all months in between are complete. A junior school
    finished, a suspension within its months and holidays count nothing. `since` is the day after the last of the
    days waited; measure: the days (months for a suspension and for a first enrolment).
    """
    findings = Findings.covering(household, on, policy, _FEED)
    rule = policy.rule("dropout", household.responsible_area)
    chain = policy.areas.chain(household.responsible_area, on)
    today, (starting, leaving) = on.toordinal(), rule.ages("compulsory_age")
    for child in staying(household, today):
        if child.born is None or not under(child, leaving, today):
            continue
        findings.recheck(date.fromordinal(birthday(child.born, leaving)))
        gap = _gap(household, child, _entry(child.born, starting), today, rule)
        if gap is None:
            continue
        findings.recheck(date.fromordinal(gap.since) if gap.since > today else None)
        complete = all(household.coverage.closed(_FEED, month, chain) for month in gap.silent)
        if gap.since <= today and complete and at_least(child, starting, today):
            findings.add(_breach(gap, rule))
    return findings


def _entry(born: int, starting: int) -> int:
    """The first 1 September on which a child has reached school age."""
    day = birthday(born, starting)
    when = date.fromordinal(day)
    return max(day, date(when.year if (when.month, when.day) <= (9, 1) else when.year + 1, 9, 1).toordinal())


def _gap(household: Household, child: Member, entry: int, today: int, rule: Rule) -> _Gap | None:
    """The gap a child is in on a day, None while enrolled, after a finished compulsory school, or before school age."""
    spells = [each for each in household.of_kind(Schooling, child.person) if each.day <= today]
    if any(each.until is None or today < each.until for each in spells):
        return None
    last = max(spells, key=lambda each: (each.until or 0, each.day, each.key), default=None)
    if last is None or last.until is None or (last.stage == _BEFORE_SCHOOL and last.until <= entry):
        return _never(child, last, entry, rule)
    if last.ended == Leaving.GRADUATED and last.stage != Stage.PRIMARY and last.stage != _BEFORE_SCHOOL:
        return None
    if last.ended == Leaving.SUSPENDED:
        since = months_later(last.until, rule.number("suspended_months"))
        return _Gap(child, last, max(since, entry), "suspended_months", range(0))
    key = "left_days" if last.ended == Leaving.LEFT else "transfer_days"
    since = _after_school_days(max(last.until, entry), rule.number(key), rule)
    told = last.ended == Leaving.LEFT
    return _Gap(child, last, since, key, range(0) if told else _months(last.until, since))


def _never(child: Member, last: Schooling | None, entry: int, rule: Rule) -> _Gap:
    """Never at a school that counts: the months after the first 1 September of school age must be complete."""
    first = month_of(entry)
    months = rule.number("entry_months")
    return _Gap(child, last, first_day(first + months), "entry_months", range(first, first + months))


def _months(first: int, after: int) -> range:
    return range(month_of(first), month_of(after - 1) + 1)


def _after_school_days(first: int, days: int, rule: Rule) -> int:
    """The day after so many days outside the holiday months, counted from `first`."""
    holidays = {int(month) for month in rule.words("holiday_months")}
    day = first
    while days > 0:
        days -= date.fromordinal(day).month not in holidays
        day += 1
    return day


_HOW = {
    "left_days": "离校未续学，已过{days}天",
    "transfer_days": "后{days}天没有新的学籍，可能已在外地就读，请先核实",
    "suspended_months": "休学，满{days}个月没有复学记录，请先核实",
}


def _breach(gap: _Gap, rule: Rule) -> Breach:
    line, child, last = rule.mark(gap.key), gap.child, gap.last
    if last is not None and last.until is not None and gap.key in _HOW:
        ended = "转出" if last.ended == Leaving.TRANSFERRED else "毕业" if last.ended == Leaving.GRADUATED else ""
        how = f"{day_text(last.until)}{Stage[last.stage].label}{ended}{_HOW[gap.key].format(days=line.value)}"
    else:
        how = f"已到入学年龄，开学后{line.value}个月的学籍数据里没有入学记录，请先核实"
    return Breach(
        cause=child.person,
        subject=child.relation,
        since=date.fromordinal(gap.since),
        severity=rule.number("severity" if gap.key == "left_days" else "severity_unsure"),
        measure=line.value,
        unit="days" if gap.key.endswith("days") else "months",
        threshold=line,
        reason=f"{who(child.relation)}是义务教育适龄儿童，{how}（{line.cited}）",
        evidence=(EvidenceItem(last.key, _FEED, last.source, last.day, 0),) if last is not None else (),
        person=child.person,
    )
