"""What a feed is: one pydantic model a department can sign, and the registry of all feeds.

A feed is a file under `schemas/feeds/`: fields with Chinese names, how a natural key is made, which day the fact
belongs to, what must hold between fields, and how it becomes a ledger fact. Everything else (decoder, JSON Schema,
templates, `lidm feed describe`) follows from the model.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.fact import Fact
from schemas.labels import Labelled
from schemas.scalars import Scalar, Sensitivity

if TYPE_CHECKING:
    from schemas.envelope import Delivery, Manifest, Problem
    from schemas.facts import AnyFact

MAX_VALUE_BYTES = 900_000
MAX_ELEMENTS = 5_000


class Flaw(NamedTuple):
    """One thing wrong with a message: code of `ProblemCode`, JSON pointer, Chinese sentence without the value."""

    code: str
    pointer: str
    message_zh: str


NO_FLAWS: tuple[Flaw, ...] = ()


# The seven fields every fact starts with: key, recorded_ms, sequence, event_id, source, gone, day. A plain tuple,
# because a named one costs a third of a microsecond per event.
FactHead = tuple[str, int, int, str, str, bool, int]


class Origin(Protocol):
    """What a natural key may take from the envelope."""

    @property
    def subject(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def id(self) -> str: ...


class FeedData(Protocol):
    """The four questions asked of the data of an event."""

    def natural_key(self, origin: Origin) -> str: ...
    def day(self) -> int: ...
    def problems(self) -> tuple[Flaw, ...]: ...
    def to_fact(self, head: FactHead) -> "AnyFact": ...


@dataclass(frozen=True)
class FieldNote:
    """What a department reads about a field."""

    label: str
    key: bool = False
    unit: str | None = None
    meaning: str | None = None
    sensitivity: Sensitivity = Sensitivity.PERSONAL
    example: str | int | None = None

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shown = {**handler(schema), "title": self.label, "x-sensitivity": self.sensitivity.value}
        extra = {"description": self.meaning, "x-unit": self.unit, "x-key": self.key or None}
        shown.update({name: value for name, value in extra.items() if value is not None})
        if self.example is not None:
            shown["examples"] = [self.example]
        return shown


def field(
    label: str,
    *,
    key: bool = False,
    unit: str | None = None,
    meaning: str | None = None,
    sensitivity: Sensitivity = Sensitivity.PERSONAL,
    example: str | int | None = None,
) -> FieldNote:
    """The Chinese name of a field and what else a department has to know about it."""
    return FieldNote(label, key, unit, meaning, sensitivity, example)


@dataclass(frozen=True)
class FieldSpec:
    """One field of a feed, flat, for templates and pages. `kind` is a `Scalar.kind`, `code`, `part` or `parts`."""

    name: str
    label: str
    kind: str
    required: bool
    key: bool
    unit: str | None
    meaning: str | None
    sensitivity: str
    example: str | int | None
    labels: Mapping[str, str]
    parts: tuple["FieldSpec", ...] = ()


class FeedPart(BaseModel):
    """A group of fields inside a feed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FeedModel(BaseModel):
    """The data of one kind of event. Methods read attributes only, so that the compiled struct can share them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    feed_kind: ClassVar[str]
    feed_version: ClassVar[int]
    feed_fact: ClassVar[type[Fact]]
    feed_ahead_days: ClassVar[int]

    def __init_subclass__(
        cls, *, kind: str, version: int, fact: type[Fact], ahead_days: int = 1, **kwargs: Any
    ) -> None:
        """`ahead_days`: how far after the broker's time the fact's day may lie. `title` is pydantic's own."""
        super().__init_subclass__(**kwargs)
        if fact.feed != kind:
            raise TypeError(f"{cls.__name__}: facts of {fact.__name__} belong to {fact.feed}")
        cls.feed_kind, cls.feed_version = kind, version
        cls.feed_fact, cls.feed_ahead_days = fact, ahead_days

    def natural_key(self, origin: Origin) -> str:
        """What makes two records the same fact, parts joined with `|`."""
        raise NotImplementedError

    def day(self) -> int:
        """Ordinal of the day the fact belongs to."""
        raise NotImplementedError

    def problems(self) -> tuple[Flaw, ...]:
        """What does not hold between the fields."""
        return NO_FLAWS

    def to_fact(self, head: FactHead) -> "AnyFact":
        """The fact as the ledger keeps it."""
        raise NotImplementedError


