"""What a check found, as counts, findings and warnings; for people and machines."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gateway.advice import advice
from gateway.problems import RowProblem


@dataclass
class CheckReport:
    """What a check found. Counts are of rows unless said otherwise."""

    feed: str
    title: str
    file: str
    format: str
    encoding: str
    heading_row: int | None
    mapping: str | None
    rows: int = 0
    good: int = 0
    bad: int = 0
    events: int = 0
    empty: int = 0
    bad_identity: int = 0
    repeated: int = 0
    identical: int = 0
    seconds: float = 0.0
    compared: int = 0
    by_code: Counter[str] = field(default_factory=Counter)
    by_column: Counter[str] = field(default_factory=Counter)
    by_flaw: Counter[str] = field(default_factory=Counter)
    months: dict[str, int] = field(default_factory=dict)
    medians: dict[str, int] = field(default_factory=dict)
    totals: list[int] = field(default_factory=list)
    repeats: list[tuple[int, int]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def identity_share(self) -> float:
        """Share of rows whose identity number is valid."""
        return 1 - self.bad_identity / self.rows if self.rows else 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values; findings with how to mend them."""
        said = {name: value for name, value in self.__dict__.items() if name != "problems"}
        said["identity_share"] = round(self.identity_share, 4)
        said["problems"] = [{**problem.as_json(), "advice": advice(problem)} for problem in self.problems]
        return said
