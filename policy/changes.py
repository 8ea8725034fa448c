"""What differs between two bundles: entries as they were written, and for whom the answer differs on which days.

Entries are compared by place, parameter and date, so that a corrected amount, a moved date, a new document and another
status each show as what they are. Effect is asked of both bundles on every day on which either of them changes: an area
counts where its own answer differs, however far above it the value was written.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast

from policy.areas import AreaUnknown
from policy.bundle import Bundle
from policy.marked import JSON
from policy.parameters import Rule

What = Literal["added", "removed", "changed"]
Kind = Literal["declaration", "value", "target", "checked", "area", "scheme"]


@dataclass(frozen=True)
class Change:
    """One entry that differs. `name`: parameter, area or scheme; `since`: the first day of the dated value it stands
    in; `field`: what of it (a key, `status`, `document.title` …), empty when the whole entry is new or gone."""

    kind: Kind
    what: What
    name: str
    area: str
    since: str
    field: str
    old: JSON
    new: JSON


@dataclass(frozen=True)
class Effect:
    """A parameter whose value in force differs in some areas. `first`: the earliest such day, `gone`: areas that had a
    value on that or a later day and have none any more."""

    name: str
    areas: tuple[str, ...]
    first: date
    gone: tuple[str, ...]


def changes(old: Bundle, new: Bundle) -> list[Change]:
    """Every entry that differs, by kind, parameter, place and date; none: the bundles say the same."""
    before, after = old.plain(), new.plain()
    found = [
        *_table("area", before["areas"], after["areas"]),
        *_table("scheme", before["schemes"], after["schemes"]),
        *_table("declaration", before["declared"], after["declared"]),
    ]
    first, second = _dict(before["rules"]), _dict(after["rules"])
    for area in sorted(first.keys() | second.keys()):
        theirs, ours = _dict(first.get(area, {})), _dict(second.get(area, {}))
        for name in sorted(theirs.keys() | ours.keys()):
            found += _rule(name, area, _dict(theirs.get(name, {})), _dict(ours.get(name, {})))
    return found


def effects(old: Bundle, new: Bundle) -> list[Effect]:
    """Parameters whose answer differs for somebody on some day."""
    codes = sorted({*old.areas.codes(), *new.areas.codes()})
    found = []
    for name in sorted({*old.names(), *new.names()}):
        days = _days(name, old, new)
        differ: dict[str, date] = {}
        gone: set[str] = set()
        for day in days:
            for code in codes:
                theirs, ours = _asked(old, name, code, day), _asked(new, name, code, day)
                if _same(theirs, ours):
                    continue
                differ.setdefault(code, day)
                if ours is None:
                    gone.add(code)
        if differ:
            found.append(Effect(name, tuple(sorted(differ)), min(differ.values()), tuple(sorted(gone))))
    return found


def topmost(bundle: Bundle, codes: Iterable[str], on: date) -> list[tuple[str, int]]:
    """These areas by the highest ones among them, with how many they stand for."""
    among = set(codes)
    stands: dict[str, int] = {}
    for code in sorted(among):
        chain = bundle.areas.chain(code, on) if code in bundle.areas else (code,)
        above = code
        for each in chain:
            if each not in among:
                break
            above = each
        stands[above] = stands.get(above, 0) + 1
    return sorted(stands.items())


def _rule(name: str, area: str, old: dict[str, JSON], new: dict[str, JSON]) -> Iterator[Change]:
    """The dated values, targets and last check of one parameter in one place."""
    theirs, ours = _by_date(old), _by_date(new)
    for since in sorted(theirs.keys() | ours.keys()):
        yield from _entry("value", name, area, since, theirs.get(since), ours.get(since))
    theirs, ours = _dict(old.get("targets", {})), _dict(new.get("targets", {}))
    for day in sorted(theirs.keys() | ours.keys()):
        yield from _entry("target", name, area, day, theirs.get(day), ours.get(day))
    before, after = old.get("still_valid_on"), new.get("still_valid_on")
    if before != after and old and new:
        yield Change("checked", "changed", name, area, "", "last_value_still_valid_on", before, after)


def _by_date(rule: Mapping[str, JSON]) -> dict[str, JSON]:
    """Dated values by first day; the day is no field of its own."""
    values = (_dict(each) for each in cast(list[JSON], rule.get("values", [])))
    return {str(each["since"]): {key: value for key, value in each.items() if key != "since"} for each in values}


def _table(kind: Kind, old: JSON, new: JSON) -> Iterator[Change]:
    theirs, ours = _dict(old), _dict(new)
    for code in sorted(theirs.keys() | ours.keys()):
        place = code if kind == "area" else ""
        yield from _entry(kind, code, place, "", theirs.get(code), ours.get(code))


def _entry(kind: Kind, name: str, area: str, since: str, old: JSON, new: JSON) -> Iterator[Change]:
    """One entry: new, gone, or its fields that differ."""
    if old == new:
        return
    if old is None or new is None:
        yield Change(kind, "added" if old is None else "removed", name, area, since, "", old, new)
        return
    before, after = dict(_leaves(old)), dict(_leaves(new))
    for field in sorted(before.keys() | after.keys()):
        theirs, ours = before.get(field), after.get(field)
        if theirs != ours or (field in before) != (field in after):
            what: What = "added" if field not in before else "removed" if field not in after else "changed"
            yield Change(kind, what, name, area, since, field, theirs, ours)


def _leaves(value: JSON, path: str = "") -> Iterator[tuple[str, JSON]]:
    """Every value of nested mappings by its dotted path; lists are values."""
    if not isinstance(value, dict):
        yield path, value
        return
    for key, each in value.items():
        yield from _leaves(each, f"{path}.{key}" if path else key)


def _days(name: str, old: Bundle, new: Bundle) -> list[date]:
    """Days on which the answer of either bundle may change; empty when both were written alike."""
    days: set[date] = set()
    alike = old.areas.areas() == new.areas.areas()
    for bundle in (old, new):
        for (_, each), history in bundle.histories().items():
            if each == name:
                days |= {day for rule in history.rules for day in (rule.since, rule.until) if day is not None}
        days |= set(bundle.areas.changes())
    written = [
        {key: _content(history.rules) for key, history in bundle.histories().items() if key[1] == name}
        for bundle in (old, new)
    ]
    return [] if alike and written[0] == written[1] else sorted(days)


def _content(rules: Iterable[Rule]) -> list[object]:
    return [(rule.since, rule.until, dict(rule.values), rule.document, rule.signed_by) for rule in rules]


def _asked(bundle: Bundle, name: str, code: str, day: date) -> Rule | None:
    try:
        return bundle.on(day).known(name, code) if code in bundle.areas else None
    except AreaUnknown:
        return None


def _same(one: Rule | None, other: Rule | None) -> bool:
    if one is None or other is None:
        return one is other
    return (dict(one.values), one.document, one.signed_by) == (dict(other.values), other.document, other.signed_by)


def _dict(value: JSON) -> dict[str, JSON]:
    return cast(dict[str, JSON], value)
