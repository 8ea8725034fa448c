"""The catalogue of help a place offers 一件事清单: what it is, who may have it, which file shows that somebody does.

An item is policy data like any other: dated, with a document. `for` names schemes; `whose` says whether each person or
the household together has it; `seen_in` names the kind of record that shows it, `nowhere` where no file does: such an
item is listed as unknown and never as missing. Optional: `codes` (of payments), `stages` (of schooling), `since` (the
day it came into the catalogue), `within_days` (when the rule's own number of days is too short), `ages`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple, cast

from policy.marked import Marked
from policy.parameters import Rule

Entry = dict[str, int | str | list[str] | list[int] | None]
Entries = dict[str, Entry]

FEED_OF: Final[Mapping[str, str | None]] = {
    "benefit": "civil.benefit",
    "enrolment": "medical.enrolment",
    "rent": "housing.security",
    "school": "education.aid",
    "nowhere": None,
}
"""Where a kind of record comes from."""
_KEYS = frozenset({"label", "whose", "for", "seen_in", "codes", "stages", "since", "within_days", "ages"})
_EVER = date.min


class Item(NamedTuple):
    """One item. `since` is a day ordinal, `within_days` None takes the rule's, `ages` half-open in years."""

    code: str
    label: str
    each: bool
    schemes: frozenset[str]
    seen_in: str
    codes: frozenset[str]
    stages: frozenset[str]
    since: int
    within_days: int | None
    ages: tuple[int, int] | None

    @property
    def feed(self) -> str | None:
        """The feed that shows whether somebody has it, None where nobody's does."""
        return FEED_OF[self.seen_in]


def read_catalogue(value: Marked, schemes: frozenset[str]) -> Entries:
    """The catalogue as plain values; a scheme nobody holds, a payment without codes, a school without stages fail."""
    found: Entries = {}
    labels: set[str] = set()
    for code, key, entry in value.items():
        if not (code.isascii() and code.replace("_", "").isalnum() and code.isupper()):
            key.fail(f"“{code}”不是项目代码：大写字母、数字和下划线")
        found[code] = _entry(entry, schemes)
        label = str(found[code]["label"])
        if label in labels:
            entry.fail(f"“{label}”写了两次")
        labels.add(label)
    if not found:
        value.fail("清单里至少要有一项")
    return found


def items_of(rule: Rule, key: str = "catalogue") -> tuple[Item, ...]:
    """The items of a rule, in the order of their codes."""
    entries = cast(Mapping[str, Entry], rule[key])
    return tuple(_item(code, entries[code]) for code in sorted(entries))


def _entry(value: Marked, schemes: frozenset[str]) -> Entry:
    found = value.mapping(_KEYS, required=("label", "whose", "for", "seen_in"))
    held = [each.text() for each in found["for"].sequence()]
    for each, text in zip(found["for"].sequence(), held, strict=True):
        if text not in schemes:
            each.fail(f"“{text}”不在schemes.yaml里，或者不是可以持有的救助身份")
    if not held:
        found["for"].fail("至少写一个救助类别")
    seen_in = _one_of(found["seen_in"], tuple(FEED_OF))
    for needed, kind in (("codes", "benefit"), ("stages", "school")):
        if (needed in found) != (seen_in == kind):
            value.fail(f"“{needed}”要写在、也只写在seen_in为{kind}的项目里")
    if "ages" in found and found["whose"].text() != "person":
        found["ages"].fail("“ages”只能写在whose为person的项目里")
    return {
        "label": found["label"].text(),
        "whose": _one_of(found["whose"], ("person", "household")),
        "for": held,
        "seen_in": seen_in,
        "codes": _texts(found.get("codes")),
        "stages": _texts(found.get("stages")),
        "since": found["since"].day().isoformat() if "since" in found else None,
        "within_days": found["within_days"].whole(1, 366) if "within_days" in found else None,
        "ages": _ages(found.get("ages")),
    }


def _item(code: str, entry: Entry) -> Item:
    since, within, ages = entry["since"], entry["within_days"], entry["ages"]
    low_high = cast(list[int], ages) if ages is not None else None
    return Item(
        code,
        str(entry["label"]),
        entry["whose"] == "person",
        frozenset(cast(list[str], entry["for"])),
        str(entry["seen_in"]),
        frozenset(cast(list[str], entry["codes"])),
        frozenset(cast(list[str], entry["stages"])),
        (_EVER if since is None else date.fromisoformat(str(since))).toordinal(),
        None if within is None else int(cast(int, within)),
        (low_high[0], low_high[1]) if low_high is not None else None,
    )


def _one_of(value: Marked, words: tuple[str, ...]) -> str:
    if value.text() not in words:
        value.fail(f"“{value.text()}”不在可选范围内：{'、'.join(words)}")
    return value.text()


def _texts(value: Marked | None) -> list[str]:
    return [] if value is None else [each.text() for each in value.sequence()]


def _ages(value: Marked | None) -> list[int] | None:
    if value is None:
        return None
    ends = [each.whole(0, 120) for each in value.sequence()]
    if len(ends) != 2 or ends[0] >= ends[1]:
        value.fail("年龄范围写成[下限, 上限]，含下限不含上限")
    return ends
