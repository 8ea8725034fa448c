"""Who the invented city knows by number, name, phone or address, and where any of it can be read."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import load_workbook

from load_tests.city.garbage import garbage

PERSONAL = ("姓名", "证件号码", "联系电话", "住址")
NUMBER = re.compile(r"(?<!\d)999999\d{11}[\dX](?!\d)")


def personal_values(city: Path) -> set[str]:
    """Every number, name, phone and address that a department wrote."""
    found: set[str] = set()
    for path in sorted(path for path in city.rglob("*") if path.is_file()):
        if path.suffix == ".xlsx":
            rows = [["" if cell is None else str(cell) for cell in row] for row in _sheet(path)]
            text = "\n".join(",".join(row) for row in rows)
        else:
            raw = path.read_bytes()
            text = raw.decode("utf-8" if path.suffix == ".jsonl" else "gb18030")
            rows = [line.split(",") for line in text.splitlines()]
        found |= set(NUMBER.findall(text))
        found |= set(_columns(rows))
    return found - {""}


def careless_numbers() -> set[str]:
    """Plain numbers that the foreign client of the city sends past the gateway."""
    sent = garbage(datetime(2025, 6, 1, tzinfo=UTC), 0, 4)
    return {number for letter in sent for number in NUMBER.findall((letter.value or b"").decode(errors="replace"))}


def found_in(values: Iterable[str], texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """Places where one of the values can be read; the value itself is not repeated."""
    wanted = re.compile(b"|".join(sorted({re.escape(form) for value in values for form in _forms(value)})))
    return [f"{place} at {hit.start()}" for place, text in texts if (hit := wanted.search(text))]


def files_under(folder: Path, left_out: Iterable[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """Every file as it lies on disk."""
    skipped = [path.resolve() for path in left_out]
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(path.resolve().is_relative_to(each) for each in skipped):
            yield str(path.relative_to(folder)), path.read_bytes()


def _forms(value: str) -> Iterator[bytes]:
    """As text, as JSON escapes it, as Chinese departments encode it, and in UTF-16."""
    yield value.encode()
    yield value.encode("ascii", "backslashreplace")
    yield value.encode("gb18030")
    yield value.encode("utf-16-le")


def _sheet(path: Path) -> list[tuple[object, ...]]:
    return [row for sheet in load_workbook(path, read_only=True) for row in sheet.iter_rows(values_only=True)]


def _columns(rows: list[list[str]]) -> Iterator[str]:
    if not rows:
        return
    places = [place for place, heading in enumerate(rows[0]) if heading in PERSONAL]
    for row in rows[1:]:
        yield from (row[place] for place in places if place < len(row))
