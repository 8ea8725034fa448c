"""When an alert calls nobody: it rests after a case about the same cause was closed, or because a person said so.

Rests are worked out anew from the household's cases of the lane whenever it matters, so they end by themselves: on
their day, when the case they follow from is worked again, when a person lifts them, or when the alert gets worse.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from operator import itemgetter
from typing import NamedTuple

from cases.grouping import Grouping
from cases.view import Case
from schemas.case_words import Handling, Lane, Outcome
from schemas.cases import AlertNote


class Rest(NamedTuple):
    """Until when an alert calls nobody, why, and the case on which it is noted."""

    until: date
    why: Handling
    case: Case


def holder_of(cases: Iterable[Case], alert_id: str) -> Case | None:
    """The case that heard last of an alert; the one that works it, where it was taken up from its rest on another."""

    def heard(case: Case) -> tuple[int, bool]:
        return case.alerts[alert_id].revision, alert_id not in case.resting

    return max((case for case in cases if alert_id in case.alerts), key=heard, default=None)


def calls_for_work(note: AlertNote, holder: Case | None) -> bool:
    """Whether a revision needs somebody to act, rather than a remark on the case that knows the alert.

    `updated` does where the alert is new here (somebody moved in), is back, is worse than when its case was closed, or
    was left to rest: then it is asked again whether it may.
    """
    if note.state == "raised":
        return True
    if note.state != "updated":
        return False
    if holder is None or note.alert_id in holder.resting:
        return True
    back = not holder.alerts[note.alert_id].standing
    return holder.closed is not None and (back or note.severity > holder.closed_severity)


def rest_of(cases: Iterable[Case], lane: Lane, note: AlertNote, on: date, rules: Grouping) -> Rest | None:
    """The longest rest of an alert among the household's cases of the lane; None when it has none.

    Who works the household anyway hears of what is cooling down, but not of what somebody inhibited.
    """
    if rules.is_urgent(note, lane):
        return None
    known = tuple(cases)
    worked = any(case.closed is None and not case.held for case in known)
    found = [_inhibited(case, note, on) for case in known]
    found += [] if worked else [_cooling(case, note, on, rules) for case in known]
    return max((rest for rest in found if rest is not None), key=itemgetter(0), default=None)


def merges_into(cases: Iterable[Case], responsible: str | None, on: date, rules: Grouping) -> Case | None:
    """The case closed last, where that is so recent that a new alert works it again; None: a new case has to be opened.

    Not a case that was handed over, nor that of an area which is no longer responsible.
    """
    closed = [(case.closed_at, case) for case in cases if case.closed_at is not None]
    if not closed:
        return None
    at, case = max(closed, key=itemgetter(0))
    here = case.areas is None or responsible is None or case.areas.responsible == responsible
    kept = case.closed is not None and case.closed.outcome is not Outcome.HANDED_OVER
    return case if here and kept and on < at.date() + timedelta(days=rules.merge_days) else None


def _inhibited(case: Case, note: AlertNote, on: date) -> Rest | None:
    said = case.inhibited.get(note.detector)
    if said is None or on >= said.until or note.severity > said.severity:
        return None
    return Rest(said.until, Handling.INHIBITED, case)


def _cooling(case: Case, note: AlertNote, on: date, rules: Grouping) -> Rest | None:
    if case.closed is None or case.closed_at is None or note.detector in rules.heard:
        return None
    if case.closed.outcome not in rules.cooldown_outcomes or note.severity > case.closed_over.get(note.about, 0):
        return None
    until = case.closed_at.date() + timedelta(days=rules.cooldown_days)
    return Rest(until, Handling.COOLDOWN, case) if on < until else None
