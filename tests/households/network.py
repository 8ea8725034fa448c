"""A small world for tests of moves: routers with old knowledge, a log between every two parties, many households.

Every producer's records reach a household in the order they were sent; nothing else is promised. `run` delivers until
nobody owes anything.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from households.ledger import FoldResult, Household
from households.residence import newest
from schemas.facts import AnyFact, Membership
from schemas.records import FactBody, Route, TransferBody

Body = FactBody | TransferBody
Pick = Callable[[int], int]
After = Callable[[Household, FoldResult], None]


@dataclass
class Router:
    """Knows some memberships; sends facts where it believes they belong, as intake does."""

    name: str
    known: dict[str, Membership] = field(default_factory=dict)

    def learn(self, membership: Membership) -> None:
        """A membership from somebody else's reading."""
        old = self.known.get(membership.key)
        if old is None or old.version < membership.version:
            self.known[membership.key] = membership

    def send(self, person: str, fact: AnyFact) -> list[tuple[str, Body]]:
        """(household, body) of one fact that was read."""
        mine = [each for each in self.known.values() if each.person == person]
        before = newest(mine)
        if isinstance(fact, Membership):
            self.learn(fact)
            after = newest(each for each in self.known.values() if each.person == person)
            left = before.household if before and before.household != fact.household else None
            body = FactBody(person, fact, Route(after.version if after else None, left))
            return [(each, body) for each in dict.fromkeys([fact.household, *(m.household for m in mine)])]
        if before is None:
            return []
        body = FactBody(person, fact, None if len(mine) == 1 else Route(before.version))
        then = [each.household for each in mine if each.covers(fact.day)]
        return [(each, body) for each in dict.fromkeys([before.household, *then])]


class World:
    """Households by name and the records on their way to them."""

    def __init__(self, after: After = lambda household, result: None) -> None:
        self.households: dict[str, Household] = {}
        self.problems: list[str] = []
        self.delivered = 0
        self._after = after
        self._ways: dict[tuple[str, str], deque[Body]] = {}

    def post(self, sender: str, letters: list[tuple[str, Body]]) -> None:
        """Put records on their way."""
        for target, body in letters:
            self._ways.setdefault((sender, target), deque()).append(body)

    @property
    def waiting(self) -> list[tuple[str, str]]:
        """Ways with something on them."""
        return sorted(way for way, bodies in self._ways.items() if bodies)

    def deliver(self, pick: Pick, *, twice: bool = False) -> None:
        """One record arrives, and what it obliges to is sent."""
        ways = self.waiting
        _, target = way = ways[pick(len(ways))]
        body = self._ways[way].popleft()
        for _ in range(2 if twice else 1):
            self.take(target, body)

    def take(self, target: str, body: Body) -> FoldResult:
        """A household folds a record."""
        household = self.households.setdefault(target, Household(target))
        result = household.merge_transfer(body) if isinstance(body, TransferBody) else household.fold(body)
        self.delivered += 1
        self.post(target, [*result.transfers, *result.forwards])
        if result.problem:
            self.problems.append(result.problem)
        self._after(household, result)
        return result

    def run(self, pick: Pick = lambda n: 0) -> None:
        """Until it is quiet."""
        while self.waiting:
            self.deliver(pick)
            assert self.delivered < 20_000, "households talk for ever"
