"""A household's ledger: folding facts in any order, any number of times, gives the same household.

Of one natural key the highest version stays; a reversal is a version like any other and keeps a late original away.
Folding validates nothing and raises nothing: what comes here is a fact.
"""

from bisect import insort

import msgspec

from households import moves
from households.coverage import Coverage
from households.moves import Change, Learned, Owed, Settlement
from households.queries import _PAGE_OF, Member, Queries, page_of, place
from households.residence import covered, elsewhere, rank
from households.state import HOUSEHOLD, Episode, Head, Page
from schemas.facts import (
    FACT_KINDS,
    KIND_OF_FEED,
    AnyFact,
    Bill,
    Fact,
    Membership,
    Refund,
    Version,
    first_day,
    month_of,
)
from schemas.records import Carried, FactBody, Route, TransferBody

Slot = str | tuple[type[Fact], str]


class FoldResult(msgspec.Struct, frozen=True):
    """What a record changed and what it obliges to. `feeds`: what detectors look at has changed in these feeds.

    `transfers` and `forwards` are (household, body) to append to `households.events.v1`; `moved` are episodes that
    ended here because their person left (`detectors.episodes.moved` makes the alerts); `problem` is a reject code.
    """

    feeds: frozenset[str] = frozenset()
    transfers: tuple[tuple[str, TransferBody], ...] = ()
    forwards: tuple[tuple[str, FactBody], ...] = ()
    moved: tuple[tuple[Episode, str], ...] = ()
    problem: str | None = None


NOTHING = FoldResult()
ALL_FEEDS = frozenset(KIND_OF_FEED)
CHANGED: dict[type[Fact], FoldResult] = {kind: FoldResult(frozenset((kind.feed,))) for kind in FACT_KINDS}


