"""What whole batches make of facts they do not repeat: reversed in the month replaced, ended or never so in a snapshot.

A batch speaks of the facts of its own source, told before it began, of people who lived in its areas then: on the day
of the fact where it replaces a month, on the month's last day where it is a full snapshot. Nothing is written into
facts: what stands is worked out when somebody asks, from the fact, the person's stays, where these homes were on record
at the end of the month, and the batches that took effect, which every partition knows. So order decides nothing.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from households.homes import area_on, areas_of, known, own
from households.residence import covers, elsewhere, memberships_of
from households.state import Head
from schemas.facts import KIND_OF_FEED, AnyFact, Fact, first_day

if TYPE_CHECKING:
    from households.closings import Closed
    from households.queries import Queries

EVERYWHERE = "*"
_EVER = 1
Chain = Callable[[str, int], tuple[str, ...]]
"""An area and those above it on a day."""


class Whole(msgspec.Struct, array_like=True):
    """What took effect of a feed and source: month -> area -> when the batch began, in ms; the latest counts."""

    replaced: dict[int, dict[str, int]] = {}
    snapshots: dict[int, dict[str, int]] = {}

    def of(self, *, snapshot: bool) -> dict[int, dict[str, int]]:
        """Full snapshots that speak of more than their month, or replaced months."""
        return self.snapshots if snapshot else self.replaced

    def add(self, month: int, areas: Iterable[str], begun_ms: int, *, snapshot: bool) -> None:
        """A batch took effect."""
        begun = self.of(snapshot=snapshot).setdefault(month, {})
        for area in areas:
            begun[area] = max(begun_ms, begun.get(area, 0))


class Spoken(NamedTuple):
    """What concerns an area. `replaced`: month -> ms; `snapshots`: (month, ms) by month.

    What was recorded from `newest` on stands in any case, from `ended` on no snapshot speaks of it.
    """

    replaced: dict[int, int]
    snapshots: tuple[tuple[int, int], ...]
    newest: int
    ended: int


Spoke = dict[str, Spoken]
"""By source; "" speaks of the facts of every source."""
NOTHING_SAID: Spoke = {}


def by_month(feed: str) -> bool:
    """Whether a full snapshot of a feed says no more than its month: facts of one day, kept by month.

    Then it is the same as a whole replacement of the month. Else (what lasts, what is kept as a register) it speaks of
    everything that began up to the end of its month.
    """
    kind = KIND_OF_FEED[feed]
    return kind.paged and kind.ended_in is None


def spoken_of_area(sources: dict[str, Whole], area: str, chain: Chain) -> Spoke:
    """What the batches of a feed say of an area; each month's areas are those of its last day."""
    found: Spoke = {}
    for source, whole in sources.items():
        replaced = _of_area(whole.replaced, area, chain)
        snapshots = tuple(sorted(_of_area(whole.snapshots, area, chain).items()))
        if replaced or snapshots:
            ended = max((begun for _, begun in snapshots), default=0)
            found[source] = Spoken(replaced, snapshots, max(ended, *replaced.values(), 0), ended)
    return found


def spoken_of(household: "Queries", feed: str) -> Spoke:
    """What may concern facts held by a household, wherever its people lived: the sieve before `as_it_stands` asks."""
    areas = {area for _, homes in known(household.id, household.head) for area in areas_of(homes)}
    said = [spoke for area in sorted(areas) if (spoke := household.coverage.spoken(feed, area))]
    if len(said) < 2:
        return said[0] if said else NOTHING_SAID
    return {source: _widest([each[source] for each in said if source in each]) for each in said for source in each}


def as_it_stands(household: "Queries", person: str, facts: list[AnyFact]) -> list[AnyFact]:
    """A person's facts under the whole batches known here, in the same order; the same list where there are none."""
    if not household.coverage.wholes:
        return facts
    return [_under(household, person, fact) for fact in facts]


