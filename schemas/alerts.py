"""Alerts as subscribers read them on `alerts.v1`: one JSON object per message, keyed by household."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

AlertState = Literal["raised", "updated", "moved", "withdrawn", "lapsed"]
Family = Literal["risk", "entitlement", "review", "quality"]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Document(_Wire):
    """The document that sets a value: title, number when it has one, and how binding the value is."""

    title: str
    number: str | None = None
    status: Literal["enacted", "pilot", "example"]


class Threshold(_Wire):
    """The line that was passed; `value` in the unit of the measure, `policy` = short hash of the bundle."""

    value: int
    document: Document
    policy: str


class Evidence(_Wire):
    """One input: the fact's natural key, where it came from, when it was true, its value in the unit of the measure."""

    key: str
    feed: str
    source: str
    day: date
    value: int


class Missing(_Wire):
    """A feed the answer could not rely on, and the last period it covered."""

    feed: str
    last_covered: str | None


class Areas(_Wire):
    """The four areas of a household (12-digit codes)."""

    hukou: str
    residence: str
    responsible: str
    incident: str


class Alert(_Wire):
    """One revision of one alert. `(alert_id, revision)` is unique; the newest revision is the alert's state.

    `per_day`, `quota_area`: released at golive as stock, so many a day in the area that went live.
    """

    alert_id: str
    revision: int
    state: AlertState
    household: str
    areas: Areas | None
    detector: str
    detector_version: str
    family: Family
    subject: str
    cause: str
    since: date
    severity: int
    measure: int
    unit: str
    threshold: Threshold
    reason: str
    evidence: list[Evidence]
    coverage: list[Missing]
    baseline: bool
    per_day: int | None = None
    quota_area: str | None = None
    moved_to: str | None = None
    continues: str | None = None
    on: date
    known_at: datetime