class Household(Queries):
    """One household: head, pages, what has to be written (`dirty_*`), and the coverage of its partition."""

    __slots__ = ("_keys", "dirty_head", "dirty_pages")

    def __init__(
        self,
        household: str,
        head: Head | None = None,
        pages: dict[str, Page] | None = None,
        coverage: Coverage | None = None,
    ) -> None:
        super().__init__(household, head or Head(), {} if pages is None else pages, coverage or Coverage())
        self._keys: dict[str, dict[Slot, AnyFact]] = {}
        self.dirty_head = False
        self.dirty_pages: set[str] = set()

    def fold(self, body: FactBody) -> FoldResult:
        """Fold one fact, from the router or forwarded by a household its person left."""
        fact = body.fact
        if isinstance(fact, Membership):
            return self._fold_membership(body, fact)
        person = body.person
        loser = self._merge(person, fact)
        if person in self.head.stubs:
            return self._fold_mover(body, loser)
        return NOTHING if loser is fact else CHANGED[fact.__class__]

    def merge_transfer(self, body: TransferBody) -> FoldResult:
        """Take over what a household sends of a person: facts, episodes, memberships. A second time changes nothing."""
        person = body.person
        learned = self._learning(person)
        news: list[Change] = []
        for fact in body.facts:
            if isinstance(fact, Membership):
                known = self._enrol(fact)
                if known is not fact:
                    learned.note(fact, known)
        for fact in body.facts:
            if not isinstance(fact, Membership):
                news += self._news(person, fact, self._merge(person, fact))
        there = elsewhere(self.head, person)
        adopted = there is None and moves.adopt(self.head.episodes, person, body.episodes)
        noted, awaited = moves.arrived(self.id, self.head, body)
        ask = None
        if there is None and learned.lived_in != self.id and learned.memberships:
            ask = self._wait(max((new for new, _ in learned.memberships), key=rank), learned.lived_in)
        passing = body.episodes if there is not None else ()
        owed = self._settle(person, learned, news, told_by=body.left, passing=passing, ask=ask, asked=body.asks)
        if learned.memberships or news or adopted or awaited:
            return self._kept(ALL_FEEDS, owed)
        return self._kept(frozenset(), owed) if noted or owed.transfers else NOTHING

    def apply_floor(self, feed: str, month: int, begun_ms: int) -> FoldResult:
        """A whole new batch of a month began at `begun_ms`: older records of that month count as reversed."""
        months = self.head.floors.setdefault(feed, {})
        if months.get(month, 0) >= begun_ms:
            return NOTHING
        first, after = first_day(month), first_day(month + 1)
        before = len(self._counted(feed, first, after))
        months[month] = begun_ms
        self.dirty_head = True
        return NOTHING if len(self._counted(feed, first, after)) == before else CHANGED[KIND_OF_FEED[feed]]

    def clean(self) -> None:
        """Everything is written."""
        self.dirty_head = False
        self.dirty_pages.clear()

    # ---- facts
    def _merge(self, person: str, fact: AnyFact) -> AnyFact | None:
        """Keep the higher version. Returns the loser: None when the key is new, `fact` when it changes nothing."""
        keys = self._keys.get(person)
        if keys is None:
            keys = self._index(person)
        kind = fact.__class__
        slot: Slot = fact.key if kind is Bill else (kind, fact.key)
        old = keys.get(slot)
        if old is not None:
            if not newer(fact, old):
                return fact
            self._remove(person, old)
        keys[slot] = fact
        self.dirty_head = True
        if kind.paged:
            day = fact.day
            name = _PAGE_OF.get(day) or page_of(day)
            page = self.pages.get(name)
            if page is None:
                page = self.pages[name] = {}
            self.dirty_pages.add(name)
            self.page_memo.pop(name, None)
        else:
            page = self.head.lasting
        facts = page.get(person)
        if facts is None:
            page[person] = [fact]
        elif facts[-1].day < fact.day:
            facts.append(fact)
        else:
            insort(facts, fact, key=place)
        if kind is Refund:
            self._refunds = None
        return old

    def _remove(self, person: str, fact: AnyFact) -> None:
        page = self.head.lasting
        if fact.paged:
            name = page_of(fact.day)
            page = self.pages[name]
            self.dirty_pages.add(name)
            self.page_memo.pop(name, None)
        facts = page[person]
        facts[:] = [each for each in facts if each is not fact]
        if not facts:
            del page[person]
        if fact.__class__ is Refund:
            self._refunds = None

    def _index(self, person: str) -> dict[Slot, AnyFact]:
        keys: dict[Slot, AnyFact] = {}
        for page in (*self.pages.values(), self.head.lasting):
            for fact in page.get(person, ()):
                kind = fact.__class__
                keys[fact.key if kind is Bill else (kind, fact.key)] = fact
        self._keys[person] = keys
        return keys

    def held(self, person: str) -> list[AnyFact]:
        """Every fact of a person kept here, whether or not it belongs here, in order; replaced ones as reversed."""
        facts = list((self._keys.get(person) or self._index(person)).values())
        return sorted(map(self._settled, facts), key=place)

    def _settled(self, fact: AnyFact) -> AnyFact:
        floor = self.head.floors.get(fact.feed, {}).get(month_of(fact.day), 0)
        return fact if fact.recorded_ms >= floor else fact.tombstone(Version(floor, 0, ""))

    def _counted(self, feed: str, first: int, after: int) -> list[Fact]:
        kind = KIND_OF_FEED[feed]
        if kind.paged:
            return self._paged(kind, None, first, after)
        return [fact for fact in self._lasting(kind, None) if first <= fact.day < after]

    # ---- people who move
    def _fold_mover(self, body: FactBody, loser: AnyFact | None) -> FoldResult:
        news = self._news(body.person, body.fact, loser)
        if not news:
            return NOTHING
        here = any(covered(self.head, body.person, day) for day in news[0].days)
        touched = body.fact is not loser and (here or elsewhere(self.head, body.person) is None)
        owed = moves.late(self.id, self.head, body, news[0]._replace(fact=self._settled(news[0].fact)))
        return self._kept(frozenset((body.fact.feed,)) if touched else frozenset(), owed)

    def _news(self, person: str, fact: AnyFact, loser: AnyFact | None) -> list[Change]:
        if loser is None:
            return [Change(fact, (fact.day,))]
        if loser is not fact:
            return [Change(fact, (fact.day, loser.day))]
        winner = self._keys[person][fact.key if fact.__class__ is Bill else (fact.__class__, fact.key)]
        if winner.day != fact.day and newer(winner, fact):
            return [Change(winner, (winner.day, fact.day), came=False)]
        return []

    def _fold_membership(self, body: FactBody, fact: Membership) -> FoldResult:
        person, route = fact.person, body.route or Route()
        learned = self._learning(person)
        known = self._enrol(fact)
        changed = known is not fact
        if changed:
            learned.note(fact, known)
        there = elsewhere(self.head, person)
        ask = None
        if there is None and fact.household == self.id and not fact.gone and route.previous not in (None, self.id):
            ask = self._wait(fact, route.previous)
        elif there is None and learned.lived_in != self.id:
            ask = self._wait(fact, learned.lived_in)
        if not changed and ask is None:
            return NOTHING
        owed = self._settle(person, learned, [], served=route.previous, ask=ask)
        moved = learned.lived_in != (there.household if there is not None else self.id)
        return self._kept(ALL_FEEDS if moved else frozenset((fact.feed,)), owed)

    def _enrol(self, fact: Membership) -> Membership | None:
        """Merge a membership. Returns the loser, as `_merge` does."""
        mine = fact.household == self.id
        among = self.head.members if mine else self.head.stubs.setdefault(fact.person, [])
        for at, old in enumerate(among):
            if old.key == fact.key:
                if not newer(fact, old):
                    return fact
                among[at] = fact
                self.forget_views()
                return old
        insort(among, fact, key=lambda each: (each.person, each.day, each.key))
        self.forget_views()
        return None

    def _learning(self, person: str) -> Learned:
        there = elsewhere(self.head, person)
        return Learned(there.household if there is not None else self.id)

    def _wait(self, fact: Membership, left: str | None) -> str | None:
        """The household to ask for the person's history, None when it is here or asked for."""
        return left if left is not None and moves.wait_for(self.head, fact, left) else None

    def _settle(
        self,
        person: str,
        learned: Learned,
        news: list[Change],
        *,
        told_by: str | None = None,
        served: str | None = None,
        passing: tuple[Carried, ...] = (),
        ask: str | None = None,
        asked: bool = False,
    ) -> Owed:
        if person not in self.head.stubs and ask is None:
            return Owed()
        if elsewhere(self.head, person) is not None:
            self.head.waiting.pop(person, None)
        held = self.held(person)
        return Settlement(self.id, self.head, person, learned, held, news, told_by, served, passing, ask, asked).owed()

    def _kept(self, feeds: frozenset[str], owed: Owed) -> FoldResult:
        """The outcome of a record that left something to be written, whether or not detectors care."""
        self.dirty_head = True
        return FoldResult(feeds, owed.transfers, owed.forwards, owed.moved, owed.problem)


def newer(fact: Fact, old: Fact) -> bool:
    """Whether `fact` wins. Equal versions of different content are settled by content, so that order never decides."""
    mine, its = (fact.recorded_ms, fact.sequence, fact.event_id), (old.recorded_ms, old.sequence, old.event_id)
    if mine != its:
        return mine > its
    return msgspec.msgpack.encode(fact) > msgspec.msgpack.encode(old)


__all__ = ["ALL_FEEDS", "HOUSEHOLD", "NOTHING", "FoldResult", "Household", "Member", "newer"]
