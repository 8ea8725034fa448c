"""Pages of a household: facts of a half-year as bytes, decoded only when somebody reads them.

A page is a row of entries in the order in which they came, so a new fact is put at the end without looking at the
others. A fact that leaves is cut out and the rest stays as it was: the bytes follow from the facts told, never from
who read them. A text can be looked for in the bytes: msgpack keeps texts as they are, so a key that is not among the
bytes is not in the page.
"""

import struct
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

import msgspec

from households.state import CODEC_VERSION, Page
from schemas.errors import Stop
from schemas.facts import AnyFact, Fact

LIMIT_BYTES = 800_000
MARKS = 1024
ASKED_OFTEN = 16
"""Questions for keys after which marks are made: they cost as much as looking through the bytes so often."""
COUNTED, FIRST_PERSON = 2, 7
"""Places in a page: after the codec version and the mark of an array comes its length, then an entry's own mark."""


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A fact and whose it is; None: the same person's as the page's first."""

    person: str | None
    fact: AnyFact


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Entry]).decode
_HEAD = struct.Struct(">BBI")
_COUNT = struct.Struct(">I")
_LONG_ARRAY = 0xDD
_TAGS: dict[type[Fact], bytes] = {}


class Pages(Mapping[str, Page]):
    """Pages by half-year. `raw` is what they are; what a question decoded is kept and follows `append`."""

    __slots__ = ("_asked", "_marks", "_read", "raw")

    def __init__(self, raw: Mapping[str, bytes | bytearray] | None = None) -> None:
        self.raw: dict[str, bytes | bytearray] = {}
        for name, value in (raw or {}).items():
            check_version(value[0])
            self.raw[name] = bytes(value)
        self._read: dict[str, Page] = {}
        self._asked = 0
        self._marks = None if self.raw else bytearray(MARKS >> 3)

    def __getitem__(self, name: str) -> Page:
        page = self._read.get(name)
        if page is None:
            page = self._read[name] = decode_page(self.raw[name])
        return page

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw)

    def __len__(self) -> int:
        return len(self.raw)

    def append(self, name: str, person: str, fact: AnyFact) -> Page | None:
        """Puts a fact at the end; the decoded page, if there is one, is the caller's to change. Raises Stop when the
        page would become larger than what one record may hold."""
        if self._marks is not None:
            mark = hash(fact.key) & (MARKS - 1)
            self._marks[mark >> 3] |= 1 << (mark & 7)
        raw = self.raw.get(name)
        if raw is None:
            self.raw[name] = encode_entries(((person, fact),))
            return None
        same = raw.startswith(_encode(person), FIRST_PERSON)
        entry = _encode((None if same else person, fact))
        if len(raw) + len(entry) > LIMIT_BYTES:
            too_large(len(raw) + len(entry))
        if raw.__class__ is bytes:
            raw = self.raw[name] = bytearray(raw)
        _COUNT.pack_into(raw, COUNTED, _COUNT.unpack_from(raw, COUNTED)[0] + 1)
        raw += entry
        return self._read.get(name)

    def cut(self, name: str, person: str, fact: AnyFact) -> None:
        """Takes out the fact that stands for its key."""
        kind, key = fact.__class__, fact.key
        self.raw[name] = encode_entries(
            (who, each)
            for who, each in read_entries(self.raw[name])
            if who != person or each.key != key or each.__class__ is not kind
        )
        self._read.pop(name, None)

    def holding(self, key: str) -> Sequence[str]:
        """Names of the pages that may contain a fact of the key; of no other.

        Keys seen leave marks, so that a new one is nearly always known to be new without looking at the bytes. A
        household back from its bytes is looked through until it was asked often.
        """
        marks = self._marks
        if marks is None:
            self._asked += 1
            if self._asked == ASKED_OFTEN:
                self._marks = self._marked()
        else:
            mark = hash(key) & (MARKS - 1)
            if not marks[mark >> 3] & 1 << (mark & 7):
                return ()
        text = key.encode()
        return [name for name, raw in self.raw.items() if text in raw]

    def _marked(self) -> bytearray:
        marks = bytearray(MARKS >> 3)
        for raw in self.raw.values():
            for _, fact in read_entries(raw):
                mark = hash(fact.key) & (MARKS - 1)
                marks[mark >> 3] |= 1 << (mark & 7)
        return marks

    def may_hold_kind(self, name: str, kind: type[Fact]) -> bool:
        """False only when the page cannot contain a fact of the kind."""
        return tag_of(kind) in self.raw[name]

    def sum(self, name: str, measure: Callable[[AnyFact], int]) -> int:
        """The sum of a measure over all facts of a page; keeps nothing decoded."""
        return sum([measure(fact) for _, fact in read_entries(self.raw[name])])


def encode_entries(entries: Iterable[tuple[str, AnyFact]]) -> bytearray:
    """A page of these facts in this order. Raises Stop when it is larger than what one record may hold."""
    parts: list[bytes] = []
    first: str | None = None
    for person, fact in entries:
        parts.append(_encode((person if person != first else None, fact)))
        first = person if first is None else first
    raw = bytearray(_HEAD.pack(CODEC_VERSION, _LONG_ARRAY, len(parts)))
    raw += b"".join(parts)
    if len(raw) > LIMIT_BYTES:
        too_large(len(raw))
    return raw


def read_entries(raw: bytes | bytearray) -> list[tuple[str, AnyFact]]:
    """What `encode_entries` was called on. Raises Stop on another codec's bytes."""
    check_version(raw[0])
    entries = _decode(memoryview(raw)[1:])
    first = entries[0].person or "" if entries else ""
    return [(each.person or first, each.fact) for each in entries]


def decode_page(raw: bytes | bytearray) -> Page:
    """The facts of a page by person, in their order."""
    page: Page = {}
    for person, fact in read_entries(raw):
        insert(page, person, fact)
    return page


def insert(page: Page, person: str, fact: AnyFact) -> None:
    """Puts a fact in its place."""
    facts = page.get(person)
    if facts is None:
        page[person] = [fact]
    elif facts[-1].day < fact.day:
        facts.append(fact)
    else:
        insort(facts, fact, key=place)


def place(fact: AnyFact) -> tuple[int, str, str]:
    """The order of facts: day, kind, key."""
    return (fact.day, fact.feed, fact.key)


def tag_of(kind: type[Fact]) -> bytes:
    """How msgpack begins a fact of the kind: the tag as a short text."""
    tag = _TAGS.get(kind)
    if tag is None:
        text = str(kind.__struct_config__.tag).encode()
        tag = _TAGS[kind] = bytes((0xA0 | len(text),)) + text
    return tag


def check_version(version: int) -> None:
    """Raises Stop when the bytes were written by another codec."""
    if version != CODEC_VERSION:
        raise Stop(f"状态的编码版本是{version}，本程序只读{CODEC_VERSION}：请运行 lidm rebuild")


def too_large(size: int) -> NoReturn:
    """Raises Stop."""
    raise Stop(f"一户的状态有{size}字节，超过{LIMIT_BYTES}字节上限")
