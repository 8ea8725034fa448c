"""Need profile 多维困难画像: what a household's ledger says of need on a day, dimension by dimension.

Pure: the same facts, day and policy give the same profile, in whatever order they came. Each dimension has a level (0
nothing seen, 1 to 4 as severities), its reasons with their numbers and the keys of the facts behind them, and what
could not be seen. No data is never shown as no need: a dimension in which nothing shows and something is not covered
has no level. `points` puts households into an order of work, by weights the place publishes; it excludes nobody and
says nothing that the dimensions do not say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from detectors.findings import EvidenceItem, Insufficient, evidence_days
from detectors.needs import Asked, ask
from detectors.signs import SIGN_LABELS, Ledger, measure
from households.ledger import Household
from policy.needs import Dimension, dimensions_of, level_of
from policy.parameters import Policy
from schemas.alerts import Document

SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "CHILD-GUARDIAN": ("justice.custody",),
    "DISASTER-ACCIDENT": ("emergency.incident", "traffic.accident"),
    "DROPOUT": ("education.enrolment",),
    "EDU-BURDEN": ("education.fee",),
    "HELP-SEEKING": ("hotline.ticket", "grid.lead", "self.report"),
    "INCOME-LINE": (),  # says itself which months are unknown
    "JOB-LOSS": ("employment.contribution",),
    "MED-SELFPAY": ("medical.settlement",),
    "MEMBER-DEATH": ("vital.death",),
    "NEW-DISABILITY": ("disability.certificate",),
    "RENT-ARREARS": ("housing.security",),
    "RIGID-RATIO": ("medical.settlement",),
    "SAFETY-SILENCE": ("safety.incident",),
    "UTILITY-ARREARS": ("utility.bill",),
}
"""The feeds without whose files a rule that found nothing has seen nothing."""


class Part(NamedTuple):
    """What one rule or sign says. `level` None: nothing shows, and it could not be looked at completely."""

    name: str
    label: str
    level: int | None
    says: str
    since: date | None
    evidence: tuple[EvidenceItem, ...]
    lacks: tuple[Insufficient, ...]


@dataclass(frozen=True)
class Facet:
    """One dimension of a household on a day."""

    code: str
    label: str
    weight: int
    parts: tuple[Part, ...]

    @property
    def level(self) -> int | None:
        """The highest level that shows; 0 where all was looked at and nothing shows, None where it cannot be told."""
        known = [each.level for each in self.parts if each.level is not None]
        highest = max(known, default=0)
        return highest if highest or len(known) == len(self.parts) else None

    @property
    def reasons(self) -> tuple[Part, ...]:
        """What shows, the gravest first."""
        shown = [each for each in self.parts if each.level]
        return tuple(sorted(shown, key=lambda each: (-(each.level or 0), each.name, each.says)))

    @property
    def evidence(self) -> tuple[EvidenceItem, ...]:
        """The records behind all that shows, by day."""
        return evidence_days(dict.fromkeys(item for each in self.reasons for item in each.evidence))

    @property
    def lacks(self) -> tuple[Insufficient, ...]:
        """What could not be seen: it may be more than shows."""
        found = {each for part in self.parts for each in part.lacks}
        return tuple(sorted(found, key=lambda each: (each.feed, each.last_covered or "")))

    @property
    def points(self) -> int:
        """Weight times level; nothing where the level cannot be told."""
        return self.weight * (self.level or 0)


@dataclass(frozen=True)
class Profile:
    """The dimensions of the place in its order, by the values of `document`."""

    household: str
    on: date
    area: str
    facets: tuple[Facet, ...]
    document: Document
    policy: str

    @property
    def points(self) -> int:
        """For the order of work only; always shown with the dimensions it adds up."""
        return sum(each.points for each in self.facets)

    @property
    def unknown(self) -> tuple[Facet, ...]:
        """Dimensions that cannot be told."""
        return tuple(each for each in self.facets if each.level is None)


def profile(household: Household, on: date, policy: Policy) -> Profile:
    """The profile on a day. Raises PolicyMissing where no area answers for the household or it has no list."""
    told = Ledger(household, on, policy)
    dimensions = told.rule.read(dimensions_of)
    answers = ask(household, on, policy, dimensions)
    facets = tuple(
        Facet(each.code, each.label, each.weight, (*_signs(told, each), *_rules(told, each, answers)))
        for each in dimensions
    )
    return Profile(household.id, on, told.area, facets, told.rule.document, policy.version)


def in_order(profiles: Iterable[Profile]) -> list[Profile]:
    """By points, then by how much is unknown, then by household: everybody asked about is in it."""
    return sorted(profiles, key=lambda each: (-each.points, -len(each.unknown), each.household))


def _signs(told: Ledger, dimension: Dimension) -> list[Part]:
    found = []
    for name, steps in dimension.signs:
        seen = measure(name, told)
        level = None if seen.value is None else level_of(name, steps, seen.value)
        known = level or (None if seen.lacks else level)
        found.append(Part(name, SIGN_LABELS[name], known, seen.says, None, seen.evidence, seen.lacks))
    return found


def _rules(told: Ledger, dimension: Dimension, answers: Sequence[Asked]) -> list[Part]:
    return [part for each in answers if each.dimension.code == dimension.code for part in _rule(told, each)]


def _rule(told: Ledger, asked: Asked) -> list[Part]:
    """A part per breach; one where there is none."""
    source, findings = asked.source, asked.findings
    if findings is None:
        lacks: tuple[Insufficient, ...] = (Insufficient(source.rule, None),)
        return [Part(source.code, source.label, None, "没有可用的参数", None, (), lacks)]
    lacks = tuple(dict.fromkeys((*findings.insufficient, *told.gaps(*SHOWN_BY[source.code]))))
    if not findings.breaches:
        says = "没有达到提示线" if not lacks else "没有达到提示线，数据不全，不能判断"
        return [Part(source.code, source.label, None if lacks else 0, says, None, (), lacks)]
    return [
        Part(source.code, source.label, each.severity, each.reason, each.since, each.evidence, lacks)
        for each in sorted(findings.breaches, key=lambda each: each.cause)
    ]
