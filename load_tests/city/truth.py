"""What must come out: episodes the planner planted, and the comparison with what came out.

Truth is written with official numbers (household, member). `Resolver` turns them into the pseudonyms of a gateway,
`compare` looks at the newest revision of every alert and never at how the detectors work.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from gateway.identities import Linkage
from schemas.alerts import Alert

End = Literal["in_force", "withdrawn", "lapsed", "moved", "ended"]
_ENDED = ("withdrawn", "lapsed")
_OPEN = ("raised", "updated")


@dataclass(frozen=True, slots=True)
class Expected:
    """One planted episode. `cause` may hold `{person}`: the pseudonym of the member it is about.

    `ended` stands for withdrawn or lapsed: which of the two depends on facts that went away with a person.
    """

    household: str
    identity: str
    detector: str
    cause: str
    since: date
    ends: End
    scenario: str


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything planned: episodes that must be there, households whose alerts may come and go but not stay."""

    expected: tuple[Expected, ...]
    look_alikes: Mapping[str, str]
    ordinary: int

    def by_scenario(self) -> dict[str, int]:
        """How many episodes each scenario planted."""
        counts: dict[str, int] = {}
        for expected in self.expected:
            counts[expected.scenario] = counts.get(expected.scenario, 0) + 1
        return counts


@dataclass(frozen=True, slots=True, order=True)
class Episode:
    """An episode as it stands at the end, in pseudonyms."""

    household: str
    detector: str
    cause: str
    since: date
    ends: str

    def __str__(self) -> str:
        return f"{self.detector} {self.household[:10]} {self.cause} 自 {self.since} {self.ends}"


@dataclass(frozen=True, slots=True)
class WrongEnd:
    """An episode that is there and ended otherwise, or began on another day, than planned."""

    scenario: str
    planned: Episode
    found: Episode


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome; `missed` and `wrong_end` name the scenario."""

    planted: int
    found: int
    missed: tuple[tuple[str, Episode], ...] = ()
    false_alarms: tuple[Episode, ...] = ()
    wrong_end: tuple[WrongEnd, ...] = field(default=())

    @property
    def clean(self) -> bool:
        """Every planted episode is there as planned and nothing else stands."""
        return not (self.missed or self.false_alarms or self.wrong_end)


@dataclass(frozen=True, slots=True)
class Resolver:
    """Official numbers to pseudonyms, with the linkage key of the gateway the files went through."""

    linkage: Linkage
    issuing_area: str

    def household(self, official: str) -> str:
        """`h_` and 32 hex."""
        return self.linkage.household(self.issuing_area, official)

    def episode(self, expected: Expected) -> Episode:
        """A planted episode in pseudonyms."""
        person = self.linkage.person(expected.identity)
        return Episode(
            household=self.household(expected.household),
            detector=expected.detector,
            cause=expected.cause.replace("{person}", person),
            since=expected.since,
            ends=expected.ends,
        )


def standing(alerts: Iterable[Alert]) -> list[Episode]:
    """Episodes by their newest revision in each household; one that moved on stands in the old one as `moved`."""
    newest: dict[tuple[str, str], Alert] = {}
    for alert in alerts:
        key = (alert.alert_id, alert.household)
        if key not in newest or newest[key].revision < alert.revision:
            newest[key] = alert
    return sorted(
        Episode(a.household, a.detector, a.cause, a.since, "in_force" if a.state in _OPEN else a.state)
        for a in newest.values()
    )


def compare(truth: Truth, episodes: Iterable[Episode], resolver: Resolver) -> Report:
    """Planned against found. Withdrawn episodes count as false only in ordinary households: elsewhere they are
    transients of facts that arrived in steps, and were taken back as they should be."""
    planned = {_key(each): (expected.scenario, each) for expected, each in _resolved(truth, resolver)}
    may_withdraw = {resolver.household(official) for official in truth.look_alikes}
    may_withdraw |= {household for household, _, _ in planned}
    seen: dict[_Key, Episode] = {}
    false: list[Episode] = []
    for episode in episodes:
        key = _key(episode)
        spare: Episode | None = episode
        if key in planned and (key not in seen or not _fits(seen[key], planned[key][1])):
            spare, seen[key] = seen.get(key), episode
        if spare is not None and not (spare.ends == "withdrawn" and spare.household in may_withdraw):
            false.append(spare)
    missed = tuple(value for key, value in planned.items() if key not in seen)
    wrong = tuple(
        WrongEnd(scenario, episode, seen[key])
        for key, (scenario, episode) in planned.items()
        if key in seen and not _fits(seen[key], episode)
    )
    return Report(len(planned), len(planned) - len(missed), missed, tuple(sorted(false)), wrong)


_Key = tuple[str, str, str]


def _key(episode: Episode) -> _Key:
    return episode.household, episode.detector, episode.cause


def _resolved(truth: Truth, resolver: Resolver) -> Iterator[tuple[Expected, Episode]]:
    return ((expected, resolver.episode(expected)) for expected in truth.expected)


def _fits(found: Episode, planned: Episode) -> bool:
    if planned.ends == "ended" and found.ends in _ENDED:
        return True
    return found == planned
