"""All of the policy room as one value: loaded strictly from files, carried as canonical JSON, asked by day.

`Bundle.load` refuses what is unclear (see `policy.loader`); `Bundle.from_canonical` takes the bytes a loaded bundle
gave and answers exactly as it did. The hash of those bytes is the version every alert names.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from policy.areas import NATIONAL, Area, AreaTree, Trust
from policy.kinds import Plain
from policy.loader import read_directory
from policy.marked import JSON, PolicyError
from policy.parameters import History, Policy, Rule, Value
from policy.schemes import Local, Ranked, Scheme, Schemes
from schemas.alerts import Document

_KEPT_DAYS = 4096


@dataclass(frozen=True)
class Target:
    """A goal a document names for a day. Never used as a value."""

    name: str
    area: str
    by: date
    at_least: str
    document: str


class Bundle:
    """Areas, schemes, rules and standards of all dates."""

    def __init__(self, plain: Mapping[str, JSON]) -> None:
        self._bytes = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        self.hash = hashlib.sha256(self._bytes).hexdigest()
        self.short = self.hash[:12]
        self.areas = AreaTree({code: _area(code, each) for code, each in _dict(plain["areas"]).items()})
        self.schemes = Schemes({code: _scheme(code, each) for code, each in _dict(plain["schemes"]).items()})
        self._rules = _dict(plain["rules"])
        self._declared = _dict(plain["declared"])
        self._histories = {
            (area, name): self._history(area, name, _dict(rule))
            for area, rules in self._rules.items()
            for name, rule in _dict(rules).items()
        }
        self._days: dict[date, Policy] = {}

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """The bundle of a folder. Raises `PolicyError` (file, line, Chinese sentence)."""
        made = cls(read_directory(folder))
        made._refuse_circles()
        return made

    @classmethod
    def from_canonical(cls, value: bytes) -> "Bundle":
        """The bundle these bytes came from."""
        return cls(json.loads(value))

    def _refuse_circles(self) -> None:
        """Every way up has to end at the top, on whichever day it is asked for."""
        for day in (date.min, *self.areas.changes()):
            for code in self.areas.codes():
                chain = self.areas.chain(code, day)
                if chain[-1] != NATIONAL:
                    since = f"自{day}起" if day > date.min else ""
                    way = "→".join([*chain, self.areas.area(chain[-1]).above(day) or ""])
                    raise PolicyError("areas.yaml", 1, f"区划{code}{since}的上级绕了一圈：{way}")

    def narrowed(self, area: str, name: str, changes: Mapping[str, Plain]) -> "Bundle":
        """This bundle with some keys of one rule changed on all dates, for cases and what-if questions."""
        plain = json.loads(self._bytes)
        for value in plain["rules"][area][name]["values"]:
            unknown = sorted(set(changes) - set(value["values"]))
            if unknown:
                raise KeyError(f"{name} has no key {', '.join(unknown)}")
            value["values"].update(changes)
        return Bundle(plain)

    def canonical(self) -> bytes:
        """The whole bundle as JSON with sorted keys: equal content gives equal bytes."""
        return self._bytes

    def plain(self) -> dict[str, JSON]:
        """The whole bundle as plain values, a copy of its own."""
        return _dict(json.loads(self._bytes))

    def on(self, day: date) -> Policy:
        """What is in force on a day."""
        policy = self._days.get(day)
        if policy is None:
            if len(self._days) >= _KEPT_DAYS:
                self._days.clear()
            policy = self._days[day] = Policy(day, self.short, self.areas, self.schemes, self._histories)
        return policy

    def names(self) -> tuple[str, ...]:
        """Every declared rule and standard."""
        return tuple(sorted(self._declared))

    def label(self, name: str) -> str:
        """The Chinese label of a rule or standard."""
        return str(_dict(self._declared[name])["label"])

    def family(self, name: str) -> str:
        """The folder a rule lies in (risk, entitlement, review, quality), `standards` for a standard."""
        return str(_dict(self._declared[name])["family"])

    def histories(self) -> Mapping[tuple[str, str], History]:
        """Dated values by (area, name)."""
        return self._histories

    def targets(self) -> tuple[Target, ...]:
        """Goals named by documents, kept apart from values."""
        return tuple(
            Target(name, area, date.fromisoformat(day), str(_dict(goal)["at_least"]), str(_dict(goal)["document"]))
            for area, rules in self._rules.items()
            for name, rule in _dict(rules).items()
            for day, goal in _dict(_dict(rule)["targets"]).items()
        )

    def still_valid_on(self, area: str, name: str) -> date:
        """The last day on which somebody looked and found the newest value still in force."""
        return date.fromisoformat(str(_dict(_dict(self._rules[area])[name])["still_valid_on"]))

    def _history(self, area: str, name: str, rule: Mapping[str, JSON]) -> History:
        declared = _dict(self._declared[name])
        labels = {code: self.schemes.label(code) for code in self.schemes.codes()}
        return History(
            [
                Rule(
                    name=name,
                    area=area,
                    label=str(declared["label"]),
                    unit=str(declared["unit"]),
                    since=date.fromisoformat(str(each["since"])),
                    until=_day(each["until"]),
                    document=Document.model_validate(each["document"]),
                    values={key: _frozen(value) for key, value in _dict(each["values"]).items()},
                    scheme_labels=labels,
                    policy=self.short,
                    signed_by=_text(each["signed_by"]),
                    note=_text(each["note"]),
                )
                for each in map(_dict, _list(rule["values"]))
            ]
        )


def _area(code: str, plain: JSON) -> Area:
    each = _dict(plain)
    return Area(
        code=code,
        name=str(each["name"]),
        parent=None if each["parent"] is None else str(each["parent"]),
        valid_from=_day(each["valid_from"]),
        valid_to=_day(each["valid_to"]),
        successors=tuple(map(str, _list(each["successors"]))),
        setting=None if each.get("setting") is None else str(each["setting"]),  # bundles in older logs have none
        entrusted=tuple(
            Trust(str(hands["to"]), date.fromisoformat(str(hands["valid_from"])), _day(hands["valid_to"]))
            for hands in map(_dict, _list(each.get("entrusted", [])))
        ),
    )


def _scheme(code: str, plain: JSON) -> Scheme:
    each = _dict(plain)
    places = tuple(
        Local(area, date.fromisoformat(str(own["since"])).toordinal(), _ranks(own["ranks"]))
        for area, own in ((area, _dict(plain)) for area, plain in _dict(each.get("places", {})).items())
    )
    return Scheme(code, str(each["label"]), _ranks(each["ranks"]), places)


def _ranks(plain: JSON) -> tuple[Ranked, ...]:
    return tuple(
        Ranked(
            since=date.fromisoformat(str(rank["since"])).toordinal(),
            until=(_day(rank["until"]) or date.max).toordinal(),
            rank=int(str(rank["rank"])),
        )
        for rank in map(_dict, _list(plain))
    )


def _frozen(value: JSON) -> Value:
    if isinstance(value, list):
        return tuple(tuple(each) if isinstance(each, list) else each for each in value)  # type: ignore[return-value]  # as below
    return value  # type: ignore[return-value]  # kinds.Plain is exactly what the loader wrote


def _text(value: JSON) -> str | None:
    return None if value is None else str(value)


def _day(value: JSON) -> date | None:
    return None if value is None else date.fromisoformat(str(value))


def _dict(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise TypeError("a bundle mapping was expected")
    return value


def _list(value: JSON) -> list[JSON]:
    if not isinstance(value, list):
        raise TypeError("a bundle list was expected")
    return value
