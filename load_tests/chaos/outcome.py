"""What a run came to, in a form that two runs can be compared by; and whether a run agrees with itself."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import msgspec

from cases.view import CaseView
from households.codec import canonical, in_force
from load_tests.chaos.lab import Lab
from load_tests.chaos.topics import read_all
from schemas.alerts import Alert
from schemas.cases import CaseEvent, decode_event
from schemas.records import ForwardRecord, Record, SweepRecord, TransferRecord, decode_block
from schemas.topics import ALERTS, CASE_EVENTS, HOUSEHOLD_EVENTS, REJECTED, STATE
from streams.rebuild import differences as different_records
from streams.rebuild import read_state
from streams.watch import Watch

Key = tuple[str, int]


@dataclass(frozen=True)
class Outcome:
    """Ledgers and episodes by household, newest alert by alert id, cases by what they are about."""

    ledgers: dict[str, Any]
    episodes: dict[str, Any]
    alerts: dict[str, Any]
    cases: dict[str, Any]


def outcome(lab: Lab) -> Outcome:
    """The outcome of a quiet lab."""
    households = {
        name: watch.household(name)
        for watch in read_state(lab.config, lab.lag.ends(STATE)).values()
        for name in watch.names()
    }
    return Outcome(
        ledgers={name: canonical(each) for name, each in sorted(households.items())},
        episodes={name: in_force(each.head.episodes) for name, each in sorted(households.items())},
        alerts=_newest(_alerts(lab)),
        cases=_cases(_case_events(lab)),
    )


def differences(one: Outcome, other: Outcome) -> list[str]:
    """Everything in which two outcomes differ."""
    found = []
    for what in (each.name for each in fields(Outcome)):
        mine, theirs = getattr(one, what), getattr(other, what)
        for key in sorted(mine.keys() | theirs.keys()):
            if mine.get(key) != theirs.get(key):
                found.append(f"{what} {key}: {_narrow(mine.get(key), theirs.get(key))}")
    return found


def contradictions(lab: Lab) -> list[str]:
    """Where a quiet run disagrees with itself: the state, the alerts and the mail are what the log says, record by
    record; repeated messages say the same; the store has what the topics have."""
    fold = _Refold(lab)
    return [*fold.states(), *fold.alerts(), *fold.mail(), *_repeats(lab), *_rows(lab, fold)]


class _Refold:
    """The log of a run, folded again by one pure watch per partition."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.blocks = read_all(lab.config.broker, lab.config.partitions, HOUSEHOLD_EVENTS)
        self._watches = {p: Watch(p, lab.config) for p in range(lab.config.partitions)}
        self._said: list[Alert] = []
        self._sent: set[bytes] = set()
        for count, block in enumerate(self.blocks, 1):
            watch = self._watches[block.partition]
            watch.fold(HOUSEHOLD_EVENTS, block.offset, block.timestamp, block.value)
            if count % 200 == 0:
                self._drain()
        self._drain()

    def _drain(self) -> None:
        for watch in self._watches.values():
            drained = watch.drain()
            watch.keep(drained.state)
            for letter in drained.outputs:
                if letter.topic == ALERTS:
                    self._said.append(Alert.model_validate_json(letter.value or b""))
                elif letter.topic == HOUSEHOLD_EVENTS:
                    self._sent |= {_mailed(record) for record in decode_block(letter.value or b"")}

    def states(self) -> Iterable[str]:
        """Records of the state topic that the log does not lead to."""
        running = read_state(self._lab.config, self._lab.lag.ends(STATE))
        for p, watch in self._watches.items():
            mine, theirs = dict(watch.records()), dict(running[p].records())
            for key in different_records(watch, running[p]):
                yield f"state {p} {key}: {_told(mine.get(key))} from the log, {_told(theirs.get(key))} running"

    def alerts(self) -> Iterable[str]:
        """Alerts on the topic that the log does not lead to, and the other way round."""
        return _set_difference("alert", {_alert_key(a): a for a in self._said}, _told_alerts(_alerts(self._lab)))

    def mail(self) -> Iterable[str]:
        """Transfers, forwards and turns of sweeps that were not written, or that nobody owed."""
        written = {
            _mailed(record)
            for block in self.blocks
            for record in decode_block(block.value)
            if isinstance(record, TransferRecord | ForwardRecord | SweepRecord)
        }
        yield from (f"mail not written: {each[:200]!r}" for each in self._sent - written)
        yield from (f"mail nobody owed: {each[:200]!r}" for each in written - self._sent)


