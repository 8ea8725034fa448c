"""The local list of dimensions of need 多维困难画像: what each is made of, from which value on, and what it weighs.

A dimension is policy data like any other: dated, with a document. `rules` are rules of the risk family, a breach of
which shows need of that kind at its severity; `signs` are things counted in the ledger, each with steps
`[from, level]`, or `[below, level]` where less is worse. Levels are 1 to 4 as severities are. `weight` puts households
into an order of work and does nothing else. A rule and a sign stand in one dimension only, so that one cause is not
two kinds of need.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from policy.marked import Marked
from policy.parameters import Rule, Steps

Entry = dict[str, int | str | list[str] | dict[str, list[list[int]]]]
Entries = dict[str, Entry]

NEEDS: Final = "need_profile"
"""The standard that holds the list."""
RULES: Final = frozenset({
    "CHILD-GUARDIAN", "DISASTER-ACCIDENT", "DROPOUT", "EDU-BURDEN", "HELP-SEEKING", "INCOME-LINE", "JOB-LOSS",
    "MED-SELFPAY", "MEMBER-DEATH", "NEW-DISABILITY", "RENT-ARREARS", "RIGID-RATIO", "SAFETY-SILENCE",
    "UTILITY-ARREARS",
})  # fmt: skip
"""Rules of the risk family; those about reviews and data show no need."""
FALLING: Final = frozenset({"INCOME"})
"""Signs of which less is worse."""
SIGNS: Final = FALLING | {
    "DEPENDANTS", "DISABLED", "ELDERS_ONLY", "INPATIENT", "LISTED", "NO_HOME", "TREATMENT", "UNEMPLOYED",
}  # fmt: skip
_KEYS = frozenset({"label", "weight", "rules", "signs"})


class Dimension(NamedTuple):
    """One kind of need. `signs`: name and steps, (from or below, level), from mild to grave."""

    code: str
    label: str
    weight: int
    rules: tuple[str, ...]
    signs: tuple[tuple[str, Steps], ...]


def read_dimensions(value: Marked, schemes: frozenset[str]) -> Entries:
    """The list as plain values; an unknown rule or sign, one in two dimensions, steps out of order fail."""
    found: Entries = {}
    seen: set[str] = set()
    for code, key, entry in value.items():
        if not (code.isascii() and code.isalpha() and code.isupper()):
            key.fail(f"“{code}”不是方面代码：大写字母")
        found[code] = _entry(entry, seen)
    if not found:
        value.fail("至少要有一个方面")
    return found


def dimensions_of(rule: Rule) -> tuple[Dimension, ...]:
    """The dimensions of a place, the heaviest first, then by code."""
    entries = cast(Mapping[str, Entry], rule["dimensions"])
    return tuple(sorted((_dimension(code, each) for code, each in entries.items()), key=_place))


def level_of(sign: str, steps: Steps, value: int) -> int:
    """The level of a value, 0 where no step is reached."""
    reached = [level for start, level in steps if (value < start if sign in FALLING else value >= start)]
    return max(reached, default=0)


def _place(dimension: Dimension) -> tuple[int, str]:
    return (-dimension.weight, dimension.code)


def _entry(value: Marked, seen: set[str]) -> Entry:
    found = value.mapping(_KEYS, required=("label", "weight", "rules", "signs"))
    label = found["label"].text()
    _once(found["label"], label, seen)
    rules: list[str] = []
    for each in found["rules"].sequence():
        rules.append(_known(each, each.text(), RULES, "规则"))
        _once(each, rules[-1], seen)
    signs: dict[str, list[list[int]]] = {}
    for name, key, steps in found["signs"].items():
        _once(key, _known(key, name, SIGNS, "指标"), seen)
        signs[name] = _steps(steps, falling=name in FALLING)
    if not rules and not signs:
        value.fail("至少写一条规则或一个指标")
    return {"label": label, "weight": found["weight"].whole(1, 100), "rules": rules, "signs": signs}


def _steps(value: Marked, *, falling: bool) -> list[list[int]]:
    steps: list[list[int]] = []
    for each in value.sequence():
        pair = each.sequence()
        if len(pair) != 2:
            each.fail("每一档写成[起点, 等级]")
        step = [pair[0].whole(), pair[1].whole(1, 4)]
        if steps and ((step[0] >= steps[-1][0] if falling else step[0] <= steps[-1][0]) or step[1] <= steps[-1][1]):
            each.fail("各档要从轻到重排列")
        steps.append(step)
    if not steps:
        value.fail("至少要有一档")
    return steps


def _known(value: Marked, text: str, words: frozenset[str], what: str) -> str:
    if text not in words:
        value.fail(f"“{text}”不是可用的{what}，可以写：{'、'.join(sorted(words))}")
    return text


def _once(value: Marked, text: str, seen: set[str]) -> None:
    if text in seen:
        value.fail(f"“{text}”写了两次")
    seen.add(text)


def _dimension(code: str, entry: Entry) -> Dimension:
    signs = cast(dict[str, list[list[int]]], entry["signs"])
    read = tuple((name, tuple((start, level) for start, level in signs[name])) for name in sorted(signs))
    return Dimension(code, str(entry["label"]), int(cast(int, entry["weight"])), _rules(entry), read)


def _rules(entry: Entry) -> tuple[str, ...]:
    return tuple(sorted(cast(list[str], entry["rules"])))
