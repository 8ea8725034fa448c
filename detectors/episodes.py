"""Episodes: from findings to alerts. One continuous breach of (household, detector, cause) keeps one `alert_id`.

`step` is called after every evaluation, `moved` after every fold, `release` at golive. They change the episodes in
the household's head and return what has to be said, in an order that follows from content alone.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import msgspec

from detectors.alert_parts import areas_of, evidence_of
from detectors.findings import HISTORY, Breach, EvidenceItem, Findings, Insufficient, Quota
from detectors.grounds import groundless
from detectors.registry import Detector, Family
from households.ledger import Household
from households.state import Episode
from policy.parameters import Policy
from schemas.alerts import Alert, AlertState
from schemas.calendar import SHANGHAI

EvaluateAt = Callable[[date], Findings]


class _Detail(msgspec.Struct, array_like=True, frozen=True):
    """What was last said about an episode, kept so that its end can be explained as well as its beginning."""

    subject: str
    unit: str
    title: str
    number: str | None
    status: str
    policy: str
    reason: str
    evidence: tuple[EvidenceItem, ...]
    coverage: tuple[Insufficient, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode_detail = msgspec.msgpack.Decoder(_Detail).decode


@dataclass(frozen=True, slots=True)
class Told:
    """What to send, in order, and whether the household's head has to be written."""

    alerts: list[Alert]
    changed: bool


NOTHING_TOLD = Told([], changed=False)


def step(
    household: Household,
    detector: Detector,
    findings: Findings,
    *,
    on: date,
    policy: Policy,
    live: bool,
    known_at: int,
    evaluate_at: EvaluateAt,
    stock: bool = False,
) -> Told:
    """Bring the episodes of one detector in line with its findings; the alerts to send, by cause.

    `live`: the detector speaks in the household's area; before that everything happens silently, but what was said
    once is followed to its end. `stock`: what was found before and never said is left to the release of a golive.
    `known_at`: ms of the input. `evaluate_at`: the detector on an earlier day, with today's facts, that day's policy;
    it tells `withdrawn` (never was so) from `lapsed` (was so). While something missing keeps a breach open that no
    longer shows, `findings` ask to be looked at again the next day. It keeps open neither what rests on nothing any
    more, because every record behind it was reversed, nor a review of which one was.
    """
    unseen = _in_force(household, detector.code)
    if not findings.breaches and not unseen:
        return NOTHING_TOLD
    speaker = _Speaker(household, detector, on, policy, known_at)
    for breach in sorted(findings.breaches, key=lambda each: each.cause):
        same = unseen.pop(breach.cause, [])
        for double in same[1:]:
            speaker.end(double, "withdrawn")
        if same:
            speaker.follow(same[0], breach, findings, live and not stock)
        elif breach.goes_with not in household.head.waiting:
            speaker.open(breach, findings, live)
    if unseen and findings.insufficient:
        _end(speaker, _lost(household, detector, unseen), evaluate_at, sure=True)
        if _in_force(household, detector.code).keys() & unseen.keys():
            findings.recheck(on + timedelta(days=1))
    elif unseen:
        _end(speaker, unseen, evaluate_at)
    return speaker.told(_by_cause)


def moved(
    household: Household,
    left: Iterable[tuple[Episode, str]],
    detectors: Mapping[str, Detector],
    *,
    on: date,
    policy: Policy,
    known_at: int,
) -> list[Alert]:
    """The alerts of episodes that ended here because their person left (`FoldResult.moved`)."""
    return [
        _Speaker(household, detectors[episode.detector], on, policy, known_at).alert(episode, "moved", moved_to=home)
        for episode, home in left
        if episode.emitted and episode.detector in detectors
    ]


