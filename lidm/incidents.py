"""Incidents of areas and addresses as somebody declared them: what a declaration must say, and what is declared now."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from lidm.fact_words import sort_of
from lidm.settings import Settings
from policy.areas import AreaTree
from schemas.cases import beijing
from schemas.errors import CallError, Unreachable
from schemas.feeds.emergency import IncidentSort
from schemas.free_text import has_private_number
from schemas.records import IncidentRecord
from schemas.scalars import MAX_KEY

_NUMBER = re.compile(rf"[^\s|/\x00-\x1f]{{1,{MAX_KEY}}}")


@dataclass(frozen=True)
class Declared:
    """An incident as it was declared last; `households`: how many were named by an address, 0 for all of the area."""

    number: str
    sort: str
    day: date
    areas: tuple[str, ...]
    households: int
    known_at: datetime
    actor: str
    reason: str

    def as_json(self) -> dict[str, object]:
        """Plain values for `--json`."""
        return {
            "number": self.number, "sort": self.sort, "on": self.day.isoformat(), "areas": list(self.areas),
            "households": self.households, "known_at": self.known_at.isoformat(), "actor": self.actor,
            "reason": self.reason,
        }  # fmt: skip

    def cells(self, areas: AreaTree) -> tuple[str, ...]:
        """A row for people."""
        where = f"按地址{self.households}户" if self.households else names_of(self.areas, areas)
        return self.number, sort_of(self.sort), self.day.isoformat(), where, self.actor, self.reason


def number_of(text: str) -> str:
    """An incident's number. Raises CallError where it cannot be one, which quotes nothing."""
    if not _NUMBER.fullmatch(text) or has_private_number(text):
        raise CallError(f"事件编号应为1至{MAX_KEY}个字符，不含空格、“|”和“/”，也不能是证件号码或手机号码")
    return text


def kind_of(text: str) -> IncidentSort:
    """A sort of incident, by its code or its Chinese label. Raises CallError."""
    found = IncidentSort.of_label(text) or IncidentSort.__members__.get(text.upper())
    if found is None:
        raise CallError(f"没有“{text}”这种事件，有：{'、'.join(f'{each.value} {each.label}' for each in IncidentSort)}")
    return found


def names_of(codes: Iterable[str], areas: AreaTree) -> str:
    """Areas as people call them; the code of one that the tree does not know."""
    return "、".join(areas.name(each) if each in areas else each for each in codes)


def declared_now(records: Iterable[IncidentRecord]) -> list[Declared]:
    """What these records, in order, come to: the newest first."""
    found: dict[str, Declared] = {}
    for record in records:
        body = record.body
        found.pop(body.number, None)
        if body.to == "declare":
            day, known_at = date.fromordinal(body.day), beijing(record.known_at)
            told = (body.number, body.sort, day, body.areas, len(body.households), known_at, body.actor, body.reason)
            found[body.number] = Declared(*told)
    return sorted(found.values(), key=lambda each: (each.day, each.number), reverse=True)


def declared(settings: Settings) -> list[Declared] | None:
    """The same, as the archive has it; None where no archive is to be had: then nobody knows from here."""
    from lidm.stores import reading  # the base install has no store
    from sinks.household_log import incidents

    try:
        with reading(settings) as store:
            return declared_now(incidents(store))
    except (Unreachable, ModuleNotFoundError):
        return None
