"""Sealed topics `inbox.<feed>.v1`: departments publish to Kafka themselves, the identity column sealed for the gateway.

A message is a CloudEvent (or an array) without subject, with `sealedid` = base64 of the identity number sealed under
the gateway's public key for exactly this event (source and id are bound to it) and `idtype`. The gateway opens it,
writes the event under the pseudonym into the feed's topic, and commits after delivery. Batches are told anew: rows of
one inbox partition spread over all partitions of the feed. An element that cannot be taken is counted by code and
told to the reader, who keeps the message sealed among the dead letters as intake does.
"""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from gateway.events import Parsed
from gateway.identities import ID_TYPES, RESIDENT, BadIdentity, Linkage
from gateway.publisher import Publisher
from schemas.envelope import Delivery, Manifest, Outcome, Problem
from schemas.feed import FeedSpec
from schemas.partition import partition_of
from schemas.sealing import SealBroken, open_sealed, seal
from schemas.topics import inbox_topic

_TYPES = {RESIDENT, *ID_TYPES.values()}


class Refused(NamedTuple):
    """Why an element of a message is not sent on: reject code, where in the message, a Chinese reason, its batch."""

    code: str
    pointer: str
    reason: str
    batch: str | None = None


class NotTaken(ValueError):
    """An element that cannot become an event; its text is a Chinese reason without any content."""

    def __init__(self, code: str, reason: str, flaw: str = "", pointer: str = "") -> None:
        super().__init__(reason)
        self.code, self.flaw, self.pointer = code, flaw, pointer


def seal_identity(public_key: bytes, number: str, source: str, event_id: str) -> str:
    """What a department puts into `sealedid`."""
    return base64.b64encode(seal(public_key, number.encode(), aad=_bytes(f"{source}|{event_id}"))).decode()


@dataclass
class _Batch:
    """A batch while its rows pass: rows by inbox partition and by feed partition, and who has begun and ended it."""

    begun: set[int] = field(default_factory=set)
    ended: dict[int, int] = field(default_factory=dict)
    arrived: dict[int, int] = field(default_factory=dict)
    sent: dict[int, int] = field(default_factory=dict)
    spoiled: bool = False


