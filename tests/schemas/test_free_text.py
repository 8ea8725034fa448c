"""Reasons and notes name nobody: numbers are seen through their disguises, and a refusal never quotes."""

import pytest

from schemas.errors import CallError
from schemas.free_text import has_private_number, reason_of


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("走访 2026-05-14 至 2026-05-16，发放 5200 元", False),
        ("见个案 2026-339901-0300127", False),
        ("电话１３８００１３８０００", True),
        ("138-0013-8000", True),
        ("99999919880504123X", True),
        ("75359bf3-0574-4dfc-8185-036863b71d2c", False),
    ],
)
def test_private_numbers_are_seen_through_their_disguises(text: str, private: bool) -> None:
    assert has_private_number(text) is private


def test_a_reason_is_trimmed_or_refused_without_quoting_it() -> None:
    assert reason_of(" 旧字段名\n") == "旧字段名"
    with pytest.raises(CallError, match="证件号码") as refused:
        reason_of("本人 999999 19880504 1232 来电")
    assert "19880504" not in str(refused.value)
