"""Facts of a case by the feed's own fields: any feed there is, written as the department fills it in.

`{disability.certificate: {person: 甲, category: 肢体, issued_on: 2025-03-10, level: 二级}}`: field names are the
published ones; a code may be written by its Chinese label, money as `3000元`, a person by the name in the case. A
required field that is not written takes the example of the feed, a key of its own number one nobody else has. What
the feed would refuse, the case refuses as well.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from detectors.casefile import person_of
from policy.marked import Marked
from schemas.feed import FEEDS, FeedSpec, FieldSpec

if TYPE_CHECKING:
    from detectors.casefacts import Line
    from schemas.facts import AnyFact

_Plain = str | int


class _Origin(NamedTuple):
    subject: str
    source: str
    id: str


def of_feed(kind: str) -> "Callable[[Line], AnyFact] | None":
    """How a fact of this feed is made from a line; None where there is no such feed."""
    if kind not in FEEDS:
        return None
    spec = FEEDS[kind]
    return lambda line: _fact(spec, line)


def _fact(spec: FeedSpec, line: "Line") -> "AnyFact":
    values: dict[str, _Plain] = {}
    for each in spec.fields:
        if line.has(each.name):
            values[each.name] = _value(line.fields[each.name], each)
        elif each.required or (each.key and each.kind == "key"):
            values[each.name] = _filled(each, line)
    try:
        data = spec.model.model_validate_json(json.dumps(values))
    except ValidationError as error:
        first = error.errors()[0]
        line.place.fail(f"{spec.title}：{'.'.join(map(str, first['loc']))} {first['msg']}")
    for flaw in data.problems():
        line.place.fail(f"{spec.title}：{flaw.message_zh}")
    key = data.natural_key(_Origin(line.person, "案例", f"case-{line.sequence}"))
    return data.to_fact(line.head(key, data.day()))


def _value(place: Marked, field: FieldSpec) -> _Plain:
    text = place.text()
    if field.kind == "fen":
        return -int(text[1:-1]) * 100 if text.startswith("-") and text.endswith("元") else place.fen()
    if field.kind == "count":
        return place.whole()
    if field.kind == "person":
        return person_of(text)
    if field.kind == "code":
        return next((code for code, label in field.labels.items() if label == text), text)
    return text


def _filled(field: FieldSpec, line: "Line") -> _Plain:
    if field.key and field.kind == "key":
        return f"案例{line.sequence}"
    if field.example is None:
        line.place.fail(f"缺少“{field.name}”（{field.label}）")
    return field.example
