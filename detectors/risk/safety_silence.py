"""SAFETY-SILENCE 居家安全报警: another system raised an alarm about somebody and nobody knows how it ended.

A household detector on alarms of systems that watch homes. It reads no meter, calls nobody and judges no silence: what
counts as silence is the other system's to say, and so is the outcome. A stay in hospital or with relatives is known
from that outcome alone. What it raises is for the telephone first, apart from questions of poverty.
"""

from datetime import date
from typing import NamedTuple

from detectors.calendar import day_text
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import at_least, next_birthday, staying
from detectors.quiet import none_of, unless_told
from detectors.registry import Family, detector
from detectors.spans import Span, ends, holding, next_edge, unbroken_since
from detectors.words import who
from households.ledger import Household, Member
from policy.parameters import Policy, Rule
from schemas.facts_contact import SafetyAlarm
from schemas.feeds.safety import Alarm, AlarmOutcome

_HELPED = {AlarmOutcome.RESCUED, AlarmOutcome.HOSPITAL}


class _Heard(NamedTuple):
    """An alarm that counts; `over`: somebody was with the person, what is left is to look after them."""

    alarm: SafetyAlarm
    over: bool


@detector(
    code="SAFETY-SILENCE",
    version="1.1.0",
    family=Family.RISK,
    listens=("safety.incident", "civil.household", "vital.death"),
    rule="safety_silence",
    quiet=unless_told(SafetyAlarm),
    trial=True,
)
def safety_silence(household: Household, on: date, policy: Policy) -> Findings:
    """One breach per person while an alarm is open, and for some days after somebody was rescued or taken to hospital.

    An unanswered call counts from the second one within the days the place sets; a device offline, and an alarm that
    ended as safe, away or a fault, never. An alarm nobody closes counts for a few days only: later it is for its own
    system to explain. Lower where another adult lives in the household. `since` is the first day of the unbroken
    stretch. Measure: alarms. The feed tells events and closes no month, so silence is never called `Insufficient`.
    """
    findings = Findings.covering(household, on, policy)
    if none_of(household, (SafetyAlarm,)):
        return findings
    rule = policy.rule("safety_silence", household.responsible_area)
    today = on.toordinal()
    members = staying(household, today)
    for member in members:
        spans = _spans(household.of_kind(SafetyAlarm, member.person, day_to=today + 1), rule)
        findings.recheck(next_edge(ends(spans), today))
        since = unbroken_since(spans, today, lambda heard: len(heard) >= rule.number("alarms"))
        if since is not None:
            others = [each for each in members if each.person != member.person]
            findings.add(_breach(member, others, holding(spans, today), since, today, rule))
            findings.recheck(*(next_birthday(each, (rule.number("adult_from"),), today) for each in others))
    return findings


def _spans(alarms: list[SafetyAlarm], rule: Rule) -> list[Span[_Heard]]:
    """When each alarm counts."""
    unanswered = [each for each in alarms if each.kind == Alarm.NO_ANSWER and _matters(each)]
    spans = []
    for alarm in alarms:
        if not _matters(alarm) or (alarm.kind == Alarm.NO_ANSWER and not _repeated(alarm, unanswered, rule)):
            continue
        over = alarm.outcome in _HELPED
        spans.append(
            Span(alarm.day, alarm.day + rule.number("follow_days" if over else "stands_days"), _Heard(alarm, over))
        )
    return spans


def _matters(alarm: SafetyAlarm) -> bool:
    return alarm.kind != Alarm.OFFLINE and (alarm.outcome == AlarmOutcome.OPEN or alarm.outcome in _HELPED)


def _repeated(alarm: SafetyAlarm, unanswered: list[SafetyAlarm], rule: Rule) -> bool:
    """Whether so many calls, this one among them, went unanswered in the days up to it; help given needs no second."""
    if alarm.outcome in _HELPED:
        return True
    first = alarm.day - rule.number("calls_within_days")
    calls = [each for each in unanswered if first <= each.day <= alarm.day]
    return len(calls) >= rule.number("calls")


def _breach(member: Member, others: list[Member], heard: list[_Heard], since: int, today: int, rule: Rule) -> Breach:
    pending = [each.alarm for each in heard if not each.over]
    adult = any(at_least(each, rule.number("adult_from"), today) for each in others)
    line = rule.mark("alarms")
    last = max((each.alarm for each in heard), key=lambda each: (each.day, each.key))
    if pending:
        level, ask = rule.number("severity"), "尚无处置结果，请立即电话联系，联系不上即上门"
        if adult:
            level, ask = rule.number("severity_with_others"), "尚无处置结果，家中另有成年成员，请先电话联系"
    else:
        level = rule.number("severity_after")
        ask = f"{AlarmOutcome[last.outcome].label}，请回访了解身体和照料情况"
    sorts = "、".join(sorted({Alarm[each.alarm.kind].label for each in heard}))
    return Breach(
        cause=member.person,
        subject=member.relation,
        since=date.fromordinal(since),
        severity=level,
        measure=len(heard),
        unit="alarms",
        threshold=line,
        reason=(
            f"{who(member.relation)}有{len(heard)}次居家安全报警（{sorts}，最近{day_text(last.day)}），{ask}（{line.cited}）"
        ),
        evidence=tuple(
            EvidenceItem(each.alarm.key, SafetyAlarm.feed, each.alarm.source, each.alarm.day, 1) for each in heard
        ),
        person=member.person,
    )