def _repeats(lab: Lab) -> Iterable[str]:
    said: dict[Key, Alert] = {}
    for alert in _alerts(lab):
        if said.setdefault(_alert_key(alert), alert) != alert:
            yield f"alert {_alert_key(alert)} said twice with different content"
    view = CaseView()
    for event in _case_events(lab):
        view.apply(event)


def _rows(lab: Lab, fold: _Refold) -> Iterable[str]:
    counts = lab.store.counts()
    topics = {
        "alerts": len({_alert_key(a) for a in _alerts(lab)}),
        "case_events": len({(e.case_id, e.seq) for e in _case_events(lab)}),
        "blocks": len(fold.blocks),
        "rejected": len(_letters(lab)),
    }
    for what, expected in topics.items():
        if getattr(counts, what) != expected:
            yield f"store has {getattr(counts, what)} {what}, topics have {expected}"
    archived = {(b.partition, b.offset): b.block for b in lab.store.read_household_log(lab.config.generation)}
    for block in fold.blocks:
        if archived.get((block.partition, block.offset)) != block.value:
            yield f"household_log lacks {block.partition}/{block.offset}"


def _letters(lab: Lab) -> set[tuple[bytes, ...]]:
    wanted = ("topic", "partition", "offset", "pointer", "code")
    found = set()
    for message in read_all(lab.config.broker, lab.config.partitions, REJECTED):
        headers = dict(message.headers)
        found.add(tuple(headers[name] for name in wanted))
    return found


def _alerts(lab: Lab) -> list[Alert]:
    messages = read_all(lab.config.broker, lab.config.partitions, ALERTS)
    return [Alert.model_validate_json(message.value) for message in messages]


def _case_events(lab: Lab) -> list[CaseEvent]:
    return [decode_event(m.value) for m in read_all(lab.config.broker, lab.config.partitions, CASE_EVENTS)]


def _newest(alerts: Iterable[Alert]) -> dict[str, Any]:
    newest: dict[str, Alert] = {}
    for alert in alerts:
        if alert.alert_id not in newest or newest[alert.alert_id].revision < alert.revision:
            newest[alert.alert_id] = alert
    wanted = {"alert_id", "state", "household", "detector", "cause", "since", "severity", "measure", "baseline"}
    return {name: alert.model_dump(mode="json", include=wanted) for name, alert in newest.items()}


def _cases(events: Iterable[CaseEvent]) -> dict[str, Any]:
    view = CaseView()
    for event in events:
        view.apply(event)
    return {
        name: {
            "household": case.household,
            "lane": str(case.lane),
            "state": str(case.state),
            "alerts": sorted([note.alert_id, note.state, note.severity] for note in case.alerts.values()),
        }
        for name, case in view.cases.items()
    }


def _alert_key(alert: Alert) -> Key:
    return (alert.alert_id, alert.revision)


def _told_alerts(alerts: Iterable[Alert]) -> dict[Key, Alert]:
    return {_alert_key(alert): alert for alert in alerts}


def _set_difference(what: str, mine: dict[Key, Alert], theirs: dict[Key, Alert]) -> Iterable[str]:
    for key in sorted(mine.keys() | theirs.keys()):
        if mine.get(key) != theirs.get(key):
            yield f"{what} {key}: {_narrow(_dump(mine.get(key)), _dump(theirs.get(key)))}"


def _dump(alert: Alert | None) -> Any:
    return alert.model_dump(mode="json") if alert else None


def _mailed(record: Record) -> bytes:
    return msgspec.msgpack.encode(record)


def _told(raw: bytes | None) -> str:
    return "nothing" if raw is None else f"{len(raw)} bytes at {int.from_bytes(raw[:8], 'big', signed=True)}"


def _narrow(mine: Any, theirs: Any) -> str:
    """The parts that differ, not the whole."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return "; ".join(f"{k}: {_narrow(mine.get(k), theirs.get(k))}" for k in mine if mine[k] != theirs.get(k))
    if isinstance(mine, list) and isinstance(theirs, list):
        return f"only one: {_without(mine, theirs)} only other: {_without(theirs, mine)}"
    return f"{str(mine)[:300]} | {str(theirs)[:300]}"


def _without(these: list[Any], those: list[Any]) -> str:
    return str([each for each in these if each not in those])[:300]
