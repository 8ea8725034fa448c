"""Parameters in force: `Policy` for a day, `Rule` for a name and area, `Line` for what a measure is held against.

All three are immutable and shared; asking a second time is a dictionary lookup. Every value carries the document
that sets it and whether it is enacted, pilot or example.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, TypeVar, cast

from policy.areas import AreaTree, AreaUnknown
from policy.schemes import OTHER, Schemes
from schemas.alerts import Document, Threshold

Status = Literal["enacted", "pilot", "example"]
Pairs = tuple[tuple[str, str], ...]
Value = (
    int | bool | str | tuple[str, ...] | tuple[int, ...] | tuple[tuple[int, int], ...] | Pairs
    | Mapping[str, int] | Mapping[str, Mapping[str, object]]
)  # fmt: skip
Steps = tuple[tuple[int, int], ...]
Terms = TypeVar("Terms")


class PolicyMissing(LookupError):
    """No value of a parameter is in force for an area on a day: the detector cannot run there."""

    def __init__(self, name: str, area: str, day: date) -> None:
        super().__init__(f"{area}在{day}没有可用的参数“{name}”")
        self.name, self.area, self.day = name, area, day


@dataclass(frozen=True)
class Line:
    """A value with its label and its source. `value` has the unit of the measure (fen, months, percent)."""

    value: int
    label: str
    document: Document
    policy: str

    @property
    def status(self) -> Status:
        """Whether the value is enacted, pilot or example."""
        return self.document.status

    @property
    def cited(self) -> str:
        """The document as it is quoted in a reason."""
        return cited(self.document)

    def threshold(self) -> Threshold:
        """The line as it stands in an alert."""
        return Threshold(value=self.value, document=self.document, policy=self.policy)


def cited(document: Document) -> str:
    """A document in one phrase: title, number when it has one, and a word when it is not in force for everybody."""
    number = f" {document.number}" if document.number else ""
    mark = {"enacted": "", "pilot": "，试行", "example": "，示例"}[document.status]
    return f"《{document.title}》{number}{mark}"


@dataclass(frozen=True)
class Rule:
    """The parameters of one rule in one area, valid on half-open [since, until). Keys as the national file declares."""

    name: str
    area: str
    label: str
    unit: str
    since: date
    until: date | None
    document: Document
    values: Mapping[str, Value]
    scheme_labels: Mapping[str, str]
    policy: str
    signed_by: str | None = None
    note: str | None = None

    def __getitem__(self, key: str) -> Value:
        """The value of a key. Raises KeyError."""
        return self.values[key]

    @property
    def status(self) -> Status:
        """Whether the values are enacted, pilot or example."""
        return self.document.status

    def number(self, key: str) -> int:
        """A whole number: fen, count, percent, severity, or a multiple in hundredths."""
        return cast(int, self.values[key])

    def flag(self, key: str) -> bool:
        """A yes or no."""
        return cast(bool, self.values[key])

    def word(self, key: str) -> str:
        """One of the declared words."""
        return cast(str, self.values[key])

    def words(self, key: str) -> tuple[str, ...]:
        """A list of declared words."""
        return cast(tuple[str, ...], self.values[key])

    def ages(self, key: str) -> tuple[int, int]:
        """An age range, lower end included, upper end not."""
        return cast(tuple[int, int], self.values[key])

    def pairs(self, key: str) -> Pairs:
        """Pairs of codes."""
        return cast(Pairs, self.values[key])

    def amounts(self, key: str) -> Mapping[str, int]:
        """Fen by the declared words."""
        return cast(Mapping[str, int], self.values[key])

    def steps(self, key: str) -> Steps:
        """(from, severity) in ascending order; multiples are in hundredths."""
        return cast(Steps, self.values[key])

    def line(self, tier: str, key: str = "line") -> Line:
        """The line of a scheme; one that is in no catalogue takes the one of OTHER."""
        lines = self._lines.get(key)
        if lines is None:
            amounts = cast(Mapping[str, int], self.values[key])
            lines = {code: self._line(amount, code) for code, amount in amounts.items()}
            self._lines[key] = lines
        return lines.get(tier) or lines[OTHER]

    def mark(self, key: str) -> Line:
        """A plain number as a line, for rules that do not differ by scheme."""
        lines = self._lines.get(key)
        if lines is None:
            lines = self._lines[key] = {OTHER: Line(self.number(key), self.label, self.document, self.policy)}
        return lines[OTHER]

    def read(self, make: Callable[["Rule"], Terms]) -> Terms:
        """The rule as a detector's own typed terms; made once per rule and kept."""
        kept = self._read.get(make)
        if kept is None:
            kept = self._read[make] = make(self)
        return cast(Terms, kept)

    def _line(self, amount: int, code: str) -> Line:
        return Line(amount, self.scheme_labels.get(code, code), self.document, self.policy)

    @cached_property
    def _lines(self) -> dict[str, dict[str, Line]]:
        return {}

    @cached_property
    def _read(self) -> dict[object, object]:
        return {}


