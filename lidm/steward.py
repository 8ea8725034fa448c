"""The data steward's end of the dead letters: what is open, opened with a logged reason, sent again once mended.

A letter counts as replayed only after its message is delivered; a crash between repeats it, and ledgers ignore repeats.
Only what intake would take now is sent, or the gateway, where a sealed topic is what it came from and goes to.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import msgspec

from gateway.identities import Linkage
from gateway.keys import read_key
from gateway.mend import Mended, Mender
from gateway.publisher import MAX_MESSAGE_BYTES, BrokerPublisher
from gateway.sealed import refusals
from lidm.reading import read_topic
from lidm.settings import Settings
from lidm.ways_in import keys_of, linkage_of, publisher_of, vault_of
from schemas.envelope import Problem
from schemas.errors import CallError, DataError
from schemas.feed import FEEDS
from schemas.partition import partition_of
from schemas.sealing import SealBroken
from schemas.topics import REJECTED, REJECTED_WORK, inbox_topic
from streams.letters import (
    REPLAYS_HEADER,
    DeadLetter,
    Original,
    State,
    Wanted,
    Work,
    decode_work,
    encode_work,
    gather,
    replays_of,
)

CHUNK = 200
_SPECS = {spec.topic: spec for spec in FEEDS.every}
_SEALED = {inbox_topic(kind): spec for kind, spec in FEEDS.items()}


@dataclass(frozen=True)
class Item:
    """A letter of the work list and what was last done about it."""

    letter: DeadLetter
    work: Work | None

    @property
    def state(self) -> State:
        """Open until somebody did something."""
        return self.work.state if self.work else "open"


@dataclass
class Outcome:
    """What a replay did, or would do: counts, and why letters stayed, by letter."""

    sent: int = 0
    events: int = 0
    kept: dict[str, str] = field(default_factory=dict)
    by_reason: Counter[str] = field(default_factory=Counter)
    more: int = 0

    def keep(self, letter: DeadLetter, reason: str) -> None:
        """A letter that stays open."""
        self.kept[letter.place] = reason
        self.by_reason[reason] += 1


class Keys(NamedTuple):
    """What opens letters, and what makes pseudonyms of sealed numbers; that one is read only where it is needed."""

    private: bytes
    linkage: Callable[[], Linkage]


class Steward:
    """One sitting at the work list; every opening is logged under `actor` and `reason` before anything is opened."""

    def __init__(self, settings: Settings, now_ms: Callable[[], int] = lambda: int(time.time() * 1000)) -> None:
        self._settings = settings
        self._now_ms = now_ms

    def items(self, wanted: Wanted, *, done: bool = False, places: frozenset[str] = frozenset()) -> Iterator[Item]:
        """Letters that fit, oldest first within a partition; `done`: also those dealt with; `places`: only these."""
        work = self._work()
        messages = read_topic(self._settings, REJECTED, since_ms=wanted.since_ms)
        for letter in gather(messages):
            if wanted.fits(letter) and (not places or letter.place in places):
                item = Item(letter, work.get(letter.place))
                if done or item.state == "open":
                    yield item

    def open(self, item: Item, reason: str) -> Original:
        """What a letter holds. Raises DataError when it is not sealed for our key."""
        self._note([item.letter], reason)
        return _opened(item.letter, self._private())

    def set_aside(self, items: list[Item], reason: str) -> None:
        """These need no more work: they will never be sent."""
        with publisher_of(self._settings) as way:
            self._record(way, [item.letter for item in items], "aside", reason)

    def replay(
        self, items: Iterator[Item], mender: Mender, reason: str, *, limit: int, most: int, dry_run: bool = False
    ) -> Outcome:
        """Sends at most `limit` letters again, none that was sent `most` times before. `dry_run` sends nothing."""
        if not reason.strip():
            raise CallError("须写明理由（--reason）：打开密封内容要留痕")
        outcome, chosen = Outcome(), list[DeadLetter]()
        for item in items:
            if item.letter.replays >= most:
                outcome.keep(item.letter, f"已重发 {item.letter.replays} 次仍未受理")
            elif len(chosen) >= limit:
                outcome.more += 1
            else:
                chosen.append(item.letter)
        keys = Keys(self._private(), cache(lambda: linkage_of(self._settings)))
        if dry_run:
            for letter in self._noted(chosen, reason):
                _prepared(letter, keys, mender, self._now_ms(), outcome)
            return outcome
        with publisher_of(self._settings) as way:
            for start in range(0, len(chosen), CHUNK):
                self._send(way, chosen[start : start + CHUNK], keys, mender, reason, outcome)
        return outcome

    def _send(
        self,
        way: BrokerPublisher,
        letters: list[DeadLetter],
        keys: Keys,
        mender: Mender,
        reason: str,
        outcome: Outcome,
    ) -> None:
        delivered: list[DeadLetter] = []
        driven = self._settings.effective_clock == "driven"
        for letter in self._noted(letters, reason):
            ready = _prepared(letter, keys, mender, self._now_ms(), outcome)
            if ready is None:
                continue
            original, value = ready
            headers = [(name, said) for name, said in original.headers if name != REPLAYS_HEADER]
            headers.append((REPLAYS_HEADER, str(replays_of(original.headers) + 1).encode()))
            at_ms = max(letter.known_at_ms, 1) if driven else None
            way.send(letter.topic, letter.partition, original.key, value, at_ms, headers)
            delivered.append(letter)
        way.flush()
        self._record(way, delivered, "replayed", reason)

    def _noted(self, letters: list[DeadLetter], reason: str) -> list[DeadLetter]:
        self._note(letters, reason)
        return letters

    def _note(self, letters: list[DeadLetter], reason: str) -> None:
        with vault_of(self._settings) as vault:
            whats = (f"rejected:{letter.place}" for letter in letters)
            vault.note(whats, actor=self._settings.actor, purpose=reason, at_ms=self._now_ms())

    def _record(self, way: BrokerPublisher, letters: list[DeadLetter], state: State, reason: str) -> None:
        n = way.partitions(REJECTED_WORK)
        for letter in letters:
            key = letter.place.encode()
            replays = letter.replays + (state == "replayed")
            work = Work(state, self._now_ms(), self._settings.actor, reason, replays)
            at_ms = self._now_ms() if self._settings.effective_clock == "driven" else None
            way.send(REJECTED_WORK, partition_of(key, n), key, encode_work(work), at_ms)
        way.flush()

    def _work(self) -> dict[str, Work]:
        found: dict[str, Work] = {}
        for message in read_topic(self._settings, REJECTED_WORK):
            try:
                found[message.key.decode()] = decode_work(message.value)
            except (AttributeError, TypeError, UnicodeDecodeError, msgspec.DecodeError):
                continue  # a deletion, or not ours
        return found

    def _private(self) -> bytes:
        return read_key(keys_of(self._settings).seal_private)


def _opened(letter: DeadLetter, private: bytes) -> Original:
    try:
        return letter.open(private)
    except SealBroken as error:
        raise DataError(f"打不开 {letter.place}：不是为本密钥密封，或已损坏") from error


def _prepared(
    letter: DeadLetter, keys: Keys, mender: Mender, now_ms: int, outcome: Outcome
) -> tuple[Original, bytes] | None:
    """The original and what to send for it, counted; None, with the reason noted, when it must stay."""
    try:
        original = _opened(letter, keys.private)
    except DataError:
        outcome.keep(letter, "打不开：不是为本密钥密封（请用当时的密钥），或已损坏")
        return None
    if letter.topic not in _SPECS and letter.topic not in _SEALED:
        outcome.keep(letter, "不是部门数据主题，不能重发")
        return None
    mended: Mended = mender.mend(letter.place, original.value, _refused(letter))
    if mended.value is None:
        outcome.keep(letter, mended.problem)
        return None
    if wrong := _wrong(letter.topic, mended.value, keys, max(now_ms, letter.known_at_ms)):
        outcome.keep(letter, f"仍不能受理：{wrong}")
        return None
    outcome.sent += 1
    outcome.events += mended.events
    return original, mended.value


def _wrong(topic: str, value: bytes, keys: Keys, now_ms: int) -> str:
    """Why whoever reads the topic would refuse the message now; empty where it would be taken."""
    if (spec := _SEALED.get(topic)) is not None:
        if len(value) > MAX_MESSAGE_BYTES:
            return f"TOO_LARGE 一条消息超过 {MAX_MESSAGE_BYTES} 字节：请部门分开重发"
        refused = refusals(spec, value, linkage=keys.linkage(), private_key=keys.private, now_ms=now_ms)
        return f"{refused[0].code} {refused[0].pointer} {refused[0].reason}" if refused else ""
    problems = [each for each in _SPECS[topic].decode(value, now_ms) if isinstance(each, Problem)]
    return f"{problems[0].code} {problems[0].pointer} {problems[0].message_zh}" if problems else ""


def _refused(letter: DeadLetter) -> set[int] | None:
    """Elements of an array that were refused, None where not all of them are named."""
    if len(letter.problems) < letter.count:
        return None
    heads = [pointer.split("/")[1] if pointer.count("/") else "" for _, pointer in letter.problems]
    return {int(head) for head in heads if head.isdigit()} or None
