"""Inputs made of valid ones by edits, and the edits made of bytes that Hypothesis draws.

One draw holds the edits of fifty inputs: drawing every value by itself costs ten times what taking the input does. A
script of zeros changes nothing, so that what Hypothesis shrinks a failure to is close to the valid example.
"""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

from tests.gateway.people import number, with_x

PER_DRAW = 50
SCRIPT = 24
T = TypeVar("T")


class Scripts(list[bytes]):
    """The edits of fifty inputs; a failure shows those that change something."""

    def __repr__(self) -> str:
        return " ".join(f"{n}:{script.hex()}" for n, script in enumerate(self) if any(script)) or "no edits"


@st.composite
def scripts(draw: st.DrawFn) -> Scripts:
    """Fifty of them."""
    drawn = draw(st.binary(min_size=PER_DRAW * SCRIPT, max_size=PER_DRAW * SCRIPT))
    return Scripts(drawn[at : at + SCRIPT] for at in range(0, len(drawn), SCRIPT))


class Choices:
    """Answers drawn from a script, in order; when it is used up, always the first."""

    def __init__(self, script: bytes) -> None:
        self._script, self._at = script, 0

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        size = 1 if count <= 256 else 2 if count <= 65_536 else 4
        found = self._script[self._at : self._at + size]
        self._at += size
        return int.from_bytes(found, "little") % count

    def one(self, options: Sequence[T]) -> T:
        """One of them; the first of a script of zeros."""
        return options[self.below(len(options))]


NUMBERS = (number(1), number(2, "19990101"), number(37, "20101231"), with_x())
"""Identity numbers put where none may stand; no input is about these people."""


def _wide(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) for sign in text)


def _old(text: str) -> str:
    """As cards had it before 1999."""
    return text[:6] + text[8:17]


PLANTED: tuple[str, ...] = tuple(
    form
    for each in NUMBERS
    for form in (
        each, each.lower(), _wide(each), f"{each[:6]} {each[6:14]} {each[14:]}", f"张三{each}住院", f"x{each}y",
        f"{each[:10]}\u3000{each[10:]}", f"{_wide(each[:6])}{each[6:]}", _old(each), f"号：{_old(each)}。",
    )
)  # fmt: skip
"""The numbers as people write them."""

ODD_DIGITS = ("፩፩፩፩፩", "፩፩፩፩፩፩፩፩", "፩፩፩፩-፩፩-፩፩", "²³", "٢٠٢٦-٠٥-١٤", "①②③④⑤", "᠑᠑᠑᠑᠑", "𐩀𐩁𐩂")
"""What Unicode calls digits and `int` may not."""
ODD_TIMES = (
    "2026-05-14T10:00:00Z", "2026-05-14 10:00:00+08:00", "2026-05-14T10:00:00", "2031-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-05-14T24:00:00Z", "2026-05-14T10:00:60Z",
    "2026-05-14T10:00:00.123456789+08:00", "2026-05-14T10:00:00+23:59", "1899-12-31T00:00:00+08:00", "T", "2026-W20-4",
)  # fmt: skip
ODD_TEXTS = (
    "", " ", "x", "a|b", "a\nb", "a\x00b", "a\u200bb", "a\u2028b", "\ud800", "住院", "镇(zhèn)", "x" * 65, "x" * 201,
    "批" * 300, "2026-05-14", "2026-5-14", "20240230", "45292", "9999-12-31", "1899-12-31", "0001-01-01", "2026-05",
    "2026-13", "0001-01", "record", "correct", "reverse", "登记", "冲销", "HEAD", "DIBAO", "dibao", "低保",
    "p_" + "a" * 32, "P_" + "A" * 32, "p_" + "a" * 32 + "\n", "h_" + "0" * 32, "339901000000", "lidm.batch.end",
    "{}", "[]", "null", '"', "'", "=1+1", "1,286.00", "-5", "1*3", "1e5", "1E+17", "NaN", "Infinity", "−5", "0.005",
    "合计", "b1", "\ufeff", *ODD_TIMES, *ODD_DIGITS,
)  # fmt: skip
ODD_VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 1.0, 1.5, -0.0, 1e308, float("nan"), float("inf"), 10**13, 10**13 + 1, 2**31, 2**63,
    10**30, -(10**30), int(NUMBERS[0]), float(NUMBERS[0]), [], {}, [1], ["x"], {"a": 1}, [[[[]]]], {NUMBERS[0]: 1},
    [NUMBERS[1]], {"a": {"b": NUMBERS[1]}}, *ODD_TEXTS, *PLANTED,
)  # fmt: skip
CELLS = (*ODD_TEXTS, *PLANTED)
