"""Dead letters put together and opened: nothing is shown of what is sealed, parts are complete or absent."""

from types import SimpleNamespace
from typing import Any

import pytest

from schemas.sealing import SealBroken, new_key_pair
from streams.delivery import Letter
from streams.letters import REPLAYS_HEADER, Wanted, Work, decode_work, encode_work, gather
from streams.rejected import PART_BYTES, Coordinates, dead_letters
from tests.gateway.people import number

PRIVATE, PUBLIC = new_key_pair()
AT = Coordinates("feeds.medical.settlement.v1", 2, 17, 1_000)


def letters(value: bytes, **more: Any) -> list[Letter]:
    return list(dead_letters("BAD_FIELD", "/data/x", "不对", AT, b"k", value, PUBLIC, 4, **more))


def received(found: list[Letter]) -> list[Any]:
    return [SimpleNamespace(key=each.key, value=each.value, headers=each.headers) for each in found]


def test_a_letter_says_where_and_why_and_opens_to_the_original() -> None:
    headers = ((REPLAYS_HEADER, b"2"), ("trace", b"t1"))
    said = letters(b"secret", headers=headers, batch="b-1", problems=[("BAD_FIELD", "/0/data/x"), ("NO_KEY", "/3")])
    [letter] = gather(received(said))
    assert (letter.place, letter.feed, letter.known_at_ms) == (
        "feeds.medical.settlement.v1/2/17",
        "medical.settlement",
        1_000,
    )
    assert (letter.batch, letter.replays, letter.count) == ("b-1", 2, 2)
    original = letter.open(PRIVATE)
    assert (original.key, original.value, original.headers) == (b"k", b"secret", headers)
    assert "secret" not in repr(letter) + repr(original)
    with pytest.raises(SealBroken):
        letter.open(new_key_pair()[0])


def test_large_letters_come_whole_in_any_order_and_once() -> None:
    value = bytes(PART_BYTES * 2)
    parts = received(letters(value))
    assert len(parts) == 3
    assert not list(gather(parts[1:]))
    [letter] = gather([parts[2], parts[0], parts[1], *parts])
    assert letter.open(PRIVATE).value == value


def test_what_is_no_letter_is_left_out() -> None:
    strange = [
        SimpleNamespace(key=None, value=b"x", headers=()),
        SimpleNamespace(key=b"k", value=b"x", headers=[("a", b"b")]),
    ]
    assert not list(gather(strange))


def test_a_batch_id_that_carries_a_number_stays_inside() -> None:
    said = letters(b"x", batch=f"b{number(1)}")
    assert number(1).encode() not in b"|".join(content for _, content in said[0].headers)
    [letter] = gather(received(said))
    assert letter.batch == ""


def test_filters_fit_any_named_problem_and_half_open_times() -> None:
    [letter] = gather(received(letters(b"x", problems=[("BAD_FIELD", "/0"), ("NO_KEY", "/1")])))
    assert Wanted(feed="medical.settlement", code="NO_KEY", since_ms=1_000, until_ms=1_001).fits(letter)
    for other in (Wanted(feed="vital.death"), Wanted(code="NOT_JSON"), Wanted(until_ms=1_000), Wanted(batch="b")):
        assert not other.fits(letter)


def test_work_survives_the_wire() -> None:
    work = Work("replayed", 5, "李", "改了单位", 1)
    assert decode_work(encode_work(work)) == work
