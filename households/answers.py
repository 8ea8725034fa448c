"""What somebody worked out from a ledger, kept in memory until something it was read from changes.

Not part of the state, and no answer differs for being kept: whoever keeps one says which feeds it was read from, the
day from which the ledger alone may make it differ, and whatever else it rests on (`given`), to be compared.
"""

from typing import NamedTuple

from schemas.facts import AnyFact


class _Kept(NamedTuple):
    feeds: tuple[str, ...]
    given: object
    since: int
    until: int
    answer: object


class Answers:
    """By name. Days are ordinals; an answer stands on [since, until). `edge`: the household's own next change."""

    __slots__ = ("_kept", "_newest", "edge")

    def __init__(self, edge: int) -> None:
        self.edge = edge
        self._newest = 0
        self._kept: dict[str, _Kept] = {}

    def find(self, name: str, on: int, given: object) -> object | None:
        """The answer that still stands."""
        kept = self._kept.get(name)
        if kept is None or not kept.since <= on < kept.until or kept.given != given:
            return None
        return kept.answer

    def keep(self, name: str, answer: object, feeds: tuple[str, ...], given: object, days: tuple[int, int]) -> None:
        """Keeps an answer of a day, the first of `days`, until another, at the latest the edge; none about the past."""
        since, until = days
        if since < self._newest:
            return
        self._newest = since
        self._kept[name] = _Kept(feeds, given, since, min(until, self.edge), answer)

    def stand(self, fact: AnyFact) -> bool:
        """Forgets what was read from a feed of which a fact came or went; False where nothing can stand any more."""
        if fact.day > self._newest:  # the household will look different on a day that `edge` does not know
            return False
        feed = fact.feed
        for name in [name for name, each in self._kept.items() if feed in each.feeds]:
            del self._kept[name]
        return True
