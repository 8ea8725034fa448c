"""What a household owes others when people move: `transfer` (facts and episodes) and `forward` (a late fact).

The aim, whatever the order of arrival: the household a person lives in holds all facts of the person, a household
left holds those dated inside its memberships. So whoever learns something new about a person, a membership or a
fact, passes it to the households that should know it by all that is known here; who learns nothing new is silent,
which is why this comes to rest. What is held and does not belong here is hidden from questions, not thrown away:
a membership may arrive later than the facts it explains.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

import msgspec

from households.homes import to_tell
from households.residence import covers, elsewhere, memberships_of, newest, rank
from households.state import Episode, Head, Waiting
from schemas.facts import AnyFact, Membership, Version
from schemas.records import MAX_HOPS, Carried, FactBody, Route, TransferBody

ROUTING_LOOP = "ROUTING_LOOP"


class Change(NamedTuple):
    """A fact that others may have to hear of; `days` are its own and those of records of its key that lost.

    `came`: it is news because it came, not because it won against what came.
    """

    fact: AnyFact
    days: tuple[int, ...]
    came: bool = True


@dataclass(slots=True)
class Learned:
    """What one record taught about a person's memberships: (new, known before), and where the person lived before."""

    lived_in: str
    memberships: list[tuple[Membership, Membership | None]] = field(default_factory=list)

    def note(self, new: Membership, old: Membership | None) -> None:
        """Only what gives somebody days matters: a new membership, a longer one, a reversal or its end."""
        if old is None or new.gone != old.gone or _longer(old, new):
            self.memberships.append((new, old))

    @property
    def spreads(self) -> bool:
        """Whether a household known before may now own days it did not."""
        return any(old is not None or new.gone for new, old in self.memberships)


class Owed(NamedTuple):
    """Records for other households, and the episodes that went along (episode, household it went to)."""

    transfers: tuple[tuple[str, TransferBody], ...] = ()
    forwards: tuple[tuple[str, FactBody], ...] = ()
    moved: tuple[tuple[Episode, str], ...] = ()
    problem: str | None = None


def name(fact: AnyFact) -> tuple[str, str]:
    """What a fact is called among those of its person."""
    return (fact.feed, fact.key)


def transfer_id(person: str, membership: Version) -> str:
    """UUIDv5 of (person, membership version)."""
    called = f"{person}|{membership.recorded_ms}|{membership.sequence}|{membership.event_id}"
    return str(uuid5(NAMESPACE_URL, called))


def late(here: str, head: Head, body: FactBody, change: Change) -> Owed:
    """A late fact, sent on to where it belongs; a router that knew the newest membership has served that one."""
    route = body.route or Route()
    there = elsewhere(head, body.person)
    known = memberships_of(head, body.person)
    targets = _belonging(known, change.days)
    if there is not None and route.seen != there.version:
        targets.add(there.household)
    targets -= {here, route.previous if route.hops and change.came else None}
    if not targets:
        return Owed()
    if route.hops >= MAX_HOPS:
        return Owed(problem=ROUTING_LOOP)
    latest = newest(known)
    seen = latest.version if latest is not None else route.seen
    sent = FactBody(body.person, change.fact, Route(seen, here, route.hops + 1))
    return Owed(forwards=tuple((target, sent) for target in sorted(filter(None, targets))))


@dataclass(slots=True)
class Settlement:
    """What is owed after memberships and `news` (facts of a transfer by `told_by`) were merged.

    `served`: the household the router has told as well. `passing`: episodes that came for somebody who lives
    elsewhere by now. `ask`: the household whose transfer is awaited here; `asked`: `told_by` awaits ours.
    """

    here: str
    head: Head
    person: str
    learned: Learned
    held: list[Change]
    news: list[Change] = field(default_factory=list)
    told_by: str | None = None
    served: str | None = None
    passing: tuple[Carried, ...] = ()
    ask: str | None = None
    asked: bool = False

    def owed(self) -> Owed:
        """The transfers, one per household at most, and the episodes that end here because they moved."""
        there = elsewhere(self.head, self.person)
        home = there.household if there is not None else self.here
        left = home not in (self.here, self.learned.lived_in)
        moved: tuple[tuple[Episode, str], ...] = ()
        carried = self.passing
        if there is not None and left and self.learned.lived_in == self.here:
            moved = _leave(self.head, self.person, there)
            carried = (*_carry(self.head, self.person, moved), *carried)
        known = memberships_of(self.head, self.person)
        transfers = []
        asker = self.told_by if self.asked else None
        for target in sorted(filter(None, {*(each.household for each in known), self.ask, asker} - {self.here})):
            facts = self._facts_for(target, home, known, all_held=left and target == home)
            episodes = carried if target == home else ()
            asks = target == self.ask
            if facts or episodes or asks or self._tells(target) or self._answers(target, known):
                body = _transfer(self.here, self.head, known, self.person, target, facts, episodes)
                transfers.append((target, msgspec.structs.replace(body, asks=asks)))
                _note(self.head.answered, self.person, _about(known, target))
        return Owed(transfers=tuple(transfers), moved=moved)

    def _facts_for(self, target: str, home: str, known: list[Membership], *, all_held: bool) -> list[AnyFact]:
        gained = self.learned.spreads or any(new.household == target for new, _ in self.learned.memberships)
        came = {name(each.fact) for each in self.news if each.came} if target == self.told_by else set()
        theirs = [each for each in known if each.household == target]
        return [
            each.fact
            for each in (self.held if all_held or gained else self.news)
            if name(each.fact) not in came
            and (target == home or any(covers(stay, known, day) for stay in theirs for day in each.days))
        ]

    def _tells(self, target: str) -> bool:
        return bool(self.learned.memberships) and target not in (self.told_by, self.served)

    def _answers(self, target: str, known: list[Membership]) -> bool:
        """Whether the target asked and nothing is on its way to it."""
        answered = self.head.answered.get(self.person, ())
        return self.asked and target == self.told_by and any(each not in answered for each in _about(known, target))


