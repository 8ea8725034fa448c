"""Every feed without groups of fields can be sent as a table in Chinese, and means what its example says."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.rows import column_of
from schemas.feed import FEEDS, FeedSpec, FieldSpec
from schemas.generate import example_event
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_publish import LINKAGE, publish, table

WHO, RELATIVE = number(1), number(2)
PLAIN = [spec.name for spec in FEEDS.every if not any(field.parts for field in spec.fields)]


def cell(field: FieldSpec, value: Any) -> str:
    """A value as people write it."""
    if value is None:
        return ""
    if field.kind == "fen":
        return f"{value / 100:,.2f}"
    if field.kind == "person":
        return RELATIVE
    return field.labels.get(str(value), str(value))


def meant(spec: FeedSpec) -> list[Any]:
    """The example as a fact, told of the two people of the table."""
    event = example_event(spec)
    person, other = LINKAGE.person(WHO), LINKAGE.person(RELATIVE)
    raw = msgspec.json.encode(event).replace(event["subject"].encode(), person.encode())
    raw = raw.replace(b"p_" + b"0" * 31 + b"2", other.encode())
    (delivery,) = spec.decode(raw, 4_000_000_000_000)
    assert not hasattr(delivery, "message_zh"), delivery
    return content(delivery.fact)  # type: ignore[union-attr]


def content(fact: Any) -> list[Any]:
    """Key, day and everything the kind adds."""
    given = msgspec.to_builtins(fact)
    return [fact.key, fact.day, *given[8:]]


@pytest.mark.parametrize("name", PLAIN)
def test_a_table_row_means_what_the_example_says(tmp_path: Path, name: str) -> None:
    spec = FEEDS[name]
    data = example_event(spec)["data"]
    row = [WHO, *(cell(field, data.get(field.name)) for field in spec.fields)]
    header = ["证件号码", *map(column_of, spec.fields)]
    outlet = Outlet()
    done = publish(table(tmp_path / "a.csv", [row], header), outlet, feed=name)
    assert done.problems == ()
    (delivery,) = outlet.deliveries()
    assert content(delivery.fact) == meant(spec)
    assert WHO not in outlet.text()
    assert RELATIVE not in outlet.text()


def test_only_households_need_more_than_a_table() -> None:
    assert {spec.name for spec in FEEDS.every} - set(PLAIN) == {"civil.household.v1"}
