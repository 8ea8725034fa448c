"""The gateway's sealed topics: every element is sent on, left out, or in the one dead letter of its message."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from kafka import TopicPartition

from gateway.identities import Linkage
from gateway.sealed import Refused, SealedFeed, seal_identity
from lidm.sealed_reader import SealedReader
from lidm.settings import Settings
from schemas.feed import FeedSpec
from schemas.topics import REJECTED, inbox_topic
from streams.letters import gather
from tests.fuzz.intake import KNOWN_AT_MS, PRIVATE, PUBLIC
from tests.fuzz.leaks import readable_bytes
from tests.fuzz.messages import Sent, bases
from tests.gateway.outlet import Outlet
from tests.gateway.people import number

LINKAGE = Linkage(b"k" * 32, synthetic=True)
WHO, OTHER = number(77), number(78)
HERE = {LINKAGE.person(WHO)}


def sealed_bases(spec: FeedSpec) -> dict[bytes, str]:
    """`sealedid` for each example; of two people, of whom one is in scope."""
    found: dict[bytes, str] = {}
    for n, base in enumerate(bases(spec.name)):
        said = json.loads(base)
        if isinstance(said, dict) and isinstance(said.get("subject"), str):
            source, event_id = str(said.get("source")), str(said.get("id"))
            found.setdefault(base, seal_identity(PUBLIC, OTHER if n % 2 else WHO, source, event_id))
    return found


@dataclass
class Counted(SealedFeed):
    """Notes of each message how many elements it sent on, left out and refused."""

    told: list[tuple[int, int, int]] = field(default_factory=list)

    def take(self, partition: int, value: bytes | None) -> list[Refused]:
        """See SealedFeed."""
        sent, left_out = self.sent, self.left_out
        refused = super().take(partition, value)
        self.told.append((self.sent - sent, self.left_out - left_out, len(refused)))
        return refused


class Resealed:
    """One feed's inbox, read as the gateway's service reads it; two people, one of them in scope."""

    def __init__(self, spec: FeedSpec) -> None:
        self.counts, self.distinct = Counter[str](), set[int]()
        self._spec, self._outlet, self._next = spec, Outlet(count=2), 0
        self._feed = Counted(spec, LINKAGE, PRIVATE, self._outlet, lambda row: row.person in HERE, lambda: KNOWN_AT_MS)
        self._polled: dict[Any, list[Any]] = {}
        self._committed: list[int] = []
        self._reader = SealedReader(Settings(broker="none"), (spec.kind,), lambda _: self._feed, PUBLIC)
        consumer: Any = SimpleNamespace(
            poll=lambda **_: self._polled, commit=lambda: self._committed.append(self._outlet.flushed)
        )
        self._reader._consumer = consumer  # noqa: SLF001 - no broker here

    def take(self, messages: Sequence[Sent]) -> None:
        """One poll. Fails where an element is lost or told twice, or a number can be read in what was sent."""
        self._outlet.sent.clear()
        self._committed.clear()
        self._feed.told.clear()
        first, topic = self._next, inbox_topic(self._spec.kind)
        self._next += len(messages)
        self._polled = {
            TopicPartition(topic, 0): [
                SimpleNamespace(
                    topic=topic, partition=0, offset=offset, timestamp=KNOWN_AT_MS, key=sent.key, value=sent.value,
                    headers=list(sent.headers),
                )
                for offset, sent in enumerate(messages, first)
            ]
        }  # fmt: skip
        assert self._reader.turn() == len(messages)
        assert self._committed == [len(self._outlet.sent)], "committed before everything was delivered"
        self._account(messages, first)
        for each in self._outlet.sent:
            seen = [each.key, *(said for _, said in each.headers), b"" if each.topic == REJECTED else each.value]
            assert not readable_bytes(b"|".join(seen)), f"a number can be read in {each.topic}"
        feed = Outlet(2, [each for each in self._outlet.sent if each.topic == self._spec.topic])
        assert len(feed.deliveries()) == sum(sent for sent, _, _ in self._feed.told)

    def _account(self, messages: Sequence[Sent], first: int) -> None:
        letters = {each.offset: each for each in gather(each for each in self._outlet.sent if each.topic == REJECTED)}
        parts = sum(each.topic == REJECTED for each in self._outlet.sent)
        assert parts == sum(len(each.parts) for each in letters.values()), "two dead letters of one message"
        for offset, (sent, (on, left_out, refused)) in enumerate(zip(messages, self._feed.told, strict=True), first):
            elements, manifests = _elements(sent.value)
            told = on + left_out + refused
            assert told <= elements, "an element is counted twice"
            assert told + manifests >= elements, "an element is lost"
            assert (offset in letters) == bool(refused)
            if refused:
                original = letters[offset].open(PRIVATE)
                assert (original.key, original.value, original.headers) == tuple(sent)
            self.counts += Counter(messages=1, sent=on, left_out=left_out, refused=refused)
            self.distinct.add(hash(sent.value))


def _elements(value: bytes | None) -> tuple[int, int]:
    """Elements and manifests, as `json` sees them: of UTF-16 too, which the gateway takes."""
    try:
        said = json.loads(value or b"")
    except (ValueError, RecursionError):
        return 1, 0
    elements = said if isinstance(said, list) and said else [said]
    types = [each.get("type") for each in elements if isinstance(each, dict)]
    return len(elements), sum(isinstance(each, str) and each.startswith("lidm.batch.") for each in types)