def at_stake(household: "Queries", whole: "Closed") -> list[Fact]:
    """Live facts of this household's own people that a batch ends or reverses, unless it repeats them."""
    head, here, last = household.head, household.id, last_day(whole.month)
    if not whole.names(household.coverage.chain(area_on(own(head), last), last)):
        return []
    kind, first = KIND_OF_FEED[whole.feed], _EVER if whole.snapshot else first_day(whole.month)
    found: list[Fact] = []
    for person in sorted({each.person for each in head.members}):
        if whole.snapshot and not stayed(head, person, here, last):
            continue
        facts = (fact for fact in household.of_kind(kind, person, first, last + 1) if whole.source in ("", fact.source))
        if whole.snapshot:
            found += (fact for fact in facts if _open(fact, whole.month))
        else:
            found += (fact for fact in facts if stayed(head, person, here, fact.day))
    return found


def concerns(household: "Queries", whole: "Closed") -> bool:
    """Whether a batch speaks of this household, or of one that somebody here came from."""
    chain, last = household.coverage.chain, last_day(whole.month)
    return any(whole.names(chain(area_on(homes, last), last)) for _, homes in known(household.id, household.head))


def stayed(head: Head, person: str, household: str, day: int) -> bool:
    """Whether the person was a member of a household on a day, by all that is known here."""
    told = memberships_of(head, person)
    return any(each.household == household and covers(each, told, day) for each in told)


@cache
def last_day(month: int) -> int:
    """Ordinal of the last day of a month number."""
    return first_day(month + 1) - 1


def _of_area(months: dict[int, dict[str, int]], area: str, chain: Chain) -> dict[int, int]:
    found = {}
    for month, areas in months.items():
        begun = [areas[each] for each in (*chain(area, last_day(month)), EVERYWHERE) if each in areas]
        if begun:
            found[month] = max(begun)
    return found


def _widest(said: list[Spoken]) -> Spoken:
    replaced: dict[int, int] = {}
    for each in said:
        for month, begun in each.replaced.items():
            replaced[month] = max(begun, replaced.get(month, 0))
    return Spoken(replaced, (), max(each.newest for each in said), max(each.ended for each in said))


def _under(household: "Queries", person: str, fact: AnyFact) -> AnyFact:
    spoke = household.spoken(fact.feed)
    if not spoke or fact.gone:
        return fact
    ends = [
        end
        for source in (fact.source, "")
        if (said := spoke.get(source)) is not None
        and not _stands(fact, said)
        and (end := _end(household, person, fact, source)) is not None
    ]
    if not ends:
        return fact
    end, name = min(ends), fact.ended_in
    if name is None or end <= fact.day:
        return fact.tombstone(fact.version)
    ends_on = getattr(fact, name)
    return fact if ends_on is not None and ends_on <= end else msgspec.structs.replace(fact, **{name: end})


def _stands(fact: AnyFact, said: Spoken) -> bool:
    """Nearly always: what is in force was told again by the last batch, or its month never replaced since."""
    recorded = fact.recorded_ms
    if recorded >= said.newest:
        return True
    return recorded >= said.ended and recorded >= said.replaced.get(fact.month, 0)


def _end(household: "Queries", person: str, fact: AnyFact, source: str) -> int | None:
    """The day on which a fact ends by the batches of a source that do not repeat it; the first of all: it never was.

    What a household left still holds was told of its own days: only what was said of itself counts there.
    """
    head, here, found = household.head, household.id, None
    gone = elsewhere(head, person) is not None
    for name, told in known(here, head):
        if gone and name != here:
            continue
        homes = tuple(told)
        for area in sorted(areas_of(homes)):
            said = household.coverage.spoken(fact.feed, area).get(source)
            if said is None:
                continue
            if fact.recorded_ms < said.replaced.get(fact.month, 0):
                last = last_day(fact.month)
                if area_on(homes, last) == area and stayed(head, person, name, fact.day):
                    return _EVER
            for month, begun in said.snapshots:
                last = last_day(month)
                if fact.recorded_ms >= begun or fact.day > last:
                    continue
                if found is not None and first_day(month) >= found:
                    break
                if area_on(homes, last) == area and stayed(head, person, name, last):
                    found = first_day(month)
                    break
    return found


def _open(fact: Fact, month: int) -> bool:
    """Whether a fact that began by the month's end had not ended when the month began."""
    if fact.ended_in is None:
        return True
    ends = [getattr(fact, name) for name in {*fact.ends, fact.ended_in}]
    return all(day is None or day > first_day(month) for day in ends)
