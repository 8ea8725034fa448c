"""Decides about rows as intake would, without a broker: what is certainly right is seen quickly, all else explained.

The quick way asks the decoder's own `deliver`; whatever it does not accept goes through the whole event and the whole
decoder. So a row passes here exactly when the event it becomes is accepted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from gateway.columns import Columns
from gateway.events import Envelope, Parsed
from gateway.identities import BadIdentity, Linkage
from gateway.problems import RowProblem
from gateway.rows import day_field
from schemas.envelope import Decoder, Delivery, Problem, is_clean
from schemas.feed import FeedSpec
from schemas.plain_identity import surely_plain

_FIRST_DAY = "1900-01-01"
_FIRST = date.fromisoformat(_FIRST_DAY)
_LONGEST_ID = 64
_LAST = 2**31 - 1
_EXTRAS = ("identity", "id_type", "id", "operation", "recordedtime", "sequence")


@dataclass(frozen=True)
class Accepted:
    """A row that passes: whose fact it is, under which key, on which day."""

    person: str
    key: str
    day: int


class _Event(msgspec.Struct, gc=False):
    """An event as `deliver` reads it, used again for every row: making one costs as much as deciding."""

    type: str
    source: str
    time: datetime
    recordedtime: datetime
    id: str = "1"
    operation: str = "record"
    sequence: int = 0
    batchid: str | None = None
    subject: str = ""
    data: Any = None


class Judge:
    """Decides about the rows of one file."""

    def __init__(self, spec: FeedSpec, envelope: Envelope, known_at_ms: int, columns: dict[str, str]) -> None:
        """`columns`: what the file calls the fields, for explanations."""
        self._spec, self._envelope, self.known_at_ms = spec, envelope, known_at_ms
        self._decoder = Decoder(spec)
        self._data = msgspec.json.Decoder(self._decoder.data_type).decode
        self._event: Any = _Event(spec.event_type, envelope.source, envelope.recorded, envelope.recorded)
        self._columns = Columns(spec, columns)

    def __call__(self, row: Parsed) -> Delivery | RowProblem:
        """The delivery a row becomes, or what is wrong with it."""
        return self._quick(row) or self._slow(row)

    def _quick(self, row: Parsed) -> Delivery | None:
        if row.operation != "record" or row.recorded is not None or not row.keyed or row.event_id is not None:
            return None
        if row.sequence is not None and not 0 <= row.sequence <= _LAST:
            return None
        try:
            data = self._data(row.data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if not (surely_plain(row.data) or is_clean(row.data)) or (row.day is not None and row.day < _FIRST_DAY):
            return None
        return self.deliver(row.person, data)

    def deliver(self, person: str, data: Any) -> Delivery | None:
        """The delivery of data that is well-formed and clean; None where the decoder has something to say."""
        event = self._event
        event.subject, event.data = person, data
        outcome = self._decoder.deliver(event, self.known_at_ms)
        return outcome if type(outcome) is Delivery else None

    def _slow(self, row: Parsed) -> Delivery | RowProblem:
        try:
            event = self._envelope.event(row)
        except UnicodeEncodeError:
            return RowProblem(row.row, "", "含有无法识别的字节", code="BAD_ENCODING")
        outcome = self._decoder.decode(event, self.known_at_ms)[0]
        if isinstance(outcome, Delivery):
            return outcome
        if not isinstance(outcome, Problem):
            raise TypeError("a row became a manifest")
        return self._columns.problem(row.row, outcome)

    def line_reader(self, linkage: Linkage) -> Callable[[bytes], Delivery | None]:
        """A function that decides about a whole JSON line at once; None where the line needs the long way."""
        names = {f.name for f in self._spec.fields}
        if names & set(_EXTRAS):
            return lambda _: None
        read = msgspec.json.Decoder(_line_type(self._decoder.data_type)).decode
        keys = self._spec.key_fields
        day = day_field(self._spec)
        first = next((_FIRST_DAY if f.kind == "month" else _FIRST for f in self._spec.fields if f.name == day), None)

        def decide(line: bytes) -> Delivery | None:
            try:
                said = read(line)
                person = linkage.person(said.identity)
            except (msgspec.DecodeError, UnicodeError, BadIdentity):
                return None
            if said.id_type is not None or said.operation is not None or said.recordedtime is not None:
                return None
            if said.sequence is not None and not 0 <= said.sequence <= _LAST:
                return None
            for key in keys:
                if getattr(said, key) is None:
                    return None
            if said.id is not None and (len(said.id) > _LONGEST_ID or said.identity[-12:] in said.id):
                return None
            rest = line.replace(said.identity.encode(), b"", 1)
            if not (surely_plain(rest) or is_clean(rest)):
                return None
            if day is not None and (began := getattr(said, day)) is not None and began < first:
                return None
            return self.deliver(person, said)

        return decide


def _line_type(data_type: Any) -> Any:
    """The data of a feed with what stands beside it in a JSON line, as one struct that shares the feed's methods."""
    fields: list[Any] = []
    for each in msgspec.structs.fields(data_type):
        fields.append((each.name, each.type) if each.required else (each.name, each.type, each.default))
    fields.append(("identity", str))
    fields += [(name, str | None, None) for name in ("id_type", "id", "operation", "recordedtime")]
    fields.append(("sequence", int | None, None))
    shared = {name: getattr(data_type, name) for name in ("natural_key", "day", "problems", "to_fact")}
    return msgspec.defstruct(
        "Line", fields, namespace=shared, forbid_unknown_fields=True, frozen=True, gc=False, kw_only=True
    )