def severity(steps: Steps, measure: int) -> int:
    """The severity of the highest step reached; the first step's below it."""
    level = steps[0][1]
    for start, each in steps:
        if measure >= start:
            level = each
    return level


class History:
    """The dated values of one rule in one area, in order of their first day."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._starts = [rule.since for rule in self.rules]

    def on(self, day: date) -> Rule | None:
        """The value in force that day, None when there is none."""
        place = bisect_right(self._starts, day) - 1
        if place < 0:
            return None
        rule = self.rules[place]
        return rule if rule.until is None or day < rule.until else None

    def next_change(self, day: date) -> date | None:
        """The first day after `day` on which a value begins or ends."""
        edges = [edge for rule in self.rules for edge in (rule.since, rule.until) if edge is not None and edge > day]
        return min(edges, default=None)


Histories = Mapping[tuple[str, str], History]


class Policy:
    """Everything in force on one day. `version` is the short hash of the bundle it comes from."""

    def __init__(self, day: date, version: str, areas: AreaTree, schemes: Schemes, histories: Histories) -> None:
        self.day, self.version, self.areas, self.schemes = day, version, areas, schemes
        self._histories = histories
        self._rules: dict[tuple[str, str], Rule] = {}
        self._changes: dict[tuple[str, str], date | None] = {}

    def rule(self, name: str, area: str) -> Rule:
        """The rule in force for an area, its own or the nearest above it. Raises `PolicyMissing`."""
        try:
            return self._rules[name, area]
        except KeyError:
            rule = self._rules[name, area] = self._find(name, area)
            return rule

    def known(self, name: str, area: str) -> Rule | None:
        """`rule`, None where no value is in force."""
        try:
            return self.rule(name, area)
        except PolicyMissing:
            return None

    def standard(self, name: str, area: str) -> Line:
        """A published standard, for example `dibao_month` in fen per person and month. Raises `PolicyMissing`."""
        return self.rule(name, area).mark("amount")

    def schemes_of(self, area: str) -> Schemes:
        """The catalogue of schemes as an area ranks them; that of the country for an area nobody knows."""
        return self.schemes.within(self.areas.chain(area, self.day)) if area in self.areas else self.schemes

    def next_change(self, name: str, area: str) -> date | None:
        """The first later day on which `rule(name, area)` or a scheme's rank may differ; None: nothing is planned."""
        try:
            return self._changes[name, area]
        except KeyError:
            change = self._changes[name, area] = self._next_change(name, area)
            return change

    def _next_change(self, name: str, area: str) -> date | None:
        days = [self.areas.next_change(self.day), self.schemes.next_change(self.day)]
        for each in self._chain(name, area):
            history = self._histories.get((each, name))
            if history is not None:
                days.append(history.next_change(self.day))
        return min((day for day in days if day is not None), default=None)

    def _find(self, name: str, area: str) -> Rule:
        for each in self._chain(name, area):
            history = self._histories.get((each, name))
            rule = history.on(self.day) if history else None
            if rule is not None:
                return rule
        raise PolicyMissing(name, area, self.day)

    def _chain(self, name: str, area: str) -> tuple[str, ...]:
        try:
            return self.areas.chain(area, self.day)
        except AreaUnknown as error:
            raise PolicyMissing(name, area, self.day) from error
