"""Households of one partition: durable bytes, a bounded cache of decoded ones, and who is due when."""

import struct
import sys
from collections.abc import Iterator

from households import codec
from households.coverage import Coverage
from households.ledger import Household
from households.state import Head
from streams.statelog import Item

_APPLIED = struct.Struct(">q")
_NEVER = 0xFFFFFFFF


class Shelf:
    """Gives out households, remembers which are dirty, encodes them once per checkpoint.

    A stored record is 8 bytes of `applied` and the codec's bytes. Where two records of a key meet, the higher `applied`
    wins, whichever came later. A household has applied what the furthest of its records has, because what a checkpoint
    changed of it is written whole or not at all. `<household>` is the head, `<household>/<half-year>` a page. An
    emptied page is a record as well: a deletion would carry no `applied`. Only a rebuild deletes, and it always wins.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heads: dict[str, bytes] = {}
        self._pages: dict[str, dict[str, bytes]] = {}
        self._cache: dict[str, Household] = {}
        self._dirty: dict[str, Household] = {}
        self._flying: set[str] = set()
        self._rewrite: dict[bytes, bytes] = {}
        self._recheck: dict[str, int] = {}
        self._due: dict[int, set[str]] = {}

    def __len__(self) -> int:
        return len(self._all())

    @property
    def dirty(self) -> int:
        """Households to write."""
        return len(self._dirty)

    def names(self) -> list[str]:
        """Every household, sorted."""
        return sorted(self._all())

    def get(self, name: str, coverage: Coverage) -> Household:
        """The household, an empty one when nothing is known of it."""
        household = self._cache.get(name)
        if household is None:
            household = self._cache[name] = self._decode(name, coverage)
        return household

    def touch(self, household: Household, recheck_on: int | None) -> None:
        """The household changed; it is due again on `recheck_on`."""
        self._dirty[household.id] = household
        self.schedule(household, recheck_on)

    def note(self, household: Household) -> None:
        """The household changed; it is due when it was."""
        self._dirty[household.id] = household

    def schedule(self, household: Household, recheck_on: int | None) -> None:
        """The household is due again on `recheck_on`."""
        name = household.id
        before = self._recheck.get(name)
        if before != recheck_on:
            self._schedule(name, before, recheck_on)

    def pop_due(self, until: int) -> tuple[int, list[str]] | None:
        """The earliest day up to `until` on which anybody is due, and who, sorted."""
        day = min(self._due, default=None)
        if day is None or day > until:
            return None
        names = sorted(self._due.pop(day))
        for name in names:
            del self._recheck[name]
        return day, names

    def drain(self) -> list[Item]:
        """Encodes every dirty household: head and touched pages together."""
        items = [Item(key, value) for key, value in self._rewrite.items()]
        self._rewrite = {}
        heads, pack = self._heads, _APPLIED.pack
        for name, household in self._dirty.items():
            touched = household.dirty_pages
            if len(touched) == 1 and not household.dirty_head and name in heads:
                (half_year,) = touched  # nearly always: one new fact
                value = pack(household.head.applied) + household.pages.raw[half_year]
                items.append(Item(f"{name}/{half_year}".encode(), value))
                touched.clear()
            else:
                items += self._changes(name, household)
                household.clean()
        self._flying = set(self._dirty)
        self._dirty = {}
        return items

    def holds(self, name: str) -> bool:
        """Whether the household is decoded already."""
        return name in self._cache

    def forget_views(self) -> None:
        """What decoded households worked out until now may be otherwise."""
        for household in self._cache.values():
            household.forget_views()

    def release(self, name: str) -> None:
        """Nobody needs the decoded household any more; what is not durable stays."""
        if name not in self._dirty and name not in self._flying:
            self._cache.pop(name, None)

    def _all(self) -> set[str]:
        """Households durable, dirty, or drained and on their way."""
        return self._heads.keys() | self._dirty.keys() | self._flying

    def _changes(self, name: str, household: Household) -> list[Item]:
        """The touched pages, and the head unless it says what is durable already; all but the last are tied."""
        changed = [_page_record(name, household, half_year) for half_year in sorted(household.dirty_pages)]
        durable = self._heads.get(name)
        if household.dirty_head or durable is None:
            head = codec.encode_head(household.head)
            if durable is None or durable[8:] != head:
                changed.append((name.encode(), _APPLIED.pack(household.head.applied) + head))
        last = len(changed) - 1
        return [Item(key, raw, None, at < last) for at, (key, raw) in enumerate(changed)]

    def keep(self, items: list[Item]) -> None:
        """These records are durable; the cache may shrink."""
        for item in items:
            self._put(item.key.decode(), item.value)
        self._flying = set()
        if len(self._cache) > self._limit:
            for name in list(self._cache)[: len(self._cache) - self._limit]:
                if name not in self._dirty:
                    del self._cache[name]

    def restore(self, key: str, value: bytes | None) -> None:
        """Takes one record of the state log, unless a newer one is known."""
        known = self._known(key)
        if known is not None and value is not None and _applied(value) < _applied(known):
            self._rewrite[key.encode()] = known
            return
        self._rewrite.pop(key.encode(), None)
        self._put(key, value)

    def reset(self) -> None:
        """Forgets decoded and dirty households; durable records stay."""
        self._cache, self._dirty, self._flying = {}, {}, set()
        self.index()

    def index(self) -> None:
        """Rebuilds who is due when from the durable heads."""
        self._recheck, self._due = {}, {}
        for name, raw in self._heads.items():
            day = codec.recheck_of(raw[8:])
            if day is not None and day != _NEVER:
                self._schedule(name, None, day)

    def records(self) -> Iterator[tuple[str, bytes]]:
        """Every durable record, sorted by key."""
        for name in sorted(self._heads):
            yield name, self._heads[name]
            for half_year, raw in sorted(self._pages.get(name, {}).items()):
                yield f"{name}/{half_year}", raw

    def _decode(self, name: str, coverage: Coverage) -> Household:
        raw, pages = self._heads.get(name), self._pages.get(name, {})
        head = codec.decode_head(raw[8:]) if raw is not None else Head()
        records = pages.values() if raw is None else (raw, *pages.values())
        head.applied = max([_applied(each) for each in records], default=head.applied)
        return Household(name, head, codec.Pages({half: page[8:] for half, page in pages.items()}), coverage)

    def _schedule(self, name: str, before: int | None, after: int | None) -> None:
        if before is not None:
            waiting = self._due.get(before)
            if waiting is not None:
                waiting.discard(name)
                if not waiting:
                    del self._due[before]
        if after is None:
            self._recheck.pop(name, None)
        else:
            self._recheck[name] = after
            self._due.setdefault(after, set()).add(name)

    def _known(self, key: str) -> bytes | None:
        name, _, half_year = key.partition("/")
        return self._pages.get(name, {}).get(half_year) if half_year else self._heads.get(name)

    def _put(self, key: str, value: bytes | None) -> None:
        name, _, half_year = key.partition("/")
        if half_year:
            _store(self._pages.setdefault(name, {}), sys.intern(half_year), value)
        else:
            _store(self._heads, name, value)


def _page_record(name: str, household: Household, half_year: str) -> tuple[bytes, bytes]:
    return f"{name}/{half_year}".encode(), _APPLIED.pack(household.head.applied) + household.pages.raw[half_year]


def _store(shelf: dict[str, bytes], key: str, value: bytes | None) -> None:
    if value is None:
        shelf.pop(key, None)
    else:
        shelf[key] = value


def _applied(raw: bytes) -> int:
    return int(_APPLIED.unpack_from(raw)[0])
