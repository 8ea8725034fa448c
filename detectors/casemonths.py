"""Months in case files: `2025-01..2025-12` stands for every month between, in `closed` and as `months` of a fact."""

from collections.abc import Iterator

import yaml

from policy.marked import Marked

MONTHS, MONTH = "months", "month"


def months_between(place: Marked) -> list[str]:
    """A month, or every month of a range, both ends included, as `2025-03`."""
    first, dots, last = place.text().partition("..")
    if not dots:
        return [first]
    try:
        start, end = _number(first), _number(last)
    except ValueError:
        place.fail("一段月份写成2025-01..2025-12这样")
    if end < start:
        place.fail("一段月份要从早到晚")
    return [f"{month // 12}-{month % 12 + 1:02d}" for month in range(start, end + 1)]


def each_month(fields: Marked) -> Iterator[Marked]:
    """The fact as written, or once for every month where it says `months` instead of `month`."""
    found = fields.mapping()
    if MONTHS not in found:
        yield fields
        return
    node = fields.node
    kept = [pair for pair in node.value if pair[0].value != MONTHS]
    for month in months_between(found[MONTHS]):
        own = [yaml.ScalarNode(_TEXT, text, node.start_mark, node.end_mark) for text in (MONTH, month)]
        entries = [*kept, (own[0], own[1])]
        yield Marked(yaml.MappingNode(node.tag, entries, node.start_mark, node.end_mark), fields.file)


def _number(text: str) -> int:
    year, month = text.split("-")
    if not 1 <= int(month) <= 12:
        raise ValueError(text)
    return int(year) * 12 + int(month) - 1


_TEXT = "tag:yaml.org,2002:str"
