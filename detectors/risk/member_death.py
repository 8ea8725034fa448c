"""MEMBER-DEATH 家庭成员去世: somebody of the household died and others stay behind."""

from datetime import date
from typing import NamedTuple

from detectors.calendar import day_text, months_later
from detectors.certificates import SEVERE, severely_disabled
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import anybody_died, at_least, living, member_at_death, next_birthday, residents, under
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
    version="1.1.0",
    family=Family.RISK,
    listens=("vital.death", "civil.household", "disability.certificate"),
    rule="member_death",
    standards=(SEVERE,),
)
def member_death(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per deceased member while others remain, higher when only minors or severely disabled people do.

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
            standard = policy.rule(SEVERE, household.responsible_area)
            findings.add(_breach(household, loss, left, today, rule, standard))
            findings.recheck(date.fromordinal(until))
            findings.recheck(*(next_birthday(each, (rule.number("child_under"),), today) for each in left))
    return findings


def _losses(household: Household, today: int) -> list[_Loss]:
    """Members reported dead by today."""
    found: list[_Loss] = []
    for person in residents(household):
        reports = [each for each in household.deaths(person) if each.day <= today]
        if not reports:
            continue
        day = min(each.day for each in reports)
        member = member_at_death(household, person, day)
        if member is not None:
            found.append(_Loss(member, day, reports))
    return sorted(found, key=lambda each: (each.day, each.member.person))


def _left_behind(household: Household, loss: _Loss, remaining: list[Member]) -> list[Member]:
    """Of those living here now, the ones who lived with the deceased on the day of death."""
    then = {each.person for each in household.members_on(loss.day)}
    return [each for each in remaining if each.person in then]


def _breach(
    household: Household, loss: _Loss, remaining: list[Member], today: int, rule: Rule, standard: Rule
) -> Breach:
    helpless = [
        under(each, rule.number("child_under"), today) or severely_disabled(household, each.person, today, standard)
        for each in remaining
    ]
    old = [at_least(each, rule.number("elder_from"), today) for each in remaining]
    frail = all(one or other for one, other in zip(helpless, old, strict=True))
    sources = "、".join(sorted({ReportedBy[each.reported_by].label for each in loss.reports}))
    line = rule.mark("deaths")
    return Breach(
        cause=loss.member.person,
        subject=loss.member.relation,
        since=date.fromordinal(loss.day),
        severity=rule.number("severity_left_alone" if all(helpless) else "severity"),
        measure=1,
        unit="deaths",
        threshold=line,
        reason=(
            f"{who(loss.member.relation)}于{day_text(loss.day)}去世（{sources}），家中还有{len(remaining)}人"
            f"{'，都是老人、未成年人或重残人员' if frail else ''}，需要关心走访（{line.cited}）"
        ),
        evidence=tuple(EvidenceItem(each.key, Death.feed, each.source, each.day, 1) for each in loss.reports),
        person=loss.member.person,
    )
