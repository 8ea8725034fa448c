"""Runs detectors on one household and moves its episodes; plans when to look again. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import structlog

from detectors import episodes
from detectors.findings import Findings, Insufficient, Quota
from detectors.kept import kept
from detectors.registry import Detector, Sure
from households.horizon import next_change
from households.ledger import FoldResult, Household
from policy.bundle import Bundle
from policy.parameters import Policy, PolicyMissing
from schemas.alerts import Alert
from schemas.feed_units import is_unit
from streams.control import Control, Halt, date_of
from streams.ground import Ground
from streams.metrics import METRICS, CounterName

log = structlog.get_logger("lidm.monitor")
ANY = "*"
"""Recheck slot of the household itself: facts, memberships and statuses that begin or end in the future."""


class Outlook(NamedTuple):
    """What the policy of a day says of a detector in an area.

    When it changes next, as ordinal too (always after the policy's own day); whether every value is signed; and the
    detector's cheap question whether it is sure to be silent, None where it has none.
    """

    next_change: date | None
    ordinal: int | None
    signed: bool
    silent: Sure | None


Said = tuple[Alert, int]
"""An alert and when it was known."""
Standing = tuple[tuple[str, int | None, Sure], ...]
"""Of each detector that listens: its code, the day its policy changes, its cheap question."""


class Judge:
    """The detectors of a partition; what they have to say collects in `alerts`, with the time it was known."""

    def __init__(self, detectors: Mapping[str, Detector]) -> None:
        self.detectors = detectors
        self._read = {code for each in detectors.values() for code in each.reads}
        self.alerts: list[Said] = []
        self._policy: Policy | None = None
        self._outlooks: dict[tuple[str, str], Outlook] = {}
        self._terms: dict[tuple[str, str], Outlook] = {}
        self._standing: dict[tuple[frozenset[str], str], Standing | None] = {}
        self._listening: dict[frozenset[str], tuple[Detector, ...]] = {}

    def listening(self, feeds: frozenset[str]) -> Iterable[Detector]:
        """Detectors that listen to any of these feeds."""
        known = self._listening.get(feeds)
        if known is None:
            known = tuple(detector for detector in self.detectors.values() if detector.listens & feeds)
            self._listening[feeds] = known
        return known

    def due(self, household: Household, on: int) -> Iterable[Detector]:
        """Detectors that wanted to look again by today; all of them when the household itself looks different."""
        rechecks = household.head.rechecks
        if rechecks.get(ANY, on + 1) <= on:
            return self.detectors.values()
        return [d for d in self.detectors.values() if rechecks.get(d.code, on + 1) <= on]

    def concerned(self, feed: str, *, listening: bool) -> list[Detector]:
        """Detectors whose answer a closed batch of this feed can change.

        Absence counts for those that read it. Those that only listen differ when rows were replaced, or when the
        feed had been missing until now (`listening`).
        """
        return [d for d in self.detectors.values() if feed in d.absence or (listening and feed in d.listens)]

    def unmoved(self, household: Household, feeds: frozenset[str], policy: Policy) -> bool:
        """Whether `look` is sure to say nothing and plan nothing; never with an episode, whatever its detector."""
        if policy is not self._policy:
            self._renew(policy)
        asked, head = (feeds, household.responsible_area), household.head
        try:
            standing = self._standing[asked]
        except KeyError:
            standing = self._stand(asked, policy)
        if standing is None or head.episodes:
            return False
        try:
            for code, ordinal, silent in standing:
                if head.rechecks.get(code) != ordinal or not silent(household):
                    return False
        except Exception:  # `look` meets it again
            return False
        return True

    def look(self, household: Household, detectors: Iterable[Detector], control: Ground, known_at: int) -> bool:
        """Evaluates on the partition's day; whether anything of the household changed."""
        bundle, on = control.bundle, control.on
        if bundle is None or on is None:
            return False
        day = date_of(on)
        policy = bundle.on(day)
        area = household.responsible_area
        changed = False
        about = "feed" if is_unit(household.id) else "household"
        for detector in detectors:
            if detector.about != about:
                continue
            outlook = self.outlook(detector, policy, area)
            quiet = outlook.silent is not None and _silent(outlook.silent, detector, household)
            if quiet or control.stopped(detector.code, area):  # stopped: episodes stand, `resume` looks at everybody
                changed |= _set(household, detector.code, outlook.ordinal)
                continue
            findings = self._find(detector, household, day, bundle)
            if findings is None:  # what was due stays undone: without a later day it would be due for ever
                changed |= _set(household, detector.code, outlook.ordinal)
                continue
            if findings.breaches or household.head.episodes:
                speaks = outlook.signed and control.live(detector.code, area)
                stock = speaks and control.awaits(detector.code, area, household.id)
                changed |= self._step(household, detector, findings, bundle, day, (speaks, stock), known_at)
            findings.recheck(outlook.next_change)
            again = findings.recheck_on
            changed |= _set(household, detector.code, max(again.toordinal(), on + 1) if again else None)
        return changed

    def _step(
        self,
        household: Household,
        detector: Detector,
        findings: Findings,
        bundle: Bundle,
        day: date,
        voice: tuple[bool, bool],
        known_at: int,
    ) -> bool:
        """Moves the detector's episodes; whether anything of them changed. `voice`: live, and with stock to release."""
        told = episodes.step(
            household,
            detector,
            findings,
            on=day,
            policy=bundle.on(day),
            live=voice[0],
            stock=voice[1],
            known_at=known_at,
            evaluate_at=lambda when: self._find_at(detector, household, when, bundle),
        )
        self.alerts += [(alert, known_at) for alert in told.alerts]
        return told.changed

    def release(self, household: Household, code: str, control: Control, quota: Quota, known_at: int) -> bool:
        """Tells breaches already in force as baseline: the detector has just gone live."""
        bundle, on, detector = control.bundle, control.on, self.detectors.get(code)
        if bundle is None or on is None or detector is None or (detector.about == "feed") != is_unit(household.id):
            return False
        if control.stopped(code, household.responsible_area):
            return False
        day = date_of(on)
        findings = self._find(detector, household, day, bundle)
        if findings is None or not self.outlook(detector, bundle.on(day), household.responsible_area).signed:
            return False
        household.dirty_head = True
        told = episodes.release(
            household, detector, findings, on=day, policy=bundle.on(day), known_at=known_at, quota=quota
        )
        self.alerts += [(alert, known_at) for alert in told.alerts]
        return told.changed

    def resume(self, household: Household, code: str, control: Control, halt: Halt, known_at: int) -> bool:
        """Catches up where a stop is over and no other holds: what began meanwhile, differs or has ended is told.

        Where the detector went live during the stop, what was never said is baseline, as at any golive.
        """
        detector, area = self.detectors.get(code), household.responsible_area
        if detector is None or control.stopped(code, area):
            return False
        untold = [each for each in control.chain(area) if household.id > halt.reached.get(each, "")]
        golives = [Quota(each, halt.golives[each]) for each in untold if each in halt.golives]
        told = bool(golives) and self.release(household, code, control, golives[0], known_at)
        return self.look(household, (detector,), control, known_at) or told

    def depart(self, household: Household, outcome: FoldResult, control: Ground, known_at: int) -> None:
        """Says of episodes that left with a person where they went."""
        if outcome.moved and control.bundle is not None and control.on is not None:
            day = date_of(control.on)
            policy = control.bundle.on(day)
            household.dirty_head = True
            left = episodes.moved(household, outcome.moved, self.detectors, on=day, policy=policy, known_at=known_at)
            self.alerts += [(alert, known_at) for alert in left]

    def plan(self, household: Household, on: int) -> None:
        """When the household looks different by itself: something known begins or ends after today."""
        _set(household, ANY, next_change(household, on))

    def _renew(self, policy: Policy) -> None:
        """Another day or another bundle; what holds of a bundle until a day to come is not asked anew each day."""
        before = self._policy
        if before is None or before.version != policy.version or policy.day < before.day:
            self._terms = {}
        self._policy, self._outlooks, self._standing = policy, {}, {}

    def _stand(self, asked: tuple[frozenset[str], str], policy: Policy) -> Standing | None:
        """What to ask for these feeds in an area; None where one of the detectors has no cheap question."""
        feeds, area = asked
        looks = [(each.code, self.outlook(each, policy, area)) for each in self.listening(feeds)]
        found = tuple((code, look.ordinal, look.silent) for code, look in looks if look.silent is not None)
        standing = self._standing[asked] = found if len(found) == len(looks) else None
        return standing

    def outlook(self, detector: Detector, policy: Policy, area: str) -> Outlook:
        """What the policy of a day says of a detector in an area."""
        if policy is not self._policy:
            self._renew(policy)
        try:
            return self._outlooks[detector.code, area]
        except KeyError:
            known = self._outlooks[detector.code, area] = self._look_out(detector, policy, area)
            return known

    def _look_out(self, detector: Detector, policy: Policy, area: str) -> Outlook:
        terms = self._terms.get((detector.code, area))
        if terms is None or (terms.next_change is not None and terms.next_change <= policy.day):
            try:
                terms = self._terms[detector.code, area] = _terms(detector, policy, area)
            except PolicyMissing:  # nobody declared the household yet, or no value is in force
                return Outlook(None, None, signed=False, silent=None)
        return terms._replace(silent=_asked(detector, policy, area))

    def _find(self, detector: Detector, household: Household, day: date, bundle: Bundle) -> Findings | None:
        """The detector's answer; None where its parameters are missing: then its episodes stand as they are.

        A rule that fails cannot know, and is asked again the next day: by then somebody may have mended it.
        """
        try:
            if detector.code in self._read:
                return replace(kept(detector, household, day, bundle.on(day)))
            return detector.evaluate(household, day, bundle.on(day))
        except PolicyMissing:
            self._count("lidm_policy_missing_total", detector)
            return None
        except Exception as error:  # a faulty rule must not stop the others; metrics and log show it
            self._count("lidm_detector_failures_total", detector)
            log.error("detector_failed", detector=detector.code, error=type(error).__name__)
            unknown = _unknown(detector)
            unknown.recheck(day + timedelta(days=1))
            return unknown

    def _count(self, metric: CounterName, detector: Detector) -> None:
        METRICS.count(metric, detector=detector.code)

    def _find_at(self, detector: Detector, household: Household, day: date, bundle: Bundle) -> Findings:
        found = self._find(detector, household, day, bundle)
        return found if found is not None else _unknown(detector)


def _unknown(detector: Detector) -> Findings:
    return Findings(insufficient=[Insufficient(detector.rule, None)])


def _nothing_open(household: Household, code: str) -> bool:
    return not any(each.detector == code and each.ended is None for each in household.head.episodes)


def _silent(sure: Sure, detector: Detector, household: Household) -> bool:
    """Whether the detector is sure to have nothing to say; what it cannot answer, `_find` deals with."""
    if household.head.episodes and not _nothing_open(household, detector.code):
        return False
    try:
        return sure(household)
    except Exception:
        return False


def _asked(detector: Detector, policy: Policy, area: str) -> Sure | None:
    try:
        return detector.quiet(policy.day, policy, area) if detector.quiet is not None else None
    except Exception:  # `_find` meets the same fault and makes it seen
        return None


def _terms(detector: Detector, policy: Policy, area: str) -> Outlook:
    """What holds until the next change. Raises PolicyMissing."""
    rules = [policy.rule(name, area) for name in detector.parameters]
    rules += [rule for name in detector.optional if (rule := policy.known(name, area)) is not None]
    changes = [policy.next_change(name, area) for name in (*detector.parameters, *detector.optional)]
    signed = all(rule.status != "example" for rule in rules)
    change = min((day for day in changes if day is not None), default=None)
    return Outlook(change, change.toordinal() if change else None, signed, None)


def _set(household: Household, slot: str, day: int | None) -> bool:
    rechecks = household.head.rechecks
    if rechecks.get(slot) == day:
        return False
    household.dirty_head = True
    if day is None:
        del rechecks[slot]
    else:
        rechecks[slot] = day
    return True