def tell_homes(here: str, head: Head, person: str, held: list[AnyFact]) -> tuple[tuple[str, TransferBody], ...]:
    """For the household a person lives in, where it is another: where the person's former homes are on record.

    The facts held go along, because whoever waits for a history takes any transfer for it.
    """
    there = elsewhere(head, person)
    if there is None:
        return ()
    known = memberships_of(head, person)
    return ((there.household, _transfer(here, head, known, person, there.household, held, ())),)


def adopt(episodes: list[Episode], person: str, carried: Iterable[Carried]) -> bool:
    """Continue the episodes of a person who came; older revisions than known change nothing. Whether any was new."""
    changed = False
    by_id = {episode.alert_id: place for place, episode in enumerate(episodes)}
    for each in carried:
        place = by_id.get(each.alert_id)
        if place is not None and episodes[place].revision >= each.revision:
            continue
        values = msgspec.structs.asdict(each)
        if each.ended is None:
            values["digest"] = ""
        episode = Episode(**values, person=person)
        if place is None:
            by_id[each.alert_id] = len(episodes)
            episodes.append(episode)
        else:
            episodes[place] = episode
        changed = True
    return changed


def arrived(here: str, head: Head, body: TransferBody) -> tuple[bool, bool]:
    """Note that a transfer is here: whether that is news, and whether the household waited for it."""
    memberships = [each for each in body.facts if isinstance(each, Membership)]
    about = [Waiting(each.membership, body.left) for each in _about(memberships, here)]
    news = _note(head.arrived, body.person, about)
    awaited = head.waiting.get(body.person) in about
    if awaited:
        del head.waiting[body.person]
    return news, awaited


def wait_for(head: Head, membership: Membership, left: str) -> bool:
    """The person's history is on its way, unless it came before. Whether this is news."""
    awaited = Waiting(membership.key, left)
    person = membership.person
    if awaited in head.arrived.get(person, ()) or head.waiting.get(person) == awaited:
        return False
    head.waiting[person] = awaited
    return True


def _about(memberships: Iterable[Membership], receiver: str) -> list[Waiting]:
    """What a transfer with these memberships may be awaited for: that the person came, or never went away."""
    return [Waiting(each.key, receiver) for each in memberships if each.household == receiver or each.gone]


def _note(notes: dict[str, list[Waiting]], person: str, about: list[Waiting]) -> bool:
    known = notes.get(person, [])
    new = [each for each in about if each not in known]
    if new:
        notes[person] = [*known, *new]
    return bool(new)


def _longer(old: Membership, new: Membership) -> bool:
    return old.until is not None and (new.until is None or new.until > old.until)


def _belonging(known: list[Membership], days: Iterable[int]) -> set[str | None]:
    return {each.household for each in known for day in days if covers(each, known, day)}


def _leave(head: Head, person: str, there: Membership) -> tuple[tuple[Episode, str], ...]:
    going = []
    for episode in head.episodes:
        if episode.person == person and episode.ended is None:
            episode.revision += 1
            episode.ended, episode.ended_on = "moved", there.day
            going.append((episode, there.household))
    return tuple(sorted(going, key=lambda pair: pair[0].order))


def _carry(head: Head, person: str, moved: tuple[tuple[Episode, str], ...]) -> Iterator[Carried]:
    """Open episodes go on open; ended ones go along so that they re-open under their alert_id."""
    leaving = {episode.alert_id for episode, _ in moved}
    for episode in sorted(head.episodes, key=lambda each: each.order):
        goes = episode.person == person and not episode.shadow
        if goes and (episode.alert_id in leaving or episode.ended != "moved"):
            values = msgspec.structs.asdict(episode)
            del values["person"]
            if episode.alert_id in leaving:
                values["ended"] = values["ended_on"] = None
            yield Carried(**values)


def _transfer(
    here: str,
    head: Head,
    known: list[Membership],
    person: str,
    target: str,
    facts: list[AnyFact],
    episodes: tuple[Carried, ...],
) -> TransferBody:
    latest = newest(each for each in known if each.household == target)
    version = (latest or max(known, key=rank)).version
    return TransferBody(
        transfer_id=transfer_id(person, version),
        person=person,
        left=here,
        membership=version,
        facts=(*sorted(known, key=rank), *facts),
        episodes=episodes,
        homes=to_tell(here, head, person),
    )
