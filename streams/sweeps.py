"""Planned sweeps: everybody of a partition is asked again, some households at a time, in the order of their names.

A partition has one sweep under way and the others wait behind it. What is kept of each lies in the control record.
"""

from typing import Literal

import msgspec

from schemas.records import GoliveRecord, PolicyRecord, ShadowRecord

Kind = Literal["policy", "golive", "shadow", "forget"]


class Sweep(msgspec.Struct):
    """Who is to be asked what: everybody everything (`policy`); one detector in an area what was there before it spoke
    (`golive`); all rules of a shadow run (`shadow`), or everybody to forget it (`forget`).

    `pace`: households at a time; `reached`: the last name whose turn came; `run`: the name of a shadow run;
    `told_on`: the day ordinal on which the next turn was written.
    """

    name: str
    kind: Kind
    pace: int
    area: str = ""
    detector: str = ""
    per_day: int = 0
    reached: str = ""
    run: str = ""
    told_on: int = 0

    def awaits(self, household: str) -> bool:
        """Whether the turn of a household is still to come."""
        return household > self.reached


def of_policy(record: PolicyRecord) -> Sweep:
    """Everybody is asked everything under this policy."""
    return Sweep(f"policy/{record.body.hash}/{record.known_at}", "policy", record.body.pace)


def of_golive(record: GoliveRecord) -> Sweep:
    """What is in force already is told as baseline."""
    body = record.body
    name = f"golive/{body.detector}/{body.area}/{record.known_at}"
    return Sweep(name, "golive", body.pace, body.area, body.detector, body.per_day)


def of_shadow(record: ShadowRecord) -> Sweep:
    """The rules of a run begin with what there is; or its episodes are forgotten."""
    body = record.body
    kind: Kind = "shadow" if body.to == "start" else "forget"
    return Sweep(f"{kind}/{body.name}", kind, body.pace, body.area if kind == "shadow" else "", run=body.name)


def plan(sweeps: list[Sweep], wanted: Sweep) -> None:
    """Puts a sweep behind the others, unless it is done at once. A policy asks everybody everything, so those of
    earlier ones are over; nobody begins what is to be forgotten."""
    if wanted.kind == "policy":
        sweeps[:] = [each for each in sweeps if each.kind != "policy"]
    if wanted.kind == "forget":
        sweeps[:] = [each for each in sweeps if (each.kind, each.run) != ("shadow", wanted.run)]
    if wanted.pace and all(each.name != wanted.name for each in sweeps):
        sweeps.append(wanted)
