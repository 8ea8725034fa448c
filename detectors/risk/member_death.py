"""MEMBER-DEATH 家庭成员去世: somebody of the household died and others stay behind."""

from datetime import date
from typing import NamedTuple

from detectors.calendar import day_text, months_later
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import anybody_died, at_least, living, next_birthday, residents, under
from detectors.registry import Family, detector
from detectors.words import who
from households.ledger import Household, Member
from policy.parameters import Policy, Rule
from schemas.facts import Death
from schemas.labels import ReportedBy


class _Loss(NamedTuple):
    """A member who died: the earliest reported day and the reports."""

    member: Member
    day: int
    reports: list[Death]


@detector(
    code="MEMBER-DEATH",
    version="1.0.0",
    family=Family.RISK,
    listens=("vital.death", "civil.household"),
    rule="member_death",
)
def member_death(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per deceased member while others remain, higher when only minors or the old remain.

    Subject is the deceased by relation; `since` is the earliest reported day of death. It stands for the months the
    place sets, then it has passed. Who left the household before dying is not meant. Measure: deaths (1).
    """
    findings = Findings.covering(household, on, policy, "vital.death")
    if not anybody_died(household):
        return findings
    rule = policy.rule("member_death", household.responsible_area)
    today = on.toordinal()
    remaining = living(household, today)
    for loss in _losses(household, today):
        until = months_later(loss.day, rule.number("stands_months"))
        left = _left_behind(household, loss, remaining)
        if left and today < until:
            findings.add(_breach(loss, left, today, rule))
            findings.recheck(date.fromordinal(until))
            birthdays = (rule.number("child_under"), rule.number("elder_from"))
            findings.recheck(*(next_birthday(each, birthdays, today) for each in left))
    return findings


def _losses(household: Household, today: int) -> list[_Loss]:
    """Members reported dead by today. A roster that ends a membership on the day of death still had them."""
    found: list[_Loss] = []
    for person in residents(household):
        reports = [each for each in household.deaths(person) if each.day <= today]
        if not reports:
            continue
        day = min(each.day for each in reports)
        members = [*household.members_on(day), *household.members_on(day - 1)]
        member = next((each for each in members if each.person == person), None)
        if member is not None:
            found.append(_Loss(member, day, reports))
    return sorted(found, key=lambda each: (each.day, each.member.person))


def _left_behind(household: Household, loss: _Loss, remaining: list[Member]) -> list[Member]:
    """Of those living here now, the ones who lived with the deceased on the day of death."""
    then = {each.person for each in household.members_on(loss.day)}
    return [each for each in remaining if each.person in then]


def _breach(loss: _Loss, remaining: list[Member], today: int, rule: Rule) -> Breach:
    alone = all(
        under(each, rule.number("child_under"), today) or at_least(each, rule.number("elder_from"), today)
        for each in remaining
    )
    sources = "、".join(sorted({ReportedBy[each.reported_by].label for each in loss.reports}))
    line = rule.mark("deaths")
    return Breach(
        cause=loss.member.person,
        subject=loss.member.relation,
        since=date.fromordinal(loss.day),
        severity=rule.number("severity_left_alone" if alone else "severity"),
        measure=1,
        unit="deaths",
        threshold=line,
        reason=(
            f"{who(loss.member.relation)}于{day_text(loss.day)}去世（{sources}），家中还有{len(remaining)}人"
            f"{'，都是老人或未成年人' if alone else ''}，需要关心走访（{line.cited}）"
        ),
        evidence=tuple(EvidenceItem(each.key, Death.feed, each.source, each.day, 1) for each in loss.reports),
        person=loss.member.person,
    )
