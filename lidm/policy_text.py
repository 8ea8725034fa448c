"""What changes between two policies, in Chinese: entries, whom they concern, which rules ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from detectors.registry import Detector
from policy.bundle import Bundle
from policy.changes import Change, Effect, changes, effects, topmost
from policy.value_words import FIELDS, word

_WHAT = {"added": "新增", "removed": "删去", "changed": "改动"}
_ORDER = ("", "ranks", "places")
"""Fields of a scheme that say which of several counts; "" is a whole scheme."""
_SHOWN_AREAS = 6


@dataclass(frozen=True)
class PolicyDiff:
    """Two bundles compared. `detectors`: by code, the parameters through which it is touched."""

    old: Bundle
    new: Bundle
    kinds: Mapping[tuple[str, str], str]
    on: date
    changes: tuple[Change, ...]
    effects: tuple[Effect, ...]
    detectors: Mapping[str, tuple[str, ...]]

    @property
    def areas(self) -> tuple[str, ...]:
        """Every area for which some answer differs on some day."""
        return tuple(sorted({code for effect in self.effects for code in effect.areas}))

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            "old": self.old.hash,
            "new": self.new.hash,
            "changes": [{**asdict(each), "text": self.sentence(each)} for each in self.changes],
            "effects": [
                {**asdict(each), "first": each.first.isoformat(), "retroactive": each.first < self.on}
                for each in self.effects
            ],
            "detectors": {code: list(names) for code, names in self.detectors.items()},
            "areas": list(self.areas),
        }

    def sentence(self, change: Change) -> str:
        """One change in one line."""
        where = f"{_WHAT[change.what]}  {self._subject(change)}"
        if not change.field:
            entry = change.new if change.what == "added" else change.old
            return f"{where}：{self._entry(change.name, entry)}"
        key = change.field.removeprefix("values.")
        field = f"{self._field(key)}："
        old, new = (self._value(change, each) for each in (change.old, change.new))
        said = new if change.what == "added" else old if change.what == "removed" else f"{old} → {new}"
        return f"{where}  {'' if change.kind == 'checked' else field}{said}"

    def lines(self) -> list[str]:
        """The whole comparison for the terminal."""
        head = f"参数 {self.old.short} → {self.new.short}"
        if not self.changes:
            return [f"{head}：没有不同"]
        lines = [f"{head}：{len(self.changes)}处不同", *(self.sentence(each) for each in self.changes), ""]
        if any(each.kind == "scheme" and each.field.partition(".")[0] in _ORDER for each in self.changes):
            lines.append("身份的次序不同：按身份取值的规则可能另有结果")
        if not self.effects:
            return [*lines, "对任何地方、任何一天的现行值都没有影响"]
        lines.append("影响现行值：")
        lines += [f"  {self._effect(each)}" for each in self.effects]
        rules = "、".join(f"{code}（{'、'.join(names)}）" for code, names in self.detectors.items())
        return [*lines, f"涉及规则：{rules or '没有'}", f"涉及区划：{self._areas(self.areas)}"]

    def _subject(self, change: Change) -> str:
        if change.kind == "area":
            return f"区划 {self._place(change.name)}（{change.name}）"
        if change.kind == "scheme":
            return f"类别 {change.name}"
        label = self._label(change.name)
        if change.kind == "declaration":
            return f"参数 {label}"
        named = f"{self._place(change.area)} {label}"
        if change.kind == "checked":
            return f"{named} 最近核对"
        return f"{named} 到{change.since}的目标" if change.kind == "target" else f"{named} {change.since}起"

    def _field(self, key: str) -> str:
        name, _, rest = key.partition(".")
        if name != "places" or not rest:
            return FIELDS.get(key, key)
        area, _, last = rest.partition(".")
        return " ".join([FIELDS[name], self._place(area), FIELDS.get(last, last)]).rstrip()

    def _entry(self, name: str, entry: object) -> str:
        """A whole entry: its values with its document, or its name."""
        if not isinstance(entry, dict):
            return word(None)
        if "values" not in entry:
            parts = [f"{FIELDS.get(key, key)} {word(value)}" for key, value in entry.items() if value not in (None, [])]
            return "，".join(parts)
        values = [f"{key} {word(value, self.kinds.get((name, key), ''))}" for key, value in entry["values"].items()]
        document = entry["document"]
        number = f" {document['number']}" if document["number"] else ""
        until = f"，至{entry['until']}" if entry["until"] else ""
        return f"{'，'.join(values) or '—'}{until}，{word(document['status'])}，《{document['title']}》{number}"

    def _value(self, change: Change, value: Any) -> str:
        key = change.field.removeprefix("values.").partition(".")[0]
        return word(value, self.kinds.get((change.name, key), "") if change.field.startswith("values.") else "")

    def _effect(self, effect: Effect) -> str:
        past = "（追溯）" if effect.first < self.on else ""
        gone = f"；{self._areas(effect.gone)}不再有值" if effect.gone else ""
        return f"{self._label(effect.name)}：自{effect.first}起{past}，{self._areas(effect.areas)}{gone}"

    def _areas(self, codes: Sequence[str]) -> str:
        """Names of the highest areas, and how many lie below them."""
        bundle = self.new if any(code in self.new.areas for code in codes) else self.old
        tops = topmost(bundle, codes, self.on)
        shown = [f"{self._place(code)}{f'及下级共{n}处' if n > 1 else ''}" for code, n in tops[:_SHOWN_AREAS]]
        return "、".join(shown) + (f"等{len(tops)}地" if len(tops) > _SHOWN_AREAS else "")

    def _place(self, code: str) -> str:
        bundle = next((each for each in (self.new, self.old) if code in each.areas), None)
        return bundle.areas.name(code) if bundle else code

    def _label(self, name: str) -> str:
        bundle = next((each for each in (self.new, self.old) if name in each.names()), None)
        return f"“{bundle.label(name)}”（{name}）" if bundle else name


def compared(
    old: Bundle, new: Bundle, kinds: Mapping[tuple[str, str], str], rules: Mapping[str, Detector], on: date
) -> PolicyDiff:
    """The comparison; `on`: before this day a change reaches into the past."""
    found = effects(old, new)
    touched = {effect.name for effect in found}
    asking = {
        code: names
        for code, rule in rules.items()
        if (names := tuple(name for name in (*rule.parameters, *rule.optional) if name in touched))
    }
    return PolicyDiff(old, new, kinds, on, tuple(changes(old, new)), tuple(found), asking)