@dataclass
class SealedFeed:
    """Re-writes the messages of one feed's inbox. `keep`: whether a person's row is in scope."""

    spec: FeedSpec
    linkage: Linkage
    private_key: bytes
    publisher: Publisher
    keep: Callable[[Parsed], bool]
    now_ms: Callable[[], int]
    batches: dict[str, _Batch] = field(default_factory=dict)
    sent: int = 0
    left_out: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    identities: dict[str, int] = field(default_factory=dict)

    def take(self, partition: int, value: bytes | None) -> list[Refused]:
        """Sends what a message says on; certain after the publisher's flush. What cannot be taken is counted and
        returned."""
        try:
            said = json.loads(value or b"")
        except (ValueError, RecursionError):
            return [self._refused(Refused("NOT_JSON", "", "不是 JSON"))]
        if said == []:
            return [self._refused(Refused("NOT_ENVELOPE", "", "空数组"))]
        refused = []
        for index, element in enumerate(said if isinstance(said, list) else [said]):
            try:
                self._element(partition, element)
            except NotTaken as problem:
                if problem.flaw:
                    self.identities[problem.flaw] = self.identities.get(problem.flaw, 0) + 1
                self._spoil(element)
                pointer = f"/{index}{problem.pointer}" if isinstance(said, list) else problem.pointer
                batch = element.get("batchid") if isinstance(element, dict) else None
                named = batch if isinstance(batch, str) else None
                refused.append(self._refused(Refused(problem.code, pointer, str(problem), named)))
        return refused

    def _element(self, partition: int, element: object) -> None:
        if not isinstance(element, dict) or not all(isinstance(element.get(n), str) for n in ("id", "source", "type")):
            raise NotTaken("NOT_ENVELOPE", "不是事件")
        if element["type"].startswith("lidm.batch."):
            self._manifest(partition, element)
            return
        batch = self.batches.get(str(element.get("batchid")))
        if batch is not None:
            batch.arrived[partition] = batch.arrived.get(partition, 0) + 1
        person = self._person(element)
        event = {name: said for name, said in element.items() if name not in {"sealedid", "idtype"}}
        event["subject"] = person
        value = _encoded(event)
        outcome = self.spec.decode(value, self.now_ms())[0]
        if not isinstance(outcome, Delivery):  # nothing intake would refuse, least of all a plain number, is sent on
            raise _not_taken(outcome)
        if not self.keep(_row(outcome, event)):
            self.left_out += 1
            return
        key = person.encode()
        place = partition_of(key, self.publisher.partitions(self.spec.topic))
        self.publisher.send(self.spec.topic, place, key, value)
        self.sent += 1
        if batch is not None:
            batch.sent[place] = batch.sent.get(place, 0) + 1

    def _person(self, element: dict[str, Any]) -> str:
        id_type = element.get("idtype", RESIDENT)
        if "subject" in element or not isinstance(id_type, str) or id_type not in _TYPES:
            raise NotTaken("BAD_FIELD", "密封报送不写 subject，idtype 须是已知类型", pointer="/idtype")
        try:
            sealed = base64.b64decode(str(element.get("sealedid", "")), validate=True)
            number = open_sealed(self.private_key, sealed, aad=_bytes(f"{element['source']}|{element['id']}"))
            return self.linkage.person(number.decode(), id_type)
        except BadIdentity as error:
            raise NotTaken("BAD_IDENTITY", str(error), error.flaw, "/sealedid") from None
        except (SealBroken, ValueError):  # no base64, nothing of ours inside, or text that is no ASCII at all
            reason = "身份列打不开：不是为本网关密封，或与事件不符"
            raise NotTaken("SEAL_BROKEN", reason, pointer="/sealedid") from None

    def _manifest(self, partition: int, manifest: dict[str, Any]) -> None:
        outcome = self.spec.decode(_encoded(manifest), self.now_ms())[0]
        if not isinstance(outcome, Manifest):
            raise _not_taken(outcome)
        name, rows = outcome.batchid, outcome.rows
        if manifest["type"] == "lidm.batch.begin":
            batch = self.batches.get(name)
            if batch is None or partition in batch.begun:  # a batch begun anew in any partition begins anew
                batch = self.batches[name] = _Batch()
                self._tell(manifest, {})
            batch.begun.add(partition)
            return
        batch = self.batches.get(name)
        if batch is None or batch.arrived.get(partition, 0) != rows:
            if batch is None:
                raise NotTaken("UNKNOWN_BATCH", "批次没有开始清单就结束了，请整批重发")
            raise NotTaken("BATCH_SHORT", "批次少数据，请整批重发", pointer="/data/rows")
        batch.ended[partition] = rows
        if len(batch.ended) == self.publisher.partitions(inbox_topic(self.spec.kind)):
            if not batch.spoiled:
                self._tell(manifest, batch.sent)
            del self.batches[name]

    def _tell(self, manifest: dict[str, Any], rows: dict[int, int]) -> None:
        key = _bytes(str(manifest["batchid"]))
        for place in range(self.publisher.partitions(self.spec.topic)):
            said = {**manifest, "data": {**manifest["data"], "rows": rows.get(place, 0)}}
            self.publisher.send(self.spec.topic, place, key, _encoded(said))

    def _refused(self, refused: Refused) -> Refused:
        self.refused[refused.code] = self.refused.get(refused.code, 0) + 1
        return refused

    def _spoil(self, element: object) -> None:
        """A person whose row could not be read must not count as absent: the batch never closes."""
        batch = self.batches.get(str(element.get("batchid"))) if isinstance(element, dict) else None
        if batch is not None:
            batch.spoiled = True


class _Nowhere:
    """A publisher that sends nothing."""

    def partitions(self, topic: str) -> int:
        """One, which is as good as any."""
        return 1

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Drops it."""

    def flush(self) -> None:
        """Nothing waits."""


def refusals(spec: FeedSpec, value: bytes, *, linkage: Linkage, private_key: bytes, now_ms: int) -> list[Refused]:
    """What would be refused of a message if it came to the feed's sealed topic now; nothing is sent."""
    return SealedFeed(spec, linkage, private_key, _Nowhere(), lambda _: True, lambda: now_ms).take(0, value)


def _not_taken(outcome: Outcome) -> NotTaken:
    """What intake would say of the event."""
    if isinstance(outcome, Problem):
        return NotTaken(outcome.code, outcome.message_zh, pointer=outcome.pointer)
    return NotTaken("NOT_ENVELOPE", "批次清单与事件不符")


def _row(outcome: Delivery, event: dict[str, Any]) -> Parsed:
    """What the scope filter asks about."""
    day = date.fromordinal(outcome.fact.day).isoformat()
    return Parsed(0, outcome.person, _encoded(event["data"]), day)


def _encoded(event: dict[str, Any]) -> bytes:
    return _bytes(json.dumps(event, ensure_ascii=False, separators=(",", ":")))


def _bytes(text: str) -> bytes:
    """Half a character makes bytes that no decoder takes; it does not stop the gateway."""
    return text.encode("utf-8", "surrogatepass")


def sealed_events(
    events: Iterable[dict[str, Any]], public_key: bytes, number_of: Callable[[dict[str, Any]], str]
) -> Iterable[bytes]:
    """For departments and tests: events with their identity sealed, one message each."""
    for event in events:
        sealed = seal_identity(public_key, number_of(event), str(event["source"]), str(event["id"]))
        yield _encoded({**event, "sealedid": sealed})
