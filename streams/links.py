"""The links stage: one partition of `links.v1`, keyed by what may be shared. What follows comes back as facts.

Pure: what it ends with depends on the newest saying of each household and on nothing else, so that order and repetition
decide nothing. It answers saying by saying: after a crash the same facts are told again before anything else is, and
what was told is written before what it followed from, so that nothing told is ever forgotten. A record of state is one
household's saying or what one person was told.
"""

from collections.abc import Iterable, Iterator
from typing import cast

import msgspec

from households.links import shared, version_of
from schemas.errors import Stop
from schemas.feeds.links import SharedAccount
from schemas.links import Saying, decode_saying
from schemas.partition import partition_of
from schemas.records import FactBody, FactRecord, decode_block
from schemas.topics import LINKS
from streams.checkpoint import Drained
from streams.config import StreamConfig
from streams.delivery import Letter
from streams.metrics import METRICS
from streams.outbox import Outbox
from streams.statelog import Item

LAYOUT = 1
"""Of the records of state; raised when they change."""
CROWD = 1000
"""What more households than these ever used is nobody's own: a filler in the file, or an office's account."""
_MARKER = "ckpt/"
_TAG = str(SharedAccount.__struct_config__.tag).encode()


class Told(msgspec.Struct, array_like=True, frozen=True):
    """What one person was last told of one link, and in which households; `behind`: those that heard only less."""

    fact: SharedAccount
    households: tuple[str, ...]
    behind: tuple[str, ...] = ()


class Marker(msgspec.Struct, array_like=True):
    """First offset not folded yet."""

    next: int
    layout: int


_encode = msgspec.msgpack.Encoder().encode
_saying = msgspec.msgpack.Decoder(Saying).decode
_told = msgspec.msgpack.Decoder(Told).decode
_marker = msgspec.msgpack.Decoder(Marker).decode


