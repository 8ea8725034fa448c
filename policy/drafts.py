"""A draft in the place of the policies of the past: what they would have been with it. Pure; the past stays as it was.

Two laws can be asked about. In force: the policy of each time stays, and where the draft says something else than the
newest of them, the draft counts from the day its own value begins. Counterfactual: the draft alone, the newest of its
values on every day. Areas and schemes keep their own dates under both.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal, cast

from policy.bundle import Bundle
from policy.marked import JSON

Law = Literal["in-force", "counterfactual"]
Entry = dict[str, JSON]
Place = tuple[str, str]
"""Area and parameter."""
_LOOK_BACK = timedelta(days=366)
"""Rules look back on a year: so long before the first day does hold what holds throughout."""
_TABLES = ("areas", "schemes")


class Draft:
    """Stands in for every bundle that was activated. `newest`: the one activated last, which the draft will replace;
    `asked_from`: the first day that is asked about."""

    def __init__(self, draft: Bundle, newest: Bundle, law: Law, asked_from: date) -> None:
        self._plain = draft.plain()
        before = newest.plain()
        self._tables = tuple(name for name in _TABLES if before[name] != self._plain[name])
        self._parts = _differences(_dict(before["rules"]), _dict(self._plain["rules"]))
        self._throughout = _throughout(draft, asked_from) if law == "counterfactual" else None
        self._made: dict[str, Bundle] = {}

    @property
    def differs(self) -> date | None:
        """The first day on which it can lead to another answer; None: on no day."""
        if self._throughout is not None or self._tables:
            return date.min
        return min((date.fromisoformat(day) for day in self._parts.values()), default=None)

    def touched(self, bundle: Bundle, until: date) -> frozenset[str] | None:
        """Parameters that have another value somewhere, on some day until then, in place of this bundle; None: areas or
        schemes differ, and with them anything may."""
        drafted = self.instead_of(bundle).plain()
        before = bundle.plain()
        if any(before[table] != drafted[table] for table in _TABLES):
            return None
        parts = _differences(_dict(before["rules"]), _dict(drafted["rules"]))
        return frozenset(name for (_, name), day in parts.items() if day <= until.isoformat())

    def instead_of(self, bundle: Bundle) -> Bundle:
        """What would have been in force in place of a bundle of the past."""
        if self._throughout is not None:
            return self._throughout
        made = self._made.get(bundle.hash)
        if made is None:
            made = self._made[bundle.hash] = self._laid_over(bundle)
        return made

    def _laid_over(self, bundle: Bundle) -> Bundle:
        plain = bundle.plain()
        plain |= {table: self._plain[table] for table in self._tables}
        rules, declared = _dict(plain["rules"]), _dict(plain["declared"])
        drafted, named = _dict(self._plain["rules"]), _dict(self._plain["declared"])
        for (area, name), day in self._parts.items():
            theirs, ours = _rule(rules, area, name), _rule(drafted, area, name)
            values: list[JSON] = [*_until(_values(theirs), day), *_from(_values(ours), day)]
            _dict(rules.setdefault(area, {}))[name] = {**(ours or theirs), "values": values}
            if name in named:
                declared[name] = named[name]
        return Bundle(plain)


def _throughout(draft: Bundle, first: date) -> Bundle:
    """The newest value of each parameter in each place, from when there was any, or early enough, and without end."""
    plain, early = draft.plain(), (first - _LOOK_BACK).isoformat()
    for rules in _dict(plain["rules"]).values():
        for rule in map(_dict, _dict(rules).values()):
            if values := _values(rule):
                rule["values"] = [{**values[-1], "since": min(str(values[0]["since"]), early), "until": None}]
    return Bundle(plain)


def _differences(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> dict[Place, str]:
    """Where what was written for a place is not the same, with the first day on which it is not."""
    found: dict[Place, str] = {}
    for area in sorted(old.keys() | new.keys()):
        names = _dict(old.get(area, {})).keys() | _dict(new.get(area, {})).keys()
        for name in sorted(names):
            before, after = _values(_rule(old, area, name)), _values(_rule(new, area, name))
            days = sorted({str(day) for each in (*before, *after) for day in (each["since"], each["until"]) if day})
            day = next((day for day in days if _said(before, day) != _said(after, day)), None)
            if day is not None:
                found[area, name] = day
    return found


def _said(values: list[Entry], day: str) -> Entry | None:
    """What is in force on a day, whenever that began."""
    for each in values:
        if str(each["since"]) <= day and (each["until"] is None or day < str(each["until"])):
            return {key: value for key, value in each.items() if key not in ("since", "until")}
    return None


def _until(values: list[Entry], day: str) -> list[Entry]:
    return [
        {**each, "until": min(str(each["until"]), day) if each["until"] else day}
        for each in values
        if str(each["since"]) < day
    ]


def _from(values: list[Entry], day: str) -> list[Entry]:
    return [
        {**each, "since": max(str(each["since"]), day)}
        for each in values
        if each["until"] is None or str(each["until"]) > day
    ]


def _rule(rules: Mapping[str, JSON], area: str, name: str) -> Entry:
    return _dict(_dict(rules.get(area, {})).get(name, {}))


def _values(rule: Mapping[str, JSON]) -> list[Entry]:
    return cast(list[Entry], rule.get("values", []))


def _dict(value: JSON) -> Entry:
    return cast(Entry, value)
