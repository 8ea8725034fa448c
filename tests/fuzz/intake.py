# ruff: noqa: SLF001 - the seam between polls has no public side
"""Intake between a poll and its commit, without a broker: every message it is given is accounted for."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from load_tests.chaos.events import Pen, membership
from load_tests.chaos.workload import BORN, SINCE
from schemas.calendar import SHANGHAI
from schemas.feed import FEEDS, MAX_ELEMENTS, FeedSpec
from schemas.records import FactRecord, decode_block
from schemas.sealing import new_key_pair
from schemas.topics import HOUSEHOLD_EVENTS, REJECTED
from streams.delivery import Letter
from streams.intake import Intake
from streams.letters import DeadLetter, gather
from streams.limits import BreakerLimits
from streams.registry import Registry
from tests.fuzz.leaks import readable, readable_bytes
from tests.fuzz.messages import PERSON, RELATIVE, Sent
from tests.streams.making import config

PRIVATE, PUBLIC = new_key_pair()
KNOWN_AT_MS = 1_782_792_000_000
"""Broker time of every message: noon of 30 June 2026 in Shanghai."""
MANIFESTS = {"lidm.batch.begin", "lidm.batch.end"}
HOMES = {PERSON: "h_" + "1" * 32, RELATIVE: "h_" + "2" * 32}


class Taken:
    """The intake of one feed partition; two people are watched, a third is not. Never parks: all of it is refused."""

    def __init__(self, spec: FeedSpec) -> None:
        self.spec, self.counts, self.distinct = spec, Counter[str](), set[int]()
        self._letters: list[Letter] = []
        self._place = TopicPartition(spec.topic, 0)
        self._metadata: list[str] = []
        self._next = 0
        limits = BreakerLimits(share=1.0)
        delivery: Any = SimpleNamespace(send=self._send)
        self._made: Any = Intake(replace(config(4), seal_public_key=PUBLIC, breaker=limits), delivery, Registry())
        self._made._consumer = SimpleNamespace(assignment=lambda: {self._place}, commit=self._commit)
        self._register()

    async def _send(self, letters: Sequence[Letter]) -> None:
        self._letters += letters

    async def _commit(self, offsets: dict[TopicPartition, Any]) -> None:
        self._metadata += [each.metadata for each in offsets.values()]

    def _register(self) -> None:
        pen, spec = Pen(_at(), 4), FEEDS["civil.household"]
        place = TopicPartition(spec.topic, 0)
        self._made._consumer.assignment = lambda: {self._place, place}
        for n, (person, home) in enumerate(HOMES.items()):
            data = membership(home, SINCE, "HEAD", BORN["HEAD"])
            sent = pen.event("civil.household", f"m{n}", person, data, SINCE)
            if place == self._place:
                self._next = n + 1
            asyncio.run(self._made._route({place: [self._record(Sent(sent.key, sent.value), n)]}))
        asyncio.run(self._made._deliver())
        self._letters.clear()

    def take(self, messages: Sequence[Sent]) -> None:
        """One poll of these messages, delivered and committed. Fails where one is lost, told twice or readable."""
        self._letters.clear()
        self._metadata.clear()
        told = asyncio.run(self._turn(messages))
        records, letters = self._records(), self._dead()
        for offset, (sent, counted) in told.items():
            self.distinct.add(hash(sent.value))
            _account(self.spec, sent, counted, records[offset], letters.get(offset, []), self.counts)
        assert not set(letters) - set(told), "a dead letter of nothing"
        self._nothing_readable()

    async def _turn(self, messages: Sequence[Sent]) -> dict[int, tuple[Sent, Any]]:
        told = {}
        for sent in messages:
            offset, self._next = self._next, self._next + 1
            await self._made._route({self._place: [self._record(sent, offset)]})
            told[offset] = (sent, self._made._router.last)
        await self._made._deliver()
        await self._made._commit()
        return told

    def _record(self, sent: Sent, offset: int) -> Any:
        return SimpleNamespace(
            offset=offset, timestamp=KNOWN_AT_MS, key=sent.key, value=sent.value, headers=sent.headers
        )

    def _records(self) -> Counter[int]:
        """Facts given to households, by the message they came from."""
        blocks = (decode_block(each.value or b"") for each in self._letters if each.topic == HOUSEHOLD_EVENTS)
        return Counter(r.offset for block in blocks for r in block if isinstance(r, FactRecord))

    def _dead(self) -> dict[int, list[DeadLetter]]:
        found: dict[int, list[DeadLetter]] = defaultdict(list)
        sealed = [each for each in self._letters if each.topic == REJECTED]
        received: Iterable[Any] = sealed
        for letter in gather(received):
            found[letter.offset].append(letter)
        parts = sum(len(letter.parts) for letters in found.values() for letter in letters)
        assert parts == len(sealed), "two dead letters of one message"
        return found

    def _nothing_readable(self) -> None:
        for letter in self._letters:
            seen = [letter.key, *(value for _, value in letter.headers)]
            seen += [] if letter.topic == REJECTED else [letter.value]
            joined = b"|".join(each or b"" for each in seen)
            assert not readable_bytes(joined), f"a number can be read in {letter.topic}"
        assert not readable(" ".join(self._metadata)), "a number can be read in the metadata of a commit"


def _account(
    spec: FeedSpec, sent: Sent, told: Any, records: int, letters: list[DeadLetter], counts: Counter[str]
) -> None:
    """Every element is with a household, out of scope, a manifest, or in the one dead letter of its message."""
    refused = told.bad
    elements, manifests = _elements(sent.value)
    counts["messages"] += 1
    counts["delivered"] += records
    counts["out_of_scope"] += told.out_of_scope
    counts["refused"] += refused
    for code, n in told.refused.items():
        counts[f"refused {code}"] += n
    if refused:
        [letter] = letters
        original = letter.open(PRIVATE)
        assert (original.key, original.value, original.headers) == tuple(sent), "the letter opens to something else"
        assert (letter.topic, letter.partition, letter.code) == (spec.topic, 0, next(iter(told.refused)))
        assert letter.message
        if told.rows <= 1:
            return  # the message as a whole was refused, whatever it looked like to others
    else:
        assert not letters, "a dead letter of what was taken"
        assert told.rows + manifests == elements
        counts["manifests"] += manifests
    assert records + told.out_of_scope + refused + manifests >= elements, "an element is lost"


def _elements(value: bytes | None) -> tuple[int, int]:
    """Elements and manifests of a message as another reader of JSON sees them; 1 where that sees none."""
    try:
        said = json.loads((value or b"").decode())
    except (ValueError, RecursionError):
        return 1, 0
    several = isinstance(said, list) and 0 < len(said) <= MAX_ELEMENTS
    elements = said if several else [said]
    types = [each.get("type") for each in elements if isinstance(each, dict)]
    return len(elements), sum(isinstance(each, str) and each in MANIFESTS for each in types)


def _at() -> Any:
    from datetime import datetime

    return datetime.fromtimestamp(KNOWN_AT_MS / 1000, SHANGHAI)
