"""The catalogue of topics: who writes, who reads, by what right, how long it is kept, and how Kafka is told."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from schemas.feed import FEEDS

HOUSEHOLD_EVENTS = "households.events.v1"
ALERTS = "alerts.v1"
ALERTS_SHADOW = "alerts.shadow.v1"
CASE_COMMANDS = "cases.commands.v1"
CASE_EVENTS = "cases.events.v1"
CASE_STATE = "cases.state.v1"
REJECTED = "feeds.rejected.v1"
REJECTED_WORK = "rejected.work.v1"
INTAKE_CONTROL = "intake.control.v1"
FEED_REPORTS = "reports.feeds.v1"
MEMBERS = "households.members.v1"
ALIASES = "persons.aliases.v1"
STATE = "households.state.v1"
LINKS = "links.v1"
LINKS_STATE = "links.state.v1"

Size = Literal["trial", "county", "city", "province"]
Clock = Literal["wall", "driven"]
Scope = Literal["registered", "over_line", "all"]

PARTITIONS: dict[Size, int] = {"trial": 4, "county": 12, "city": 24, "province": 96}

_FILE = Path(__file__).with_name("topics.yaml")
_DAY_MS = 86_400_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Cadence(_Strict):
    """How often a feed speaks, what its batches close and by which day of the next period that is due.

    `several`: its producers each close their own; a period is complete when every one of them has.
    """

    every: Literal["day", "week", "month"]
    closes: Literal["month", "day"] | None
    by_day: int = Field(ge=1, le=31)
    several: bool = False


class Over(_Strict):
    """A line in figures: the named amounts of one fact add up to `at_least` fen."""

    sum: list[str] = Field(min_length=1)
    at_least: int = Field(ge=1)


class Watch(_Strict):
    """Whose facts are kept: `registered` persons, those `over_line` as well, or `all` by the right of a named document.

    `line`: the department's own line, by which it or the gateway picks whom it tells of beyond the register; `over`
    gives it in figures where the gateway and intake apply it.
    """

    watch: Scope
    basis: str
    purpose: str
    line: str | None = None
    over: Over | None = None

    @model_validator(mode="after")
    def _names_its_line(self) -> Self:
        if (self.watch == "over_line") != (self.line is not None):
            raise ValueError("scope over_line, and no other, names its line")
        if self.over is not None and self.watch != "over_line":
            raise ValueError("only scope over_line has a line in figures")
        return self


class Breaker(_Strict):
    """When a feed is parked: more than `share` of `rows` recent elements refused; for `minutes`, 0 = until told."""

    share: float = Field(gt=0, le=1)
    rows: int = Field(ge=1)
    minutes: int = Field(ge=0)


HOLD_ABOVE = 0.2
"""Unless a feed says otherwise: when more than a fifth of what was there is missing, somebody looks first."""


class Entry(_Strict):
    """One topic of the catalogue."""

    title: str
    owner: str
    producers: list[str]
    consumers: list[str]
    key: Literal["subject", "household", "person", "alias", "state", "coordinates", "feed", "link", "none"]
    partitions: Literal["by_size"]
    cleanup: Literal["delete", "compact"]
    retention_days: int | None = Field(ge=1)
    sensitivity: Literal["internal", "personal", "restricted"]
    cadence: Cadence | None = None
    scope: Watch | None = None
    breaker: Breaker | None = None
    hold_above: float | None = Field(default=None, gt=0, le=1)
    sealed: bool = False
    model: str | None = None
    versions: list[int] = []
    config: dict[str, str | int | float] = {}


def inbox_topic(kind: str) -> str:
    """Where departments publish events of a feed whose identity column is sealed for the gateway."""
    return f"inbox.{kind}.v1"


def feed_topic(kind: str) -> str:
    """Topic of a feed. Raises KeyError for an unknown one."""
    return FEEDS[kind].topic


@dataclass(frozen=True)
class Catalogue:
    """All topics, from `schemas/topics.yaml`."""

    entries: dict[str, Entry]

    @classmethod
    def load(cls, file: Path = _FILE) -> "Catalogue":
        """The catalogue. Raises pydantic.ValidationError or ValueError when the file does not fit the feeds."""
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        catalogue = cls(TypeAdapter(dict[str, Entry]).validate_python(raw))
        catalogue._fits_feeds()
        return cls(catalogue.entries | catalogue._inboxes())

    def _fits_feeds(self) -> None:
        named = {name for name in self.entries if name.startswith("feeds.") and name != REJECTED}
        if named != (topics := {spec.topic for spec in FEEDS.every}):
            raise ValueError(f"topics.yaml and schemas/feeds differ: {sorted(named ^ topics)}")
        for spec in FEEDS.every:
            entry = self.entries[spec.topic]
            model = f"{spec.model.__module__}.{spec.model.__qualname__}"
            if entry.model != model or entry.cadence is None or entry.scope is None:
                raise ValueError(f"topics.yaml: {spec.topic} needs cadence, scope and model {model}")
            if len(set(entry.producers) - {"gateway"}) > 1 and entry.cadence.closes and not entry.cadence.several:
                raise ValueError(f"topics.yaml: {spec.topic} has several producers, its cadence does not say so")

    def _inboxes(self) -> dict[str, Entry]:
        """A sealed way in beside each feed that asks for one."""
        wanted = [spec for spec in FEEDS.every if self.entries[spec.topic].sealed]
        changes: dict[str, object] = {"consumers": ["gateway"], "key": "none", "sensitivity": "restricted"}
        changes |= {"cadence": None, "scope": None, "model": None, "versions": [], "breaker": None, "hold_above": None}
        changes |= {"sealed": False}
        return {
            inbox_topic(spec.kind): entry.model_copy(
                update={**changes, "title": f"{entry.title}（身份列密封）", "producers": entry.producers[1:]}
            )
            for spec in wanted
            if (entry := self.entries[spec.topic])
        }

    @staticmethod
    def partitions(size: Size) -> int:
        """Partitions of every topic, for the life of a generation."""
        return PARTITIONS[size]

    def cadence(self, feed: str) -> Cadence:
        """Cadence of a feed by kind."""
        return self._feed(feed).cadence or Cadence(every="day", closes=None, by_day=1)

    def scope(self, feed: str) -> Scope:
        """Whose facts of a feed are kept."""
        watch = self._feed(feed).scope
        return watch.watch if watch else "registered"

    def over(self, feed: str) -> Over | None:
        """The line in figures, where one is given; without it each fact a department sends is over its line."""
        watch = self._feed(feed).scope
        return watch.over if watch else None

    def breaker(self, feed: str) -> Breaker | None:
        """The feed's own limits of refusal, None where the setting holds."""
        return self._feed(feed).breaker

    def hold_above(self, feed: str) -> int | None:
        """A batch that replaces what it does not repeat is held for a person when more than so many in a thousand of
        what was there before are missing from it; None: it never is.
        """
        share = self._feed(feed).hold_above
        thousandth = round((HOLD_ABOVE if share is None else share) * 1000)
        return thousandth if thousandth < 1000 else None

    def owner(self, feed: str) -> str:
        """The department that answers for a feed."""
        return self._feed(feed).owner

    def _feed(self, kind: str) -> Entry:
        return self.entries[feed_topic(kind)]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All topic names, sorted."""
        return tuple(sorted(self.entries))

    def config(self, topic: str, clock: Clock = "wall") -> dict[str, str]:
        """Topic configuration for the broker; the driver of a driven clock sets every timestamp itself."""
        entry = self.entries[topic]
        stamped = "LogAppendTime" if clock == "wall" else "CreateTime"
        kept = -1 if entry.retention_days is None else entry.retention_days * _DAY_MS
        config = {"cleanup.policy": entry.cleanup, "message.timestamp.type": stamped}
        if clock == "driven":
            # The driver writes timestamps of other years: retention by time would delete what was just written,
            # and Kafka 4 refuses what lies more than an hour ahead.
            kept = -1
            config["message.timestamp.after.max.ms"] = str(2**63 - 1)
        if entry.cleanup == "delete":
            config["retention.ms"] = str(kept)
        return {**config, **{name: str(value) for name, value in entry.config.items()}}
