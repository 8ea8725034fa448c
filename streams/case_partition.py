"""One partition of case work as the checkpoint folds it: alerts and commands in, case events out as its only state.

Snapshots repeat what the events say, so that a restart need not read them all.
"""

from collections.abc import Iterable

import structlog
from pydantic import ValidationError

from cases.deadlines import default_deadlines
from cases.snapshot import decode_record
from schemas.alerts import Alert
from schemas.case_commands import CaseTick, StormRelease, decode_command
from schemas.case_words import EventType
from schemas.cases import CaseEvent, decode_event, encode_event
from schemas.errors import Reject
from schemas.explain import step_of
from schemas.topics import ALERTS
from streams.case_snapshot import CHAIN, MARKER, decode_marker, snapshot_of
from streams.casework import Casework
from streams.checkpoint import Drained
from streams.delivery import Letter
from streams.metrics import METRICS
from streams.rejected import Coordinates, dead_letters
from streams.statelog import Item

log = structlog.get_logger("lidm.cases")
SNAPSHOT_EVERY = 20
"""Events between two snapshots: few, because a restart reads them all in every partition."""


class CasePartition:
    """Decides each input once; an input that cannot be read is kept sealed."""

    def __init__(self, partition: int, partitions: int, public_key: bytes, history: Iterable[CaseEvent] = ()) -> None:
        self._partition = partition
        self._partitions = partitions
        self._public_key = public_key
        self._work = Casework(partition, partitions, default_deadlines())
        self._events: list[CaseEvent] = []
        self._letters: list[Letter] = []
        self._every: int | None = None
        self._covered = 0
        for event in _in_order(history):
            self._work.restore(event)

    def keep_snapshots(self, every: int = SNAPSHOT_EVERY) -> None:
        """From here on state holds a snapshot whenever so many events are not in one yet."""
        self._every = every

    @property
    def work(self) -> Casework:
        """The cases themselves."""
        return self._work

    @property
    def dirty(self) -> int:
        """Events not yet delivered."""
        return len(self._events)

    @property
    def reached(self) -> None:
        """Events say nothing about offsets: an input that comes again is known by its id."""

    def fold(self, topic: str, offset: int, timestamp_ms: int, value: bytes) -> None:
        """Takes an alert, a command or a tick."""
        try:
            if topic == ALERTS:
                events = self._work.on_alert(Alert.model_validate_json(value), timestamp_ms)
            else:
                order = decode_command(value)
                if isinstance(order, CaseTick):
                    events = self._work.on_tick(min(order.at_ms, timestamp_ms))
                elif isinstance(order, StormRelease):
                    events = self._work.on_storm_release(order, timestamp_ms)
                else:
                    events = self._work.on_command(order, timestamp_ms)
        except (Reject, ValidationError) as error:
            at = Coordinates(topic, self._partition, offset, timestamp_ms)
            code, pointer, text = _words(error)
            self._letters.extend(
                dead_letters(code, pointer, text, at, None, value, self._public_key, self._partitions)
            )
            METRICS.count("lidm_events_rejected_total", feed=topic, code=code)
            return
        self._events.extend(events)

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Takes a record of a snapshot, its marker last, or an event of our own past."""
        if value is None:
            return
        if key.startswith(CHAIN):
            self._work.recall(key.removeprefix(CHAIN).decode(), decode_record(value))
        elif key.startswith(MARKER) and (marker := decode_marker(value)):
            self._work.begin(marker.opened)
            self._covered = self._work.view.events
        else:
            self._work.restore(decode_event(value))

    def opened(self) -> None:
        """Recalled cases join the restored ones."""
        self._work.settle()

    def reset(self) -> bool:
        """Case work mixes durable and fresh events: with fresh ones pending everything is read again."""
        clean = not self._events
        self._letters = []
        return clean

    def drain(self) -> Drained:
        """Rejections first, then the events, then a snapshot when one is due."""
        letters, self._letters = self._letters, []
        events, self._events = self._events, []
        for event in events:
            METRICS.count("lidm_case_events_total", lane=str(event.lane or "none"), type=str(event.type))
        state = [Item(e.household.encode(), encode_event(e), int(e.at.timestamp() * 1000)) for e in events]
        return Drained(letters, state + self._snapshot())

    def keep(self, state: list[Item]) -> None:
        """The events are already folded."""

    def _snapshot(self) -> list[Item]:
        if self._every is None or self._work.view.events - self._covered < self._every:
            return []
        items = snapshot_of(self._work, self._partition)
        if not items:
            self._every = None
            log.warning("case_outgrew_snapshots", partition=self._partition, note="重启时将重读此后的全部个案事件")
        self._covered = self._work.view.events
        return items


def _in_order(history: Iterable[CaseEvent]) -> list[CaseEvent]:
    """Archived events case by case, cases in the order of opening."""
    events = list(history)
    opened = {event.case_id: event.at_ms for event in events if event.type is EventType.OPENED}
    return sorted(events, key=lambda event: (opened.get(event.case_id, 0), event.case_id, event.seq))


def _words(error: Reject | ValidationError) -> tuple[str, str, str]:
    if isinstance(error, Reject):
        return str(error.code), error.pointer, error.message_zh
    first = error.errors(include_input=False)[0]
    return "BAD_FIELD", "".join(map(step_of, first["loc"])), "不是本系统的预警或指令，请检查格式"
