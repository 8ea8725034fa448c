"""Which detectors exist: one decorated function each, found by looking through the families' folders."""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Literal

from detectors.findings import Findings
from detectors.protected import FEEDS, ProtectedAttribute, forbidden_in
from households.ledger import Household
from policy.parameters import Policy
from schemas.facts import KIND_OF_FEED
from schemas.labels import FamilyLabel

Evaluate = Callable[[Household, date, Policy], Findings]
Sure = Callable[[Household], bool]
Quiet = Callable[[date, Policy, str], Sure]
About = Literal["household", "feed"]


class Family(StrEnum):
    """What an alert asks for: help, an entitlement, a review, better data."""

    RISK = "risk"
    ENTITLEMENT = "entitlement"
    REVIEW = "review"
    QUALITY = "quality"

    @property
    def label(self) -> str:
        """The official Chinese label."""
        return FamilyLabel[self.value].label


class UnknownFeed(ValueError):
    """A detector listens to a feed nobody publishes."""


@dataclass(frozen=True)
class Detector:
    """A detector's face: who it is, what it listens to, which parameters it reads, and the pure function itself.

    `listens`: a new fact of these feeds re-evaluates the household. `absence`: a closed batch of these feeds
    re-evaluates every household of the batch's areas, because a missing fact is an answer. `standards`: published
    values the rule counts with, besides its own; `optional`: those it does without where nobody publishes them.
    `quiet(on, policy, area)`: a cheap question to households of the area, certain where it says True: `evaluate` would
    find no breach and no day to look again. May raise PolicyMissing. `about`: what it is asked about, households or the
    units of feeds; of the other it is never asked. `trial`: written and checked on its cases, not yet on a city and its
    costs; it runs only where somebody asks for it by name (`running`). `reads`: codes of detectors it asks itself, of
    the same household, day and policy; it never sees what they said before. `instead_of`: it is what another rule may
    become; it runs in shadow beside that one and nowhere else.
    """

    code: str
    version: str
    family: Family
    listens: frozenset[str]
    rule: str
    absence: frozenset[str]
    evaluate: Evaluate
    standards: tuple[str, ...] = ()
    quiet: Quiet | None = None
    optional: tuple[str, ...] = ()
    about: About = "household"
    trial: bool = False
    reads: tuple[str, ...] = ()
    instead_of: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Everything of the policy room that must be in force: the rule and the standards it counts with."""
        return (self.rule, *self.standards)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everything of the policy room it counts with where it is in force."""
        return (*self.parameters, *self.optional)

    @cached_property
    def feeds(self) -> tuple[str, ...]:
        """Every feed that may change its answer, by a fact or by silence."""
        return tuple(sorted(self.listens | self.absence))

    @property
    def label(self) -> str:
        """The first words of the function's docstring after the code: `大额自付医疗`."""
        module = importlib.import_module(self.evaluate.__module__)
        head = (module.__doc__ or self.evaluate.__doc__ or self.code).partition(":")[0]
        return head.removeprefix(self.code).strip()


_REGISTERED: dict[str, Detector] = {}
DETECTORS: Mapping[str, Detector] = _REGISTERED


def detector(
    *,
    code: str,
    version: str,
    family: Family,
    listens: tuple[str, ...],
    rule: str,
    absence: tuple[str, ...] = (),
    standards: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    quiet: Quiet | None = None,
    about: About = "household",
    trial: bool = False,
    reads: tuple[Evaluate, ...] = (),
    instead_of: str = "",
) -> Callable[[Evaluate], Evaluate]:
    """Register a pure function as a detector.

    `reads`: detectors it asks, registered before it; it listens to whatever they listen to and does without those whose
    parameters are missing. Raises UnknownFeed, ProtectedAttribute (a rule of the review family looks at nationality,
    ethnicity or where a household registration comes from), and ValueError when the code is taken, or when it reads
    what is no rule of risk or entitlement about households, or reads others itself.
    """
    unknown = sorted({*listens, *absence} - KIND_OF_FEED.keys())
    if unknown:
        raise UnknownFeed(f"{code} listens to unknown feeds: {', '.join(unknown)}")
    asked = _asked_by(code, reads)

    def register(evaluate: Evaluate) -> Evaluate:
        taken = _REGISTERED.get(code)
        if taken is not None and taken.evaluate.__module__ != evaluate.__module__:
            raise ValueError(f"detector {code} is defined twice: {taken.evaluate.__module__}, {evaluate.__module__}")
        made = Detector(
            code=code,
            version=version,
            family=family,
            listens=frozenset(listens).union(*(each.listens for each in asked)),
            rule=rule,
            absence=frozenset(absence).union(*(each.absence for each in asked)),
            evaluate=evaluate,
            standards=standards,
            quiet=quiet,
            optional=_parameters_of(asked, optional, (rule, *standards)),
            about=about,
            trial=trial,
            reads=tuple(each.code for each in asked),
            instead_of=instead_of,
        )
        _refuse_protected(made)
        _REGISTERED[code] = made
        return evaluate

    return register