def release(
    household: Household,
    detector: Detector,
    findings: Findings,
    *,
    on: date,
    policy: Policy,
    known_at: int,
    quota: Quota,
) -> Told:
    """At golive: what is in force and was never said, as the baseline 存量, by severity, then alert_id.

    A breach found only now belongs to the baseline as well; one that no longer shows is left to the next `step`.
    """
    speaker = _Speaker(household, detector, on, policy, known_at)
    known = _in_force(household, detector.code)
    for breach in findings.breaches:
        if breach.cause in known:
            speaker.follow(known[breach.cause][0], breach, findings, live=False)
        elif breach.goes_with not in household.head.waiting:
            speaker.open(breach, findings, live=False)
    shown = {breach.cause for breach in findings.breaches}
    for cause, episodes in _in_force(household, detector.code).items():
        if not episodes[0].emitted and (cause in shown or findings.insufficient):
            episodes[0].baseline = True
            speaker.say(episodes[0], "raised", quota)
    return speaker.told(lambda alert: (-alert.severity, alert.alert_id))


def alert_id(household: str, detector: str, cause: str, since: int) -> str:
    """UUIDv5 of household, detector, cause and the `since` of the first raise."""
    return str(uuid5(NAMESPACE_URL, f"{household}|{detector}|{cause}|{date.fromordinal(since).isoformat()}"))


class _Speaker:
    """Changes one household's episodes of one detector and collects what has to be said."""

    def __init__(self, household: Household, detector: Detector, on: date, policy: Policy, known_at: int) -> None:
        self._household, self._detector, self._on, self._policy = household, detector, on, policy
        self._known_at = known_at
        self._said: list[Alert] = []
        self._changed = False

    def told(self, order: Callable[[Alert], tuple[str | int, ...]]) -> Told:
        """Everything said so far."""
        if self._changed:
            self._household.dirty_head = True
        return Told(sorted(self._said, key=order), self._changed)

    def open(self, breach: Breach, findings: Findings, live: bool) -> None:
        """A breach that is not in force: the same one again under its alert_id, or a new one."""
        since = breach.since.toordinal()
        code, cause, episodes = self._detector.code, breach.cause, self._household.head.episodes
        episode = next((e for e in episodes if (e.detector, e.cause, e.first_since) == (code, cause, since)), None)
        if episode is None:
            name = alert_id(self._household.id, code, cause, since)
            opened = self._on.toordinal()
            episode = Episode(code, cause, name, 0, since, since, opened, 0, 0, 0, "", emitted=False, baseline=False)
            episodes.append(episode)
            episodes.sort(key=lambda each: each.order)
        episode.ended = episode.ended_on = None
        episode.baseline = False
        self._changed = True
        self._describe(episode, breach, findings)
        if live or episode.emitted:
            self.say(episode, "raised")

    def follow(self, episode: Episode, breach: Breach, findings: Findings, live: bool) -> None:
        """A breach that goes on: a message only when something worth one differs."""
        before, spoken = episode.digest, episode.emitted
        self._describe(episode, breach, findings)
        if live and not spoken:
            self.say(episode, "raised")
        elif spoken and episode.digest != before:
            self.say(episode, "updated")

    def end(self, episode: Episode, state: AlertState) -> None:
        """A breach that is no more; what explained it was said with its end and is kept no longer."""
        episode.ended, episode.ended_on = state, self._on.toordinal()
        self._changed = True
        if episode.emitted:
            self.say(episode, state)
        episode.detail, episode.digest = b"", ""

    def say(self, episode: Episode, state: AlertState, quota: Quota | None = None) -> None:
        """The next revision."""
        episode.revision += 1
        episode.emitted = True
        self._changed = True
        self._said.append(self.alert(episode, state, quota=quota))

    def alert(
        self, episode: Episode, state: AlertState, quota: Quota | None = None, moved_to: str | None = None
    ) -> Alert:
        """The message of an episode as it stands."""
        detail = _decode_detail(episode.detail)
        document = {"title": detail.title, "number": detail.number, "status": detail.status}
        # One validation of plain values: building every part as a model of its own costs three times as much.
        return Alert.model_validate(
            {
                "alert_id": episode.alert_id, "revision": episode.revision, "state": state,
                "household": self._household.id,
                "areas": areas_of(self._household),
                "detector": self._detector.code, "detector_version": self._detector.version,
                "family": self._detector.family.value,
                "subject": detail.subject, "cause": episode.cause,
                "since": date.fromordinal(episode.since),
                "severity": episode.severity,
                "measure": episode.measure,
                "unit": detail.unit,
                "threshold": {"value": episode.threshold_fen, "document": document, "policy": detail.policy},
                "reason": detail.reason,
                "evidence": [evidence_of(each) for each in detail.evidence],
                "coverage": [{"feed": each.feed, "last_covered": each.last_covered} for each in detail.coverage],
                "baseline": episode.baseline,
                "per_day": quota.per_day if quota else None, "quota_area": quota.area if quota else None,
                "moved_to": moved_to,
                "on": self._on,
                "known_at": datetime.fromtimestamp(self._known_at / 1000, SHANGHAI),
            }
        )  # fmt: skip

    def _describe(self, episode: Episode, breach: Breach, findings: Findings) -> None:
        line, since = breach.threshold, breach.since.toordinal()
        lacking = (*findings.insufficient, *findings.uncovered)
        coverage = tuple(each for each in lacking if each.feed != HISTORY)
        document = line.document
        weighed = (since, breach.severity, line.value, document.title, document.number, document.status)
        news = (breach.news,) if breach.news else ()  # without any digests are those of before: nobody hears anew
        digest = hashlib.blake2b(_encode((weighed, breach.evidence, coverage, *news)), digest_size=8).hexdigest()
        if digest == episode.digest:
            return
        episode.since, episode.severity, episode.measure = since, breach.severity, breach.measure
        episode.threshold_fen, episode.digest, episode.person = line.value, digest, breach.goes_with
        episode.detail = _encode(
            _Detail(
                breach.subject,
                breach.unit,
                document.title,
                document.number,
                document.status,
                self._policy.version,
                breach.reason,
                breach.evidence,
                coverage,
            )
        )
        self._changed = True


