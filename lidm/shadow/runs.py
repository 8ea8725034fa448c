"""Which shadow runs there are, as the archived log tells it; an order shows a few seconds after it was given."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.cases import beijing
from schemas.records import ShadowRecord


@dataclass(frozen=True)
class ShadowRun:
    """A run in an area and below; `policy`: short hash of its draft, "" for the policy in force; `until`: its end."""

    name: str
    area: str
    detectors: tuple[str, ...]
    policy: str
    since: datetime
    actor: str
    reason: str
    until: datetime | None = None
    ended_by: str = ""
    ended_for: str = ""

    def as_json(self) -> dict[str, object]:
        """Plain values for `--json`."""
        return {
            "name": self.name,
            "area": self.area,
            "detectors": list(self.detectors),
            "policy": self.policy or None,
            "since": self.since.isoformat(),
            "actor": self.actor,
            "reason": self.reason,
            "until": self.until.isoformat() if self.until else None,
            "ended_by": self.ended_by or None,
            "ended_for": self.ended_for or None,
        }


def runs_of(records: Iterable[ShadowRecord]) -> dict[str, ShadowRun]:
    """What these orders, in order, come to, by name; the same as every partition of the monitor makes of them."""
    found: dict[str, ShadowRun] = {}
    for record in records:
        body, at, known = record.body, beijing(record.known_at), found.get(record.body.name)
        if body.to == "start" and known is None:
            run = ShadowRun(body.name, body.area, body.detectors, body.hash[:12], at, body.actor, body.reason)
            found[body.name] = run
        elif body.to == "stop" and known is not None and known.until is None:
            found[body.name] = replace(known, until=at, ended_by=body.actor, ended_for=body.reason)
    return found