def registered(functions: Collection[Evaluate]) -> tuple[Detector, ...]:
    """The detectors these functions were registered as, by code. Raises ValueError for one that is none."""
    known = {each.evaluate: each for each in _REGISTERED.values()}
    strangers = [each.__name__ for each in functions if each not in known]
    if strangers:
        raise ValueError(f"no detectors: {', '.join(strangers)}")
    return tuple(sorted((known[each] for each in functions), key=lambda each: each.code))


def _asked_by(code: str, reads: tuple[Evaluate, ...]) -> tuple[Detector, ...]:
    asked = registered(reads)
    wrong = [
        each.code
        for each in asked
        if each.family not in (Family.RISK, Family.ENTITLEMENT) or each.about != "household" or each.reads
    ]
    if wrong:
        raise ValueError(f"{code} must not read {', '.join(wrong)}")
    return asked


def _parameters_of(asked: Iterable[Detector], own: tuple[str, ...], needed: tuple[str, ...]) -> tuple[str, ...]:
    """What it does without where nobody publishes it: its own, and all that those it asks count with."""
    names = (*own, *(name for each in asked for name in (*each.parameters, *each.optional)))
    return tuple(name for name in dict.fromkeys(names) if name not in needed)


def _refuse_protected(made: Detector) -> None:
    """Raises ProtectedAttribute. While its module is being read only what stands above a detector is there to see."""
    if made.family is not Family.REVIEW:
        return
    used = sorted((made.listens | made.absence) & FEEDS)
    for function in (made.evaluate, made.quiet):
        used += forbidden_in(function) if function is not None else []
    if used:
        raise ProtectedAttribute(f"{made.code} is a review and must not look at: {', '.join(dict.fromkeys(used))}")


_LOOKED_THROUGH: set[Evaluate] = set()


def load_detectors() -> Mapping[str, Detector]:
    """Every detector of the four families, by code in order. Raises what `detector` raises."""
    here = Path(__file__).parent
    for family in Family:
        folder = here / family.value
        for module in sorted(each.name for each in pkgutil.iter_modules([str(folder)])):
            importlib.import_module(f"detectors.{family.value}.{module}")
    for made in _REGISTERED.values():
        if made.evaluate not in _LOOKED_THROUGH:  # now with the helpers below it and in other modules
            _refuse_protected(made)
            _LOOKED_THROUGH.add(made.evaluate)
    ordered = dict(sorted(_REGISTERED.items()))
    _REGISTERED.clear()
    _REGISTERED.update(ordered)
    return DETECTORS


def needed_by(detectors: Mapping[str, Detector]) -> dict[str, tuple[str, ...]]:
    """Parameters of the policy room with the detectors that cannot run where one of them has no value."""
    names = dict.fromkeys(name for each in detectors.values() for name in each.parameters)
    return {name: tuple(code for code, each in detectors.items() if name in each.parameters) for name in names}


def running(trial: Collection[str] = ()) -> Mapping[str, Detector]:
    """The detectors in service, and those on trial that are named; "*" names all of them. Never a candidate."""
    every = "*" in trial
    known = {code: each for code, each in load_detectors().items() if not each.instead_of}
    return {code: each for code, each in known.items() if every or not each.trial or code in trial}


def candidates() -> Mapping[str, Detector]:
    """Rules written to take the place of another, which may only watch."""
    return {code: each for code, each in load_detectors().items() if each.instead_of}
