"""How alerts of a household come together, as dated parameters: merged, left to rest, or never kept quiet."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.case_words import Lane, Outcome
from schemas.cases import AlertNote

Days = Annotated[int, Field(ge=0, le=3660)]


class Urgent(BaseModel):
    """What nothing may keep quiet: from a severity on, alerts of some rules (disasters, children), some lanes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Annotated[int, Field(ge=1, le=4)]
    detectors: tuple[str, ...] = ()
    lanes: tuple[Lane, ...] = ()


class StormLine(BaseModel):
    """A storm: more cases of a rule on a day than `times` the fullest days of the last `months`, and than `least`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    times: Annotated[int, Field(ge=2)]
    least: Annotated[int, Field(ge=1)]
    months: Annotated[int, Field(ge=1, le=24)]


class Grouping(BaseModel):
    """Days after a case was closed and what they bring.

    `merge_days`: a new alert works the case again; `cooldown_days`: after one of these outcomes the same cause, no
    worse than then, is only noted, except of `heard` rules; `inhibit_max_days`: for how long a person may ask that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    merge_days: Days
    cooldown_days: Days
    cooldown_outcomes: tuple[Outcome, ...]
    heard: tuple[str, ...] = ()
    inhibit_max_days: Annotated[int, Field(ge=1, le=366)]
    urgent: Urgent
    storm: StormLine

    def is_urgent(self, note: AlertNote, lane: Lane) -> bool:
        """Whether an alert has to call somebody at once, whatever people or rules said before."""
        urgent = self.urgent
        return note.severity >= urgent.severity or note.detector in urgent.detectors or lane in urgent.lanes

    def any_urgent(self, notes: Iterable[AlertNote], lane: Lane) -> bool:
        """Whether one of these alerts is in force and urgent."""
        return lane in self.urgent.lanes or any(note.standing and self.is_urgent(note, lane) for note in notes)
