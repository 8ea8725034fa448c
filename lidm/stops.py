"""Where rules are stopped now, as the archived log tells it; a decision shows a few seconds after it was made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lidm.settings import Settings
from schemas.cases import beijing
from schemas.errors import Unreachable
from schemas.records import SwitchRecord


@dataclass(frozen=True)
class Stopped:
    """A stop in force in an area and below it."""

    detector: str
    area: str
    since: datetime
    actor: str
    reason: str

    def as_json(self) -> dict[str, str]:
        """Plain values for `--json`."""
        return {"area": self.area, "since": self.since.isoformat(), "actor": self.actor, "reason": self.reason}


def stops_of(records: Iterable[SwitchRecord]) -> list[Stopped]:
    """What these decisions, in order, come to; the same as every partition of the monitor makes of them."""
    found: dict[tuple[str, str], Stopped] = {}
    for record in records:
        body = record.body
        place = (body.detector, body.area)
        if body.to == "resume":
            found.pop(place, None)
        else:
            found.setdefault(place, Stopped(*place, beijing(record.known_at), body.actor, body.reason))
    return sorted(found.values(), key=lambda each: (each.detector, each.area))


def stops_now(settings: Settings) -> list[Stopped] | None:
    """The stops in force; None where no archive is to be had: then nobody knows from here."""
    from lidm.stores import reading  # the base install has no store
    from sinks.household_log import switches

    try:
        with reading(settings) as store:
            return stops_of(switches(store))
    except (Unreachable, ModuleNotFoundError):
        return None