class Links:
    """The sayings of a partition and what was told of them. Kept as bytes; decoded where something is new."""

    def __init__(self, partition: int, config: StreamConfig) -> None:
        self._partition = partition
        self._outbox = Outbox(partition, config)
        self._stored: dict[str, bytes] = {}
        self._flying: dict[str, bytes] = {}
        self._fresh: dict[str, bytes] = {}
        self._households: dict[str, set[str]] = {}
        self._people: dict[str, set[str]] = {}
        self._next = self._durable = 0

    # ---- the checkpoint's side --------------------------------------------------------------------------------------

    @property
    def dirty(self) -> int:
        """Records to write at the next checkpoint."""
        return len(self._fresh)

    @property
    def reached(self) -> int:
        """The first offset that is not folded yet."""
        return self._next

    def fold(self, topic: str, offset: int, timestamp_ms: int, value: bytes) -> None:
        """Takes one saying. Only the monitor writes them: one that cannot be read stops the process."""
        if offset < self._next:
            return
        try:
            saying = decode_saying(value)
        except msgspec.MsgspecError as error:
            raise Stop(f"{topic}/{self._partition}/{offset} 不是一条跨户比对记录") from error
        news = self.hear(saying)
        if news and len(self._households[saying.link]) <= CROWD + 1:  # a greater crowd was told when it became one
            self._answer(saying.link, offset)
        self._next = offset + 1

    def hear(self, saying: Saying) -> bool:
        """A household's saying replaces its earlier one; whether it is later and says something else."""
        key = f"{saying.link}/{saying.household}"
        known, news = self._raw(key), True
        if known is not None:
            old = _saying(known)
            if old.at >= saying.at:
                return False
            news = (old.uses, old.kin, old.area) != (saying.uses, saying.kin, saying.area)
            saying = msgspec.structs.replace(saying, known_ms=max(saying.known_ms, old.known_ms))
        self._put(key, _encode(saying))
        return news

    def recall(self, record: FactRecord) -> None:
        """What was told before, from the log of households, in its order."""
        fact, household = cast(SharedAccount, record.body.fact), record.household
        link = f"account|{fact.account}"
        known = self._raw(f"{link}/{record.body.person}")
        told = _told(known) if known is not None else Told(fact, ())
        heard, behind = {*told.households, household}, set(told.behind)
        if fact.version > told.fact.version:
            told, behind = Told(fact, ()), heard - {household}
        elif fact.version == told.fact.version:
            behind.discard(household)
        elif household not in told.households:
            behind.add(household)
        self._put(f"{link}/{record.body.person}", _encode(Told(told.fact, _sorted(heard), _sorted(behind))))

    def catch_up(self) -> None:
        """Tells all that was not told yet."""
        for link in sorted(self._households.keys() | self._people.keys()):
            self._answer(link, 0)

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Takes one record of the state log; of two the later one wins, whichever was written later.

        Only a rebuild deletes, and it always wins.
        """
        name = key.decode()
        if value is None:
            self._delete(name)
        elif name.startswith(_MARKER):
            marker = _marker(value)
            if marker.layout != LAYOUT:
                raise Stop("跨户比对的状态由另一版本的程序写成，请用与之相同的版本")
            if marker.next >= self._next:
                self._next = self._durable = marker.next
        elif (known := self._stored.get(name)) is None or _rank(name, known) <= _rank(name, value):
            self._index(name)
            self._stored[name] = value
        else:
            self._fresh[name] = known  # compaction would keep the lower one

    def opened(self) -> None:
        """Everything is restored; nothing is owed, because a rebuild tells what is before it writes the state."""

    def reset(self) -> bool:
        """Forgets what is not durable."""
        self._outbox.clear()
        self._fresh, self._flying = {}, {}
        self._households, self._people = {}, {}
        for key in self._stored:
            self._index(key)
        self._next = self._durable
        return True

    def drain(self) -> Drained:
        """Facts for households; then what was told, sayings, the marker.

        What was told comes before the sayings it followed from: a crash may leave only the first of these records, and
        a saying that is known is not answered again.
        """
        self._flying, self._fresh = self._fresh, {}
        ordered = sorted(self._flying.items(), key=lambda item: not _is_told(item[0]))
        state = [Item(key.encode(), value) for key, value in ordered]
        if state or self._next != self._durable:
            state.append(Item(f"{_MARKER}{self._partition}".encode(), _encode(Marker(self._next, LAYOUT))))
        return Drained(self._outbox.drain(()), state)

    def keep(self, state: list[Item]) -> None:
        """These records are durable now."""
        for item in state:
            name = item.key.decode()
            if name.startswith(_MARKER):
                self._durable = _marker(item.value or b"").next
            else:
                self._stored[name] = item.value or b""
        self._flying = {}

    # ---- questions --------------------------------------------------------------------------------------------------

    def records(self) -> dict[str, bytes]:
        """Every record that is durable, for comparison."""
        return dict(self._stored)

    def rebuilt(self, reached: int) -> list[Item]:
        """Everything known as state of a stage that has read so far, for a rebuild; the marker last."""
        items = [Item(key.encode(), value) for key, value in sorted((self._stored | self._fresh).items())]
        marker = Marker(reached, LAYOUT)
        return [*items, Item(f"{_MARKER}{self._partition}".encode(), _encode(marker))]

    # ---- answers ----------------------------------------------------------------------------------------------------

    def _answer(self, link: str, offset: int) -> None:
        """Tells every person whose answer is another than before, and households that have not heard it yet."""
        crowd = len(self._households.get(link, ()))
        sayings, told = self._of(link)
        now, (known_ms, sequence) = shared(link, sayings) if crowd <= CROWD else {}, version_of(sayings.values())
        for person in sorted(now.keys() | told.keys()):
            before = told.get(person)
            fact = now.get(person) or msgspec.structs.replace(
                told[person].fact, gone=True, recorded_ms=known_ms, sequence=sequence
            )
            tell = {name for name, each in sayings.items() if any(use.person == person for use in each.uses)}
            heard = set(before.households) if before is not None else set()
            if before is not None and _content(before.fact) == _content(fact):
                fact, fresh = before.fact, (tell - heard) | set(before.behind)
            else:
                fresh = tell | heard
            for household in sorted(fresh):
                self._tell(household, person, fact, offset)
            if fresh:
                self._put(f"{link}/{person}", _encode(Told(fact, _sorted(tell | heard))))

    def _tell(self, household: str, person: str, fact: SharedAccount, offset: int) -> None:
        self._outbox.post(
            FactRecord(household, fact.recorded_ms, LINKS, self._partition, offset, FactBody(person, fact))
        )
        METRICS.count("lidm_links_told_total", feed=fact.feed)

    def _of(self, link: str) -> tuple[dict[str, Saying], dict[str, Told]]:
        def found(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
            return ((name, raw) for name in names if (raw := self._raw(f"{link}/{name}")) is not None)

        sayings = {name: _saying(raw) for name, raw in found(self._households.get(link, ()))}
        return sayings, {name: _told(raw) for name, raw in found(self._people.get(link, ()))}

    def _delete(self, name: str) -> None:
        if name.startswith(_MARKER):
            self._next = self._durable = 0
            return
        self._stored.pop(name, None)
        self._fresh.pop(name, None)
        link, _, who = name.partition("/")
        for named in (self._households, self._people):
            named.get(link, set()).discard(who)

    def _raw(self, key: str) -> bytes | None:
        return self._fresh.get(key) or self._flying.get(key) or self._stored.get(key)

    def _put(self, key: str, value: bytes) -> None:
        self._index(key)
        self._fresh[key] = value

    def _index(self, key: str) -> None:
        link, _, name = key.partition("/")
        named = self._people if _is_told(key) else self._households
        named.setdefault(link, set()).add(name)


def links_of(said: Iterable[Letter], told: Iterable[FactRecord], config: StreamConfig) -> dict[int, Links]:
    """Every partition after what the households said, and were told of it (`told_in`, in the order of the log). What
    they were not told yet is `owed`.
    """
    parts = {p: Links(p, config) for p in range(config.partitions)}
    for letter in said:
        if letter.topic == LINKS:
            parts[letter.partition].hear(decode_saying(letter.value or b""))
    for record in told:
        account = cast(SharedAccount, record.body.fact).account
        parts[partition_of(f"account|{account}", config.partitions)].recall(record)
    return parts


def owed(links: Iterable[Links]) -> list[Letter]:
    """What follows and was not told to all of them; when these are delivered it counts as told."""
    letters: list[Letter] = []
    for part in links:
        part.catch_up()
        drained = part.drain()
        part.keep(drained.state)
        letters += drained.outputs
    return letters


def told_in(block: bytes) -> list[FactRecord]:
    """What a block of households tells of links; mostly nothing, and then it is not decoded."""
    records = decode_block(block) if _TAG in block else []
    return [each for each in records if isinstance(each, FactRecord) and isinstance(each.body.fact, SharedAccount)]


def _is_told(key: str) -> bool:
    """Whether a record is what a person was told; else it is a household's saying."""
    return key.partition("/")[2].startswith("p_")


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _content(fact: SharedAccount) -> tuple[object, ...]:
    return (fact.gone, fact.day, fact.steps, fact.areas)


def _rank(key: str, raw: bytes) -> tuple[int, int, str]:
    """Which of two records of one key is later."""
    if _is_told(key):
        return _told(raw).fact.version
    return (0, _saying(raw).at, "")
