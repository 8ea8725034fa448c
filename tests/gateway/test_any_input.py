"""Whatever comes by a sealed topic or lies in a dead letter: nothing raises, nothing plain goes on, all is counted."""

import json
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mend import Mender, MendMapping
from schemas.plain_identity import carries_identity
from streams.letters import gather
from tests.gateway.people import number
from tests.gateway.test_sealed import event, feed, manifest

TEXT = st.text(max_size=12) | st.sampled_from([number(1), "lidm.batch.end", "b1", "\ud800", "p_" + "1" * 32])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from([*event("S1", number(1), "b1"), *manifest("end", 1), "idtype", "subject"])


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """An event or manifest with some attributes replaced by anything, taken away, or put into an array."""
    made = draw(st.sampled_from([event("S1", number(1), "b1"), manifest("begin", 0), manifest("end", 1)]))
    said = dict(made)
    for name in draw(st.lists(NAMES, max_size=3)):
        if draw(st.booleans()):
            said.pop(name, None)
        else:
            said[name] = draw(VALUES)
    return draw(st.sampled_from([said, [said], [said, event("S2", number(2))], [[said]]]))


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@settings(max_examples=200, deadline=None)
@given(st.lists(spoiled() | VALUES, min_size=1, max_size=3), st.binary(max_size=40))
def test_a_sealed_topic_takes_anything(said: list[Any], noise: bytes) -> None:
    made, outlet = feed()
    for value in said:
        made.take(0, encoded(value))
    made.take(1, noise)
    assert made.sent + sum(made.refused.values()) + made.left_out >= 1
    assert not [m for m in outlet.sent if carries_identity(m.value.decode("utf-8", "replace"))]
    assert len(outlet.deliveries()) == made.sent


@settings(max_examples=200, deadline=None)
@given(spoiled() | VALUES, st.none() | st.sets(st.integers(0, 3)))
def test_mending_takes_anything(value: Any, refused: set[int] | None) -> None:
    mapping = MendMapping(rename={"total": "sum"}, scale={"sum": 100}, values={"visit": {"x": "y"}}, default={"a": 1})
    found = Mender(mapping).mend("t/0/1", encoded(value), refused)
    assert (found.value is None) == (found.events == 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=8), st.lists(st.tuples(TEXT, st.binary(max_size=8)), max_size=4))))
def test_letters_are_gathered_from_anything(messages: list[Any]) -> None:
    given_ = [SimpleNamespace(key=key, value=b"v", headers=headers) for key, headers in messages]
    assert len(list(gather(given_))) <= len(given_)
