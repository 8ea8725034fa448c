"""Dead letters as a data steward meets them: what their headers say, the parts put together, the original opened.

Headers say where, when and why, never what; only the private key shows what. The work on a letter (replayed, set
aside) is a record of `rejected.work.v1` under the letter's place, so that the list shows what is still to be done.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from schemas.sealing import SealBroken, open_sealed

Headers = tuple[tuple[str, bytes], ...]
State = Literal["open", "replayed", "aside"]
REPLAYS_HEADER = "lidm-replays"
"""On a message: how often a steward sent it again."""


class Received(Protocol):
    """A message of `feeds.rejected.v1` as kafka-python reads it."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Original(msgspec.Struct, frozen=True, array_like=True):
    """The message that was refused, as it was; `repr` shows nothing of it."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    def __repr__(self) -> str:
        return "Original(…)"


class Work(msgspec.Struct, frozen=True):
    """What was last done about a letter; the JSON value of a record in `rejected.work.v1`."""

    state: State
    at_ms: int
    actor: str
    reason: str
    replays: int = 0


class DeadLetter(msgspec.Struct, frozen=True):
    """One refused message: its place, why, and its sealed parts (several where it was large)."""

    place: str
    code: str
    pointer: str
    message: str
    topic: str
    partition: int
    offset: int
    known_at_ms: int
    digest: str
    count: int
    problems: tuple[tuple[str, str], ...]
    batch: str
    replays: int
    parts: tuple[bytes, ...]

    @property
    def feed(self) -> str:
        """Kind of the feed: `feeds.medical.settlement.v1` is medical.settlement."""
        return ".".join(self.topic.split(".")[1:-1])

    def open(self, private_key: bytes) -> Original:
        """The original. Raises SealBroken; who calls this has logged why."""
        whole = b"".join(open_sealed(private_key, part, aad=self.digest.encode()) for part in self.parts)
        try:
            return msgspec.msgpack.decode(whole, type=Original)
        except msgspec.DecodeError:
            raise SealBroken from None


class Wanted(msgspec.Struct, frozen=True):
    """Which letters; None = any. `since_ms` ≤ known at < `until_ms`."""

    feed: str | None = None
    code: str | None = None
    batch: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def fits(self, letter: DeadLetter) -> bool:
        """Whether a letter is one of them; `code` fits any of its named problems."""
        codes = {letter.code, *(code for code, _ in letter.problems)}
        return (
            self.feed in (None, letter.feed)
            and (self.code is None or self.code in codes)
            and self.batch in (None, letter.batch)
            and (self.since_ms is None or letter.known_at_ms >= self.since_ms)
            and (self.until_ms is None or letter.known_at_ms < self.until_ms)
        )


def gather(messages: Iterable[Received]) -> Iterator[DeadLetter]:
    """Letters, the parts of large ones put together. A letter seen twice (intake repeats after a crash) comes once.

    What is not a letter of ours, or has parts that were dropped by retention, is left out.
    """
    waiting: dict[str, dict[int, bytes]] = {}
    seen: set[str] = set()
    for message in messages:
        place = (message.key or b"").decode("utf-8", "replace")
        said = {name: value.decode("utf-8", "replace") for name, value in message.headers or ()}
        number, _, of = said.get("part", "1/1").partition("/")
        if place in seen or not (place and "digest" in said and number.isdigit() and of.isdigit()):
            continue
        parts = waiting.setdefault(place, {})
        parts[int(number)] = message.value or b""
        if len(parts) == int(of):
            seen.add(place)
            del waiting[place]
            yield _letter(place, said, tuple(parts[n] for n in sorted(parts)))


def _letter(place: str, said: Mapping[str, str], parts: tuple[bytes, ...]) -> DeadLetter:
    return DeadLetter(
        place=place,
        code=said.get("code", ""),
        pointer=said.get("pointer", ""),
        message=said.get("message", ""),
        topic=said.get("topic", ""),
        partition=_number(said.get("partition")),
        offset=_number(said.get("offset")),
        known_at_ms=_number(said.get("known_at")),
        digest=said["digest"],
        count=_number(said.get("count")) or 1,
        problems=_problems(said.get("problems", "")),
        batch=said.get("batch", ""),
        replays=_number(said.get("replays")),
        parts=parts,
    )


def _problems(text: str) -> tuple[tuple[str, str], ...]:
    try:
        return msgspec.json.decode(text, type=tuple[tuple[str, str], ...])
    except msgspec.DecodeError:
        return ()


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def replays_of(headers: Iterable[tuple[str, bytes]]) -> int:
    """How often a message was sent again, by its own header."""
    return next((_number(v.decode("ascii", "replace")) for name, v in headers if name == REPLAYS_HEADER), 0)


def encode_work(work: Work) -> bytes:
    """Value of a record in `rejected.work.v1`."""
    return msgspec.json.encode(work)


def decode_work(value: bytes) -> Work:
    """Reads such a record. Raises msgspec.DecodeError."""
    return msgspec.json.decode(value, type=Work)
