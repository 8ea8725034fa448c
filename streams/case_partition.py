"""One partition of case work as the checkpoint folds it: alerts and commands in, case events out as its only state."""

from collections.abc import Iterable

from pydantic import ValidationError

from cases.deadlines import default_deadlines
from schemas.alerts import Alert
from schemas.case_commands import CaseTick, decode_command
from schemas.cases import CaseEvent, decode_event, encode_event
from schemas.errors import Reject
from schemas.topics import ALERTS
from streams.casework import Casework
from streams.checkpoint import Drained
from streams.delivery import Letter
from streams.metrics import METRICS
from streams.rejected import Coordinates, dead_letters
from streams.statelog import Item


class CasePartition:
    """Decides each input once; an input that cannot be read is kept sealed."""

    def __init__(self, partition: int, partitions: int, public_key: bytes, history: Iterable[CaseEvent] = ()) -> None:
        self._partition = partition
        self._partitions = partitions
        self._public_key = public_key
        self._history = history
        self._work = Casework(partition, partitions, default_deadlines())
        self._events: list[CaseEvent] = []
        self._letters: list[Letter] = []
        for event in history:
            self._work.restore(event)

    @property
    def work(self) -> Casework:
        """The cases themselves."""
        return self._work

    @property
    def dirty(self) -> int:
        """Events not yet delivered."""
        return len(self._events)

    def fold(self, topic: str, offset: int, timestamp_ms: int, value: bytes) -> None:
        """Takes an alert, a command or a tick."""
        try:
            if topic == ALERTS:
                events = self._work.on_alert(Alert.model_validate_json(value), timestamp_ms)
            else:
                order = decode_command(value)
                if isinstance(order, CaseTick):
                    events = self._work.on_tick(order.at_ms)
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
        """Takes an event of our own past."""
        if value is not None:
            self._work.restore(decode_event(value))

    def opened(self) -> None:
        """Nothing to prepare."""

    def reset(self) -> bool:
        """Case work mixes durable and fresh events: with fresh ones pending everything is read again."""
        clean = not self._events
        self._letters = []
        return clean

    def drain(self) -> Drained:
        """Rejections first, then the events."""
        letters, self._letters = self._letters, []
        events, self._events = self._events, []
        for event in events:
            METRICS.count("lidm_case_events_total", lane=str(event.lane or "none"), type=str(event.type))
        return Drained(
            letters,
            [Item(e.household.encode(), encode_event(e), int(e.at.timestamp() * 1000)) for e in events],
        )

    def keep(self, state: list[Item]) -> None:
        """The events are already folded."""


def _words(error: Reject | ValidationError) -> tuple[str, str, str]:
    if isinstance(error, Reject):
        return str(error.code), error.pointer, error.message_zh
    first = error.errors(include_input=False)[0]
    return "BAD_FIELD", "/" + "/".join(map(str, first["loc"])), "不是本系统的预警或指令，请检查格式"
