"""Finds a plain Chinese identity number where only pseudonyms and codes may stand (guarantee 8)."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

from stdnum.cn import ric

SHORTEST = 15

# Province parts of resident numbers (GB/T 2260), resident permits of Hong Kong, Macao, Taiwan, permanent foreigners
# (9xx) and the invented region 99 of synthetic numbers.
_PROVINCES = frozenset(
    f"{province:02d}"
    for province in (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66))
) | {"71", "81", "82", "83", "91", "99"}
_RUN = re.compile(r"[0-9]{15,}[Xx]?")
_WHOLE = re.compile(r"(?<![0-9A-Za-z])[0-9]{15}(?![0-9A-Za-z])")
_GAPS = re.compile(r"(?<=[0-9])\s+(?=[0-9Xx])")

_PSEUDONYM = re.compile(rb"(?<![0-9A-Za-z\s])(?:[a-z]_)?[0-9a-f]{32}(?!\s*[0-9A-Za-z])")
_LENGTH = 34
_RUN_OF_DIGITS = b"0" * SHORTEST
_ODD = ord("?")
# Digits, odd characters (bar, escapes, DEL, not ASCII) and all others; blanks are dropped, so that digits close up.
_CLASSES = bytes(
    ord("0") if 48 <= byte < 58 else _ODD if byte >= 127 or byte in b"|\\" else ord(" ") for byte in range(256)
)


def surely_plain(raw: bytes) -> bool:
    """Whether every string of the JSON is certainly printable ASCII without bar and without an identity number.

    One look at the bytes, half a microsecond. A false alarm is possible, a miss is not. One pseudonym in
    a hundred and fifty holds so many digits in a row: it is looked at alone, because decoding all costs a hundred times
    more.
    """
    classes = raw.translate(_CLASSES, b" ")
    return _ODD not in classes and (_RUN_OF_DIGITS not in classes or _only_in_pseudonyms(raw))


def _only_in_pseudonyms(raw: bytes) -> bool:
    """Whether long runs of digits stand in pseudonyms only, where nothing beside makes them longer, and name nobody."""
    rest, done = [], 0
    classes = raw.translate(_CLASSES)
    while (at := classes.find(_RUN_OF_DIGITS, done)) >= 0:
        found = _PSEUDONYM.search(raw, max(done, at - _LENGTH))
        while found is not None and found.end() <= at:
            found = _PSEUDONYM.search(raw, found.end())
        if found is None or found.start() > at or carries_identity(found.group().decode()):
            return False
        rest.append(raw[done : found.start()])
        done = found.end()
    return _RUN_OF_DIGITS not in b"_".join([*rest, raw[done:]]).translate(_CLASSES, b" ")


def carries_identity(text: str) -> bool:
    """Whether an 18- or 15-digit identity number stands in `text`, also in full-width digits or with blanks between.

    18 digits count with a province, a possible birth date and the right check digit, wherever they stand; 15 digits
    have no check digit and count only as a whole number, not as part of a word: one hex pseudonym in twenty thousand
    holds such a run. So a settlement number merely made of digits passes.
    """
    if len(text) < SHORTEST:
        return False
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    closed = _GAPS.sub("", plain)
    if any(_is_identity(window) for run in _RUN.finditer(closed) for window in _windows(run.group().upper())):
        return True
    return any(number[:2] in _PROVINCES and _is_date("19" + number[6:12]) for number in _WHOLE.findall(closed))


def _windows(run: str) -> Iterator[str]:
    return (run[start : start + 18] for start in range(len(run) - 17))


def _is_identity(number: str) -> bool:
    return number[:2] in _PROVINCES and _is_date(number[6:14]) and ric.calc_check_digit(number) == number[-1]


def _is_date(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1880 <= born.year <= 2100
