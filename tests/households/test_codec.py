"""Bytes of a household: the day to look again first, nothing lost, nothing of another version, nothing too large."""

import pytest

from households.codec import (
    CODEC_VERSION,
    NOT_APPLIED,
    Pages,
    decode_head,
    decode_page,
    encode_entries,
    encode_head,
    recheck_of,
)
from households.ledger import Household
from households.pages import ASKED_OFTEN
from households.state import Episode, Head, Page, Waiting
from schemas.errors import Stop
from schemas.records import FactBody
from tests.households.making import START, bill, death, member

ME = "p_me"


def full() -> Household:
    household = Household("h")
    people = (member("h", ME, relation="HEAD"), member("h2", ME, 90), death(ME, 9))
    for fact in (*people, bill("b", 5), bill("c.old", 250)):
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
    for name, page in household.pages.items():
        assert decode_page(household.pages.raw[name]) == page


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
    page = [(ME, bill(f"{n:0200}", 5)) for n in range(4000)]
    with pytest.raises(Stop):
        encode_entries(page)
    household = Household("h", pages=Pages({"2025H1": encode_entries(page[:3000])}))
    with pytest.raises(Stop):
        for person, fact in page[3000:]:
            household.fold(FactBody(person, fact))
    assert len(household.bills(ME)) < len(page), "what does not fit is not there"


@pytest.mark.parametrize("asked", [0, ASKED_OFTEN - 2, ASKED_OFTEN, 3 * ASKED_OFTEN])
def test_a_household_back_from_its_bytes_knows_its_keys_however_often_it_was_asked(asked: int) -> None:
    told = Household("h")
    for number in range(20):
        told.fold(FactBody(ME, bill(f"old {number}", 20 * number)))
    household = Household("h", pages=Pages(told.pages.raw))
    for number in range(asked):
        assert household.add(ME, bill(f"new {number}", number))
    before = {name: bytes(raw) for name, raw in household.pages.raw.items()}
    for fact in household.bills(ME):
        assert not household.add(ME, fact), "a key that is known is not added again"
        household.fold(FactBody(ME, fact))
    assert len(household.bills(ME)) == 20 + asked
    assert household.pages.raw == before


def test_pages_share_no_bytes_with_those_they_were_made_from() -> None:
    first = full()
    before = {name: bytes(raw) for name, raw in first.pages.raw.items()}
    Household("h", first.head, Pages(first.pages.raw)).fold(FactBody(ME, bill("new", 5)))
    assert first.pages.raw == before


def test_a_page_is_decoded_only_when_it_may_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []

    def spied(raw: bytes) -> Page:
        decoded.append(bytes(raw))
        return decode_page(raw)

    monkeypatch.setattr("households.pages.decode_page", spied)
    household = Household("h", full().head, Pages(full().pages.raw))
    household.fold(FactBody(ME, bill("new d", 6)))
    household.fold(FactBody(ME, bill("new e", 4)))
    assert household.benefits(ME) == []
    assert not decoded
    corrected = bytes(household.pages.raw["2025H2"])
    household.fold(FactBody(ME, bill("c.old", 7, 2)))
    assert decoded[0] == corrected, "the page that held the older version is the first that is looked into"
    assert [each.key for each in household.bills(ME)] == ["new e", "b", "new d", "c.old"]


def test_the_bytes_of_a_page_follow_from_what_was_told_not_from_who_read() -> None:
    you = "p_you"
    told = [(ME, bill("a", 5)), (you, bill("b", 4)), (ME, bill("c", 3)), (ME, bill("a", 6, 2)), (you, bill("d", 9))]
    quiet, asked = Household("h"), Household("h")
    for person, fact in told:
        quiet.fold(FactBody(person, fact))
        asked.fold(FactBody(person, fact))
        assert asked.bills() == Household("h", pages=Pages(quiet.pages.raw)).bills()
        asked = Household("h", asked.head, Pages(asked.pages.raw))
    assert quiet.pages.raw == asked.pages.raw
