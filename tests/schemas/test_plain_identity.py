"""Identity numbers are found, settlement numbers are left alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from schemas.plain_identity import carries_identity, surely_plain


def identity(region: str, born: str, order: str = "123") -> str:
    """An 18-digit number with the right check digit."""
    body = region + born + order
    return body + ric.calc_check_digit(body + "0")


BORN = st.dates(min_value=__import__("datetime").date(1900, 1, 1)).filter(lambda day: day.year <= 2026)


@given(BORN, st.integers(0, 999), st.sampled_from(["", "号", "ID:", "x"]), st.sampled_from(["", "。", "-1", "a"]))
def test_numbers_of_the_invented_region_are_found_in_any_company(
    born: object, order: int, left: str, right: str
) -> None:
    number = identity("999999", str(born).replace("-", ""), f"{order:03d}")
    for shown in (number, number.lower()):
        text = left + shown + right
        assert carries_identity(text)
        assert not surely_plain(text.encode())


@pytest.mark.parametrize("text", [
    "999999680401123", "9999 9968 0401 123",
    "".join(chr(0xFF10 + int(digit)) for digit in "999999680401123"),
    "01" + identity("999999", "19680401"), "p_" + identity("999999", "19680401").zfill(32), "证件号码999999680401123。",
])  # fmt: skip
def test_other_spellings_are_found(text: str) -> None:
    assert carries_identity(text)


@pytest.mark.parametrize("text", [
    "S202605-000123", "202605140000123456", "20260514000012345678901234", "7d9c1f60-1111-4222-8333-abcdefabcdef",
    "H33990100001", "339901000000", "999999196804011230"[:17], "999999196813011231", "123456789012345",
    "1778781600000", "p_" + "0123456789abcdef" * 2, "", "h_" + "a" * 17 + "110101680401123",
    "p_110101680401123" + "f" * 17,
])  # fmt: skip
def test_numbers_that_are_no_identity_pass(text: str) -> None:
    assert not carries_identity(text)


NUMBER = identity("999999", "19680401")
PIECES = st.sampled_from([
    "p_", "h_", "_", " ", "  ", "X", "x", "-", "a", "1", "19680401", "999999", NUMBER, NUMBER[:17], "999999680401123",
    "0" * 15, "f" * 16, "0123456789012345", NUMBER + "a" * 14, "a" * 14 + NUMBER, "0" * 14 + NUMBER, "9" * 32,
])  # fmt: skip


@given(st.lists(PIECES | st.from_regex(r"[0-9a-f]{1,32}", fullmatch=True), max_size=9), st.integers(0, 9))
def test_what_is_surely_plain_holds_no_identity_number(pieces: list[str], blanks: int) -> None:
    """The quick look may be wrong on one side only."""
    text = "".join(pieces)
    if surely_plain(json.dumps({"id": text, "n": blanks}).encode()):
        assert not carries_identity(text)


def test_a_pseudonym_of_many_digits_is_no_alarm_and_one_that_hides_a_number_is() -> None:
    digits, hidden = "p_" + "4082739461509" * 2 + "40a1bf", "p_" + NUMBER + "a" * 14
    assert len(digits) == len(hidden) == 34
    assert surely_plain(json.dumps({"subject": digits, "id": f"C2026-05-{digits[2:]}-1"}).encode())
    assert not surely_plain(json.dumps({"subject": digits, "id": "0" * 15}).encode())
    assert not surely_plain(json.dumps({"subject": hidden}).encode())
    split = "p_" + "a" * 22 + NUMBER[:10]
    assert not surely_plain(json.dumps({"subject": split + " " + NUMBER[10:], "id": digits}).encode())
    assert carries_identity(split + " " + NUMBER[10:])


def test_a_wrong_check_digit_is_no_identity() -> None:
    number = identity("999999", "19680401")
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert not carries_identity(wrong)
