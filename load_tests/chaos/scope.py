"""What must leave no trace or no word: rows of unwatched people, and years of history before a detector goes live."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from load_tests.chaos.events import Message, Pen, bill, membership
from load_tests.chaos.workload import BORN
from schemas.calendar import SHANGHAI
from schemas.partition import partition_of

NOW = datetime(2026, 6, 1, 12, tzinfo=SHANGHAI)
LARGE_FEN = 2_000_000
SMALL_FEN = 3_000
MONTHS = 24


def strangers(rows: int, partitions: int) -> Iterator[Message]:
    """Bills of people nobody watches, each of somebody else."""
    pen = Pen(NOW, partitions)
    model = pen.event("medical.settlement", "S-0", "p_" + "0" * 32, bill("S-0", NOW.date(), LARGE_FEN), NOW.date())
    head, tail = model.value.split(b"p_" + b"0" * 32)
    for number in range(rows):
        person = b"p_%032x" % (number + 2**64)
        yield replace(model, partition=partition_of(person, partitions), key=person, value=head + person + tail)


def families(households: int, partitions: int, since: date = date(2023, 1, 1)) -> list[Message]:
    """One person each, of the invented city."""
    pen = Pen(NOW, partitions)
    return [
        pen.event("civil.household", f"m{n}", _person(n), membership(_home(n), since, "HEAD", BORN["HEAD"]), since)
        for n in range(households)
    ]


def history(households: int, partitions: int) -> list[Message]:
    """24 months of bills: every third family passed its line long ago, every fourth of the others not long ago."""
    pen, messages = Pen(NOW, partitions), []
    for n in range(households):
        for month in range(1, MONTHS + 1):
            day = NOW.date() - timedelta(30 * month)
            large = month == 20 if n % 3 == 0 else n % 4 == 0 and month == 3
            name = f"S{n}-{month}"
            data = bill(name, day, LARGE_FEN if large else SMALL_FEN)
            messages.append(pen.event("medical.settlement", name, _person(n), data, day))
    return messages


def in_force(households: int) -> set[str]:
    """Families over their line when the history has been told."""
    return {_home(n) for n in range(households) if n % 3 and n % 4 == 0}


def _person(n: int) -> str:
    return f"p_{n:032x}"


def _home(n: int) -> str:
    return f"h_{n:032x}"
