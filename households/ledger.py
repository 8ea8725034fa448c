"""A household's ledger: folding facts in any order, any number of times, gives the same household.

Of one natural key the highest version stays; a reversal is a version like any other and keeps a late original away.
Folding validates nothing and raises nothing: what comes here is a fact.
"""

from bisect import insort
from collections.abc import Iterable

import msgspec

from households import homes, moves
from households.moves import Change, Learned, Owed, Settlement
from households.overruled import newer
from households.queries import Member
from households.residence import covered, elsewhere, memberships_of, rank
from households.state import HOUSEHOLD, Episode
from households.store import FactStore
from schemas.facts import FACT_KINDS, KIND_OF_FEED, AnyFact, Fact, Membership
from schemas.records import Carried, FactBody, Route, TransferBody


class FoldResult(msgspec.Struct, frozen=True):
    """What a record changed and what it obliges to. `feeds`: what detectors look at has changed in these feeds.

    `transfers` and `forwards` are (household, body) to append to `households.events.v1`; `moved` are episodes that
    ended here because their person left (`detectors.episodes.moved` makes the alerts); `problem` is a reject code.
    `fresh`: the record added a fact and replaced none.
    """

    feeds: frozenset[str] = frozenset()
    transfers: tuple[tuple[str, TransferBody], ...] = ()
    forwards: tuple[tuple[str, FactBody], ...] = ()
    moved: tuple[tuple[Episode, str], ...] = ()
    problem: str | None = None
    fresh: bool = False


NOTHING = FoldResult()
ALL_FEEDS = frozenset(KIND_OF_FEED)
CHANGED: dict[type[Fact], FoldResult] = {kind: FoldResult(frozenset((kind.feed,))) for kind in FACT_KINDS}
ADDED: dict[type[Fact], FoldResult] = {kind: FoldResult(frozenset((kind.feed,)), fresh=True) for kind in FACT_KINDS}


