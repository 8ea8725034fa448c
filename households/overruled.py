"""Records of one fact told of two people of a household: the newest says whose it is, the others do not count."""

from collections.abc import Callable

import msgspec

from households.pages import Pages
from schemas.facts import AnyFact, Fact

Lost = frozenset[tuple[str, str]]
NOBODY: Lost = frozenset()


def overruled_now(pages: Pages, belongs: Callable[[str, list[AnyFact]], list[AnyFact]], kind: type[Fact]) -> Lost:
    """(person, key) of the records that lost; `belongs` leaves out what is only held for other households."""
    if not _told_of_two(pages, kind):
        return NOBODY
    newest: dict[str, tuple[str, AnyFact]] = {}
    lost: set[tuple[str, str]] = set()
    for name in pages:
        if not pages.may_hold_kind(name, kind):
            continue
        for who, facts in pages[name].items():
            for fact in belongs(who, facts):
                if fact.__class__ is not kind:
                    continue
                person, other = newest.setdefault(fact.key, (who, fact))
                if person == who:
                    continue
                if newer(fact, other) or (not newer(other, fact) and who > person):
                    newest[fact.key] = (who, fact)
                    lost.add((person, fact.key))
                else:
                    lost.add((who, fact.key))
    return frozenset(lost)


def newer(fact: Fact, old: Fact) -> bool:
    """Whether `fact` wins. Equal versions of different content are settled by content, so that order never decides."""
    mine, its = (fact.recorded_ms, fact.sequence, fact.event_id), (old.recorded_ms, old.sequence, old.event_id)
    if mine != its:
        return mine > its
    return msgspec.msgpack.encode(fact) > msgspec.msgpack.encode(old)


def _told_of_two(pages: Pages, kind: type[Fact]) -> bool:
    """Whether two people have a fact of one key here; nearly always not, and asked after every new fact."""
    told = [pages[name] for name in pages if pages.may_hold_kind(name, kind)]
    if len({who for page in told for who in page}) < 2:
        return False
    held: dict[str, set[str]] = {}
    for page in told:
        for who, facts in page.items():
            mine = {fact.key for fact in facts if fact.__class__ is kind}
            held[who] = held[who] | mine if who in held else mine
    return len(held) > 1 and sum(map(len, held.values())) > len(set().union(*held.values()))