def _lost(household: Household, rule: Detector, unseen: Mapping[str, list[Episode]]) -> dict[str, list[Episode]]:
    """Those without the ground they stood on; none while somebody's history is on its way."""
    wholly = rule.family is not Family.REVIEW

    def lost(episode: Episode) -> bool:
        known = _decode_detail(episode.detail).evidence if episode.detail else ()
        return groundless(household, known, wholly=wholly)

    return {} if household.head.waiting else {cause: list(filter(lost, told)) for cause, told in unseen.items()}


def _end(speaker: _Speaker, gone: Mapping[str, list[Episode]], evaluate_at: EvaluateAt, sure: bool = False) -> None:
    answers: dict[int, Findings] = {}
    for cause, episodes in gone.items():
        for episode in episodes:
            then = answers.get(episode.since)
            if then is None:
                then = answers[episode.since] = evaluate_at(date.fromordinal(episode.since))
            # An answer that lacks something cannot say that it never was so.
            was_so = (bool(then.insufficient) and not sure) or any(each.cause == cause for each in then.breaches)
            speaker.end(episode, "lapsed" if was_so else "withdrawn")


def _in_force(household: Household, code: str) -> dict[str, list[Episode]]:
    """Open episodes by cause, the oldest first: two of one cause meet when a person brings one along."""
    found: dict[str, list[Episode]] = {}
    for episode in household.head.episodes:
        if episode.detector == code and episode.ended is None:
            found.setdefault(episode.cause, []).append(episode)
    for same in found.values():
        if len(same) > 1:
            same.sort(key=lambda each: (each.opened_on, each.alert_id))
    return found


def _by_cause(alert: Alert) -> tuple[str | int, ...]:
    return (alert.cause, alert.alert_id, alert.revision)