class Household(FactStore):
    """One household: head, pages, what has to be written (`dirty_*`), and the coverage of its partition."""

    __slots__ = ()

    def add(self, person: str, fact: AnyFact) -> bool:
        """What `fold` does with a new fact of a page, of somebody who never left; False, nothing done: ask `fold`."""
        if not fact.__class__.paged or person in self.head.stubs or self.pages.holding(fact.key):
            return False
        self._put(person, fact)
        return True

    def fold(self, body: FactBody) -> FoldResult:
        """Fold one fact, from the router or forwarded by a household its person left."""
        fact = body.fact
        if isinstance(fact, Membership):
            return self._fold_membership(body, fact)
        person = body.person
        loser = self.merge(person, fact)
        if person in self.head.stubs:
            return self._fold_mover(body, loser)
        if loser is None:
            return ADDED[fact.__class__]
        noted = self.note_shift(person, fact, loser)
        if loser is fact:
            return FoldResult() if noted else NOTHING
        return CHANGED[fact.__class__]

    def merge_transfer(self, body: TransferBody) -> FoldResult:
        """Take over what a household sends of a person: facts, episodes, memberships. A second time changes nothing."""
        self.dirty_head = True
        person = body.person
        learned = self._learning(person)
        news: list[Change] = []
        redeclared = False
        for fact in body.facts:
            if isinstance(fact, Membership):
                known = self._enrol(fact)
                if known is not fact:
                    learned.note(fact, known)
                    redeclared |= self._redeclares(fact, known)
        for fact in body.facts:
            if not isinstance(fact, Membership):
                news += self._news(person, fact, self.merge(person, fact))
        there = elsewhere(self.head, person)
        heard = homes.hear(self.id, self.head, body.homes)
        adopted = there is None and moves.adopt(self.head.episodes, person, body.episodes)
        noted, awaited = moves.arrived(self.id, self.head, body)
        ask = None
        if there is None and learned.lived_in != self.id and learned.memberships:
            ask = self._wait(max((new for new, _ in learned.memberships), key=rank), learned.lived_in)
        passing = body.episodes if there is not None else ()
        if heard:
            self.forget_views()
        owed = self._settle(person, learned, news, told_by=body.left, passing=passing, ask=ask, asked=body.asks)
        owed = self._tell_homes(owed, body.homes if heard else (), redeclared=redeclared, told_by=body.left)
        if learned.memberships or news or adopted or awaited or heard or redeclared:
            return self._kept(ALL_FEEDS, owed)
        return self._kept(frozenset(), owed) if noted or owed.transfers else NOTHING

    # ---- people who move
    def _fold_mover(self, body: FactBody, loser: AnyFact | None) -> FoldResult:
        news = self._news(body.person, body.fact, loser)
        if not news:
            return NOTHING
        here = any(covered(self.head, body.person, day) for day in news[0].days)
        touched = body.fact is not loser and (here or elsewhere(self.head, body.person) is None)
        owed = moves.late(self.id, self.head, body, news[0])
        return self._kept(frozenset((body.fact.feed,)) if touched else frozenset(), owed)

    def _news(self, person: str, fact: AnyFact, loser: AnyFact | None) -> list[Change]:
        """What others may have to hear after a merge: the winner, with every day it was ever told for."""
        if loser is None:
            return [Change(fact, (fact.day,))]
        told = self.note_shift(person, fact, loser)
        winner = self.winner(person, fact)
        if loser is fact and not told:
            return []
        return [Change(winner, self.days(person, winner), came=loser is not fact)]

    def _fold_membership(self, body: FactBody, fact: Membership) -> FoldResult:
        self.dirty_head = True
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
        redeclared = changed and self._redeclares(fact, known)
        owed = self._settle(person, learned, [], served=route.previous, ask=ask)
        owed = self._tell_homes(owed, (), redeclared=redeclared)
        moved = learned.lived_in != (there.household if there is not None else self.id)
        spoken = redeclared and bool(self.coverage.wholes)  # other batches may speak of what is held here
        return self._kept(ALL_FEEDS if moved or spoken else frozenset((fact.feed,)), owed)

    def _redeclares(self, fact: Membership, known: Membership | None) -> bool:
        """Whether a membership may change where this household was on record, and so which batches speak of it."""
        return fact.household == self.id and homes.redeclares(fact, known)

    def _tell_homes(self, owed: Owed, heard: Iterable[str], *, redeclared: bool, told_by: str | None = None) -> Owed:
        """What is new of where households are on record goes after whoever lived there, unless it goes along anyway."""
        concerned = {*heard, self.id} if redeclared else set(heard)
        served = {(body.person, target) for target, body in owed.transfers}
        more = []
        for person in sorted(self.head.stubs) if concerned else ():
            if concerned.isdisjoint(each.household for each in memberships_of(self.head, person)):
                continue
            for target, body in moves.tell_homes(self.id, self.head, person, self.held(person)):
                if (person, target) not in served and (redeclared or target != told_by):
                    more.append((target, body))
        return owed._replace(transfers=(*owed.transfers, *more)) if more else owed

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
        if person not in self.head.stubs and ask is None and not asked:
            return Owed()
        if elsewhere(self.head, person) is not None:
            self.head.waiting.pop(person, None)
        held = [Change(fact, self.days(person, fact)) for fact in self.held(person)]
        return Settlement(self.id, self.head, person, learned, held, news, told_by, served, passing, ask, asked).owed()

    def _kept(self, feeds: frozenset[str], owed: Owed) -> FoldResult:
        """The outcome of a record that left something to be written, whether or not detectors care."""
        self.dirty_head = True
        return FoldResult(feeds, owed.transfers, owed.forwards, owed.moved, owed.problem)


__all__ = ["ALL_FEEDS", "HOUSEHOLD", "NOTHING", "FoldResult", "Household", "Member"]
