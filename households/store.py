"""The facts of a household as they are kept: of one natural key the highest version, by person, in order of days."""

from bisect import insort
from collections.abc import Mapping
from typing import Any

from households.coverage import Coverage
from households.overruled import newer
from households.pages import Pages
from households.queries import _PAGE_OF, Queries, page_of, place
from households.state import Head, Page, Shift
from schemas.facts import AnyFact, Bill, Fact, Refund, Version, month_of

Slot = str | tuple[type[Fact], str]


class FactStore(Queries):
    """The keeping side of `Household`. Keys are indexed per person when the person is first written to.

    `dirty_head`: the head may say something new; whoever changes it sets this. `dirty_pages`: facts came or went.
    """

    __slots__ = ("_keys", "_looked", "_seen", "dirty_head", "dirty_pages")

    def __init__(
        self,
        household: str,
        head: Head | None = None,
        pages: Mapping[str, Page] | None = None,
        coverage: Coverage | None = None,
    ) -> None:
        opened = pages if isinstance(pages, Pages) else Pages(pages or {})
        super().__init__(household, head or Head(), opened, coverage or Coverage())
        self._keys: dict[str, dict[Slot, AnyFact]] = {}
        self._seen: dict[str, set[str]] = {}
        self._looked: set[str] = set()
        self.dirty_head = False
        self.dirty_pages: set[str] = set()

    def clean(self) -> None:
        """Everything is written."""
        self.dirty_head = False
        self.dirty_pages.clear()

    def merge(self, person: str, fact: AnyFact) -> AnyFact | None:
        """Keep the higher version. Returns the loser: None when the key is new, `fact` when it changes nothing."""
        keys = self._keys.get(person)
        if keys is None:
            keys = self._index(person)
        kind = fact.__class__
        slot: Slot = fact.key if kind is Bill else (kind, fact.key)
        old = keys.get(slot)
        if old is None and len(self._seen[person]) != len(self.pages):
            self._look_for(person, fact.key)
            old = keys.get(slot)
        if old is not None:
            if not newer(fact, old):
                return fact
            self._remove(person, old)
        keys[slot] = fact
        if kind.paged:
            day = fact.day
            name = _PAGE_OF.get(day) or page_of(day)
            page: Any = dict.get(self.pages, name)
            if page is None:
                page = self.pages[name] = {}
                self._seen[person].add(name)
            elif page.__class__ is bytes:
                page = self.pages[name]
            self.dirty_pages.add(name)
            self.page_memo.pop(name, None)
            sums = self.page_sums.get(name)
            if sums:
                for measure in sums:
                    sums[measure] += measure(fact)
        else:
            page = self.head.lasting
            self.dirty_head = True
        facts = page.get(person)
        if facts is None:
            page[person] = [fact]
        elif facts[-1].day < fact.day:
            facts.append(fact)
        else:
            insort(facts, fact, key=place)
        if kind is Refund:
            self._refunds = None
        if self._overruled:
            self._overruled.pop(kind, None)
        return old

    def _remove(self, person: str, fact: AnyFact) -> None:
        page = self.head.lasting
        if fact.paged:
            name = page_of(fact.day)
            page = self.pages[name]
            self.dirty_pages.add(name)
            self.page_memo.pop(name, None)
            self.page_sums.pop(name, None)
        facts = page[person]
        facts[:] = [each for each in facts if each is not fact]
        if not facts:
            del page[person]
        if fact.__class__ is Refund:
            self._refunds = None

    def _index(self, person: str) -> dict[Slot, AnyFact]:
        """The keys of a person; those of a page join when the page is read for them."""
        keys = self._keys[person] = {_slot(fact): fact for fact in self.head.lasting.get(person, ())}
        self._seen[person] = set()
        return keys

    def _look_for(self, person: str, key: str) -> None:
        """Index what is not indexed yet; the first time without pages in bytes that cannot hold the key."""
        keys, seen = self._keys[person], self._seen[person]
        text = b"" if person in self._looked else key.encode()
        self._looked.add(person)
        for name in self.pages:
            if name not in seen and self.pages.may_hold(name, text):
                seen.add(name)
                for fact in self.pages[name].get(person, ()):
                    keys[_slot(fact)] = fact

    def contested(self, fact: AnyFact) -> bool:
        """Whether records of several people here are about this one thing, so that only the newest counts."""
        return any(key == fact.key for _, key in self.overruled(fact.__class__))

    def held(self, person: str) -> list[AnyFact]:
        """Every fact of a person kept here, whether or not it belongs here, in order; replaced ones as reversed."""
        found = [fact for page in (*self.pages.values(), self.head.lasting) for fact in page.get(person, ())]
        return sorted(map(self.settled, found), key=place)

    def settled(self, fact: AnyFact) -> AnyFact:
        """The fact, reversed when a whole new batch of its month replaced it."""
        floor = self.head.floors.get(fact.feed, {}).get(month_of(fact.day), 0)
        return fact if fact.recorded_ms >= floor else fact.tombstone(Version(floor, 0, ""))

    def winner(self, person: str, fact: AnyFact) -> AnyFact:
        """The version that stands for the key of a fact that was merged."""
        return self._keys[person][_slot(fact)]

    def note_shift(self, person: str, fact: AnyFact, loser: AnyFact) -> bool:
        """Remember the day of a record that lost against one of another day. Whether this is news."""
        if self.winner(person, fact).day == loser.day:
            return False
        shift = Shift(loser.feed, loser.key, loser.day)
        known = self.head.shifted.get(person, [])
        if shift in known:
            return False
        self.head.shifted[person] = sorted([*known, shift])
        self.dirty_head = True
        return True

    def days(self, person: str, fact: AnyFact) -> tuple[int, ...]:
        """Every day a fact was ever told for, its own first."""
        shifts = self.head.shifted.get(person, ())
        return (fact.day, *(each.day for each in shifts if (each.feed, each.key) == (fact.feed, fact.key)))


def _slot(fact: AnyFact) -> Slot:
    kind = fact.__class__
    return fact.key if kind is Bill else (kind, fact.key)
