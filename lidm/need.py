"""The need profile of a household out of the archive: its log folded again, then asked on a day.

The values are those activated last in the log; where they have no list of dimensions, those lying here, and the answer
says so. What is asked of a past day is what is known now of that day; `as_of` a day, what was known at its end: of the
log nothing later is folded, neither facts nor corrections nor values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import Any

from detectors.findings import Insufficient
from detectors.profile import Facet, Part, Profile, profile
from households.ledger import Household
from lidm.people_words import named
from policy.bundle import Bundle
from policy.needs import NEEDS
from policy.parameters import PolicyMissing
from schemas.errors import DataError, Stop
from schemas.facts import Membership
from sinks.household_log import blocks_of, extents
from sinks.store import AlertStore
from streams.control import day_of
from streams.rebuild import LoggedBlock
from streams.replay import OwnBlock, folded, own_blocks
from streams.watch import Watch


@dataclass(frozen=True)
class Told:
    """A profile with what people need to read it. `activated`: by the values activated in the log."""

    profile: Profile
    place: str
    people: dict[str, str]
    known_until: date
    activated: bool

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        about = self.profile
        return {
            "household": about.household,
            "on": about.on.isoformat(),
            "known_until": self.known_until.isoformat(),
            "area": about.area,
            "document": about.document.model_dump(mode="json"),
            "policy": about.policy,
            "activated": self.activated,
            "points": about.points,
            "dimensions": [_facet(each) for each in about.facets],
        }


def need_of(
    store: AlertStore, household: str, on: date | None, policy_dir: Path, as_of: date | None = None
) -> Told:
    """The profile on a day, by default the last one of the log. Raises DataError where there is nothing to ask."""
    watch = _watch(store, household, as_of)
    ledger, today = watch.household(household), watch.known.on
    if today is None:
        raise DataError("归档的日志里还没有日期，不能出画像")
    area = ledger.responsible_area
    if not area:
        raise DataError(f"{household}没有认定的责任地区，不能按当地口径出画像")
    day = on or date.fromordinal(today)
    then = watch.known.bundle
    activated = then is not None and then.on(day).known(NEEDS, area) is not None
    bundle = then if then is not None and activated else Bundle.load(policy_dir)
    try:
        made = profile(ledger, day, bundle.on(day))
    except PolicyMissing as missing:
        raise DataError(f"{missing}，不能出画像") from missing
    place = bundle.areas.name(area) if area in bundle.areas else area
    return Told(made, place, named(_members(ledger)), date.fromordinal(today), activated)


def _watch(store: AlertStore, household: str, as_of: date | None) -> Watch:
    archived = (LoggedBlock(*each) for each in blocks_of(store, household, extents(store, household)))
    try:
        watch = folded(takewhile(_known_by(as_of), own_blocks(archived, household)))
    except Stop as error:
        raise DataError(str(error)) from error
    if watch is None or household not in watch.names():
        then = f"到{as_of}为止，" if as_of is not None else ""
        raise DataError(f"{then}归档里没有{household}的台账日志")
    return watch


def _known_by(as_of: date | None) -> Callable[[OwnBlock], bool]:
    """Whether a block was written by the end of a day; of what follows it in the log nothing was known either."""
    return lambda block: as_of is None or day_of(block.at_ms) <= as_of.toordinal()


def _members(ledger: Household) -> dict[str, Membership]:
    """The newest membership of everybody who ever lived here."""
    found: dict[str, Membership] = {}
    for each in ledger.head.members:
        held = found.get(each.person)
        if not each.gone and (held is None or held.day < each.day):
            found[each.person] = each
    return found


def _facet(facet: Facet) -> dict[str, Any]:
    return {
        "code": facet.code,
        "label": facet.label,
        "weight": facet.weight,
        "level": facet.level,
        "points": facet.points,
        "parts": [_part(each) for each in facet.parts],
        "lacks": [_lack(each) for each in facet.lacks],
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        **part._asdict(),
        "since": part.since.isoformat() if part.since else None,
        "evidence": [
            {
                "key": each.key,
                "feed": each.feed,
                "source": each.source,
                "day": date.fromordinal(each.day).isoformat(),
                "value": each.value,
            }
            for each in part.evidence
        ],
        "lacks": [_lack(each) for each in part.lacks],
    }


def _lack(lack: Insufficient) -> dict[str, Any]:
    return {"feed": lack.feed, "last_covered": lack.last_covered}