@dataclass(frozen=True)
class FeedSpec:
    """One feed as every other part sees it."""

    kind: str
    version: int
    title: str
    model: type[FeedModel]
    fact: type[Fact]

    @property
    def name(self) -> str:
        """The feed and its version, as tools take it: `medical.settlement.v1`."""
        return f"{self.kind}.v{self.version}"

    @property
    def topic(self) -> str:
        """Name of the feed's topic."""
        return f"feeds.{self.kind}.v{self.version}"

    @property
    def event_type(self) -> str:
        """The CloudEvents `type`."""
        return f"lidm.{self.kind}"

    @cached_property
    def fields(self) -> tuple[FieldSpec, ...]:
        """The fields in the order of the model."""
        return describe_fields(self.model)

    @cached_property
    def key_fields(self) -> tuple[str, ...]:
        """Names of the fields that a correction or reversal must carry."""
        return tuple(spec.name for spec in self.fields if spec.key)

    @cached_property
    def decode(self) -> Callable[[bytes | None, int], "list[Delivery | Manifest | Problem]"]:
        """`decode(value, known_at_ms)`: what one message of the topic says. Never raises; see schemas.envelope."""
        from schemas.envelope import Decoder

        return Decoder(self).decode


def describe_fields(model: type[BaseModel]) -> tuple[FieldSpec, ...]:
    """The fields of a model or part as flat descriptions."""
    hints = get_type_hints(model, include_extras=True)
    return tuple(_describe(name, hints[name], info.is_required()) for name, info in model.model_fields.items())


def _describe(name: str, hint: Any, required: bool) -> FieldSpec:
    found = list(walk(hint))
    note = next(item for item in found if isinstance(item, FieldNote))
    scalar = next((item for item in found if isinstance(item, Scalar)), None)
    code = next((item for item in found if isinstance(item, type) and issubclass(item, Labelled)), None)
    part = next((item for item in found if isinstance(item, type) and issubclass(item, FeedPart)), None)
    kind = scalar.kind if scalar else "code" if code else "parts" if tuple in found else "part"
    return FieldSpec(
        name=name,
        label=note.label,
        kind=kind,
        required=required,
        key=note.key,
        unit="fen" if kind == "fen" else note.unit,
        meaning=note.meaning,
        sensitivity=note.sensitivity.value,
        example=note.example,
        labels={member.value: member.label for member in code} if code else {},
        parts=describe_fields(part) if part else (),
    )


def walk(hint: Any) -> Iterator[Any]:
    """Everything a type hint mentions: its classes, scalars and notes, outermost first."""
    origin = getattr(hint, "__origin__", None)
    metadata = getattr(hint, "__metadata__", None)
    if metadata is not None:
        yield from metadata
        yield from walk(origin)
        return
    yield origin or hint
    for inner in get_args(hint):
        yield from walk(inner)


class Feeds(Mapping[str, FeedSpec]):
    """All feeds; reads `schemas/feeds/` on first use, because feeds import this module.

    Versions of a feed live side by side, each with a topic of its own, and tell the same facts. A kind stands for its
    oldest version, so that what was once written for it keeps its meaning until that version is withdrawn; a name like
    `medical.settlement.v2` stands for exactly that version. Iterating gives the kinds.
    """

    @cached_property
    def every(self) -> tuple[FeedSpec, ...]:
        """Every version of every feed, by kind and version."""
        package = importlib.import_module("schemas.feeds")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"schemas.feeds.{module.name}")
        found = [
            FeedSpec(model.feed_kind, model.feed_version, model.model_config["title"] or "", model, model.feed_fact)
            for model in FeedModel.__subclasses__()
            if model.__module__.startswith("schemas.feeds.")
        ]
        return tuple(sorted(found, key=lambda spec: (spec.kind, spec.version)))

    @cached_property
    def _named(self) -> dict[str, FeedSpec]:
        oldest = {spec.kind: spec for spec in reversed(self.every)}
        return oldest | {spec.name: spec for spec in self.every}

    def versions(self, kind: str) -> tuple[FeedSpec, ...]:
        """The versions of one feed, oldest first."""
        return tuple(spec for spec in self.every if spec.kind == kind)

    def __getitem__(self, kind: str) -> FeedSpec:
        return self._named[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(spec.kind for spec in self.every))

    def __len__(self) -> int:
        return len({spec.kind for spec in self.every})


FEEDS: Final = Feeds()
