"""Bytes of a household: the day to look again first, nothing lost, nothing of another version, nothing too large."""

import pytest

from households.codec import (
    CODEC_VERSION,
    NOT_APPLIED,
    Pages,
    decode_head,
    decode_page,
    encode_head,
    encode_page,
    recheck_of,
)
from households.ledger import Household
from households.state import Episode, Head, Page, Waiting
from schemas.errors import Stop
from schemas.records import FactBody
from tests.households.making import START, bill, death, member

ME = "p_me"


def full() -> Household:
    household = Household("h")
    for fact in (member("h", ME, relation="HEAD"), member("h2", ME, 90), bill("b", 5), bill("c", 250), death(ME, 9)):
        household.fold(FactBody(ME, fact))
    episode = Episode("X", ME, "id", 1, 1, 1, 1, 2, 3, 4, "d", emitted=True, baseline=False, person=ME, detail=b"x")
    household.head.episodes.append(episode)
    household.head.waiting[ME] = Waiting("k", "h0")
    household.head.rechecks.update(A=START + 9, B=START + 3)
    household.head.applied = 77
    return household


def test_a_household_comes_back_as_it_was() -> None:
    household = full()
    household.head.applied = NOT_APPLIED
    assert decode_head(encode_head(household.head)) == household.head
    for page in household.pages.values():
        assert decode_page(encode_page(page)) == page


def test_where_it_was_written_is_not_in_the_bytes() -> None:
    household = full()
    before = encode_head(household.head)
    household.head.applied += 1
    assert encode_head(household.head) == before


def test_the_day_to_look_again_is_readable_without_decoding() -> None:
    assert recheck_of(encode_head(full().head)) == START + 3
    assert recheck_of(encode_head(Head())) is None


def test_another_codec_stops() -> None:
    raw = bytearray(encode_head(Head()))
    raw[4] = CODEC_VERSION + 1
    with pytest.raises(Stop):
        decode_head(bytes(raw))
    with pytest.raises(Stop):
        decode_page(bytes((CODEC_VERSION + 1, 0x80)))


def test_a_household_too_large_for_one_record_stops() -> None:
    page: Page = {ME: [bill(f"{n:0200}", 5) for n in range(4000)]}
    with pytest.raises(Stop):
        encode_page(page)


def test_a_page_is_decoded_only_when_it_may_matter() -> None:
    raw = {name: encode_page(page) for name, page in full().pages.items()}
    household = Household("h", full().head, Pages.of(raw))
    household.fold(FactBody(ME, bill("d", 6)))
    assert list(household.pages.unread()) == ["2025H2"]
    assert household.benefits(ME) == []
    assert list(household.pages.unread()) == ["2025H2"]
    household.fold(FactBody(ME, bill("c", 7, 2)))
    assert list(household.pages.unread()) == []
    assert [each.key for each in household.bills(ME)] == ["b", "d", "c"]
