"""EXPIRY 到期提醒: a recognition ends or a review is due soon, and nobody has begun with it.

A household detector on schemes and checks of means. It reminds before a day and falls silent on it: what became of a
recognition is for its own records to say. Certificates that run out are NEW-DISABILITY's. A review is due once a year
from the day the scheme began, twice where a member of working age without a severe disability holds it; a scheme that
is still held after that day is taken as reviewed, because no file says when a review ended.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from detectors.calendar import birthday, day_text, months_later
from detectors.certificates import SEVERE, severe
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.lacking import in_force, member_on, turns
from detectors.people import staying
from detectors.quiet import never_registered, unless_registered
from detectors.registry import Family, detector
from detectors.spans import answered_since, next_edge
from detectors.words import who
from households.ledger import HOUSEHOLD, Household, Member
from households.standing import disabilities
from policy.parameters import Policy, Rule
from policy.schemes import Schemes
from schemas.facts import Membership, Status
from schemas.facts_standing import CheckRequest
from schemas.feeds.checks import CheckPurpose


class _Due(NamedTuple):
    """What is due: the scheme it is about, since when that is held, and the day."""

    scheme: str
    since: int
    day: int


Ask = Callable[[int], _Due | None]


@detector(
    code="EXPIRY",
    version="1.1.0",
    family=Family.ENTITLEMENT,
    listens=("civil.household", "check.request", "disability.certificate", "vital.death"),
    rule="expiry",
    standards=(SEVERE,),
    quiet=unless_registered,
    trial=True,
)
def expiry(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per person and recognition, and one per household for the review, in the days before they are due.

    A recognition ends on the day it says, else after the months the place sets, and needs no reminder where the next
    one is known to begin by then; a review that was asked for in time is under way. `since`: the first day of the
    reminder. Measure: days from there to the day.
    """
    findings = Findings.covering(household, on, policy)
    if never_registered(household):
        return findings
    rule, today = policy.rule("expiry", household.responsible_area), on.toordinal()
    standard = policy.rule(SEVERE, household.responsible_area)
    kinds, notice = rule.words("kinds"), rule.number("notice_days")
    asked: list[tuple[str, str, Ask, set[int]]] = []
    if "RECOGNITION" in kinds:
        for member in staying(household, today):
            days = {_ends(each, rule) for each in _told(household, rule, "recognition_schemes", member.person)}
            for scheme in rule.words("recognition_schemes"):
                ask = _recognition(household, member.person, scheme, rule)
                asked.append((f"{member.person}/{scheme}", member.relation, ask, days))
    if "REVIEW" in kinds:
        asked.append((f"{HOUSEHOLD}/review", "HOUSEHOLD", *_review(household, rule, standard, today)))
    for cause, relation, ask, days in asked:
        edges = {*turns(household), *days, *(day - notice for day in days)}
        findings.recheck(next_edge(edges, today))
        due = ask(today)
        since = answered_since(edges, ask, today)
        if due is not None and since is not None:
            first = max(since, rule.since.toordinal())
            findings.add(_breach(household, cause, relation, due, first, policy.schemes, rule))
    return findings


def _told(household: Household, rule: Rule, key: str, person: str | None = None) -> list[Status]:
    """Every scheme of these that somebody was ever said to hold here."""
    return [
        each
        for member in household.head.members
        if not member.gone and person in (None, member.person)
        for each in member.statuses
        if each.scheme in rule.words(key)
    ]


def _ends(status: Status, rule: Rule) -> int:
    """The day on which a recognition ends: the one it says, else after the months the place sets."""
    return status.until if status.until is not None else months_later(status.since, rule.number("recognition_months"))


def _recognition(household: Household, person: str, scheme: str, rule: Rule) -> Ask:
    notice = rule.number("notice_days")
    begun = [each.since for each in _told(household, rule, "recognition_schemes", person) if each.scheme == scheme]

    def ask(day: int) -> _Due | None:
        then = member_on(household, person, day)
        for each in then.statuses if then is not None else ():
            ends = _ends(each, rule)
            renewed = any(each.since < since <= ends for since in begun)
            if each.scheme == scheme and each.since <= day < ends and ends - notice <= day and not renewed:
                return _Due(scheme, each.since, ends)
        return None

    return ask


def _review(household: Household, rule: Rule, standard: Rule, today: int) -> tuple[Ask, set[int]]:
    """Whether a review of the household is due soon, and the days on which that may change."""
    notice = rule.number("notice_days")
    asked_on = sorted(each.day for each in household.of_kind(CheckRequest) if each.purpose == CheckPurpose.REVIEW)
    last = months_later(today, rule.number("review_months") + 1)
    begun = {each.since for each in _told(household, rule, "review_schemes")}
    dues = {since: _reviews(household, since, last, rule, standard) for since in sorted(begun)}

    def ask(day: int) -> _Due | None:
        held = [
            each
            for member in staying(household, day)
            for each in in_force(member.statuses, day)
            if each.scheme in rule.words("review_schemes")
        ]
        if not held:
            return None
        first = min(held, key=lambda each: (each.since, each.scheme))
        due = next((each for each in dues[first.since] if each > day), None)
        if due is None or day < due - notice or any(due - 2 * notice <= each <= day for each in asked_on):
            return None
        return _Due(first.scheme, first.since, due)

    return ask, {*asked_on, *(day for days in dues.values() for day in days)}


def _reviews(household: Household, since: int, last: int, rule: Rule, standard: Rule) -> list[int]:
    """The days on which reviews are due, up to a day; each interval by who held the scheme when it began."""
    days, day = [], since
    while day <= last:
        able = any(_able(household, each, day, rule, standard) for each in staying(household, day))
        day = months_later(day, rule.number("review_months_able" if able else "review_months"))
        days.append(day)
    return days


def _able(household: Household, member: Member, day: int, rule: Rule, standard: Rule) -> bool:
    """Whether somebody is of working age and not severely disabled; who has no date of birth is not counted."""
    if member.born is None:
        return False
    young, old = rule.ages("working_age")
    of_age = birthday(member.born, young) <= day < birthday(member.born, old)
    return of_age and not any(severe(each, standard) for each in disabilities(household, member.person, day))


def _breach(
    household: Household, cause: str, relation: str, due: _Due, since: int, schemes: Schemes, rule: Rule
) -> Breach:
    line, label = rule.mark("notice_days"), schemes.label(due.scheme)
    what = (
        f"{label}认定到{day_text(due.day)}到期，请提前告知并协助重新申请，避免中断"
        if relation != "HOUSEHOLD"
        else f"{label}定期复核应在{day_text(due.day)}前完成，还没有核对委托记录，请安排上门，提前告知需要的材料"
    )
    return Breach(
        cause=cause,
        subject=relation,
        since=date.fromordinal(since),
        severity=rule.number("severity"),
        measure=due.day - since,
        unit="days",
        threshold=line,
        reason=f"{who(relation)}{what}（提前{line.value}天提醒，{line.cited}）",
        evidence=_registrations(household, due),
    )


def _registrations(household: Household, due: _Due) -> tuple[EvidenceItem, ...]:
    return tuple(
        EvidenceItem(each.key, Membership.feed, each.source, each.day, 1)
        for each in household.head.members
        if not each.gone and any((one.scheme, one.since) == (due.scheme, due.since) for one in each.statuses)
    )
