"""A planned June: who bears how much is decided here, in yuan, and by no rule; its log as the archive would hold it.

Everybody lives alone in the invented town and holds no scheme, so the line in force is 15,000 yuan in twelve months.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import policy
from load_tests.chaos.events import CITY, bill, refund
from policy.bundle import Bundle
from schemas.calendar import SHANGHAI
from schemas.records import TickBody, TickRecord
from sinks.log_file import LogFile, save
from sinks.store import LogBlock
from tests.streams.town import PARTITIONS, Town, home, person

RULE = "medical_selfpay"
SPENT_ON = date(2026, 5, 20)
BEGUN = datetime(2026, 6, 1, 9, tzinfo=SHANGHAI)
KNOWN = datetime(2026, 6, 2, 9, tzinfo=SHANGHAI)
REFUNDED_ON = date(2026, 6, 8)
TICKS = [datetime(2026, 6, 3, 12, tzinfo=SHANGHAI), *(datetime(2026, 6, d, 12, tzinfo=SHANGHAI) for d in (10, 17, 24))]
OVER = datetime(2026, 7, 1, 12, tzinfo=SHANGHAI)
FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)
LINE, LOWER, HIGHER = 15_000, 12_000, 18_000

BELOW = dict.fromkeys(range(6), 9_000)
BETWEEN = dict.fromkeys(range(6, 14), 13_000)
ABOVE = dict.fromkeys(range(14, 21), 16_500)
FAR_ABOVE = dict.fromkeys(range(21, 26), 25_000)
REFUNDED = dict.fromkeys(range(26, 28), 13_500)
"""Between the lines for a week; then somebody else pays most of it."""
SPENT: Mapping[int, int] = {**BELOW, **BETWEEN, **ABOVE, **FAR_ABOVE, **REFUNDED}


@cache
def bundle() -> Bundle:
    """The policy in force all along."""
    return Bundle.load(Path(policy.__file__).parent)


def lined(yuan: int) -> Bundle:
    """A draft with another line, on all dates."""
    return bundle().narrowed(CITY, RULE, {"line": {**_line(), "OTHER": yuan * 100}})


def lined_from(yuan: int, day: date) -> Bundle:
    """A draft with another line from a day on."""
    plain: Any = bundle().plain()
    rule = plain["rules"][CITY][RULE]
    (old,) = rule["values"]
    new = {**old, "since": day.isoformat(), "values": {**old["values"], "line": {**_line(), "OTHER": yuan * 100}}}
    rule["values"] = [{**old, "until": day.isoformat()}, new]
    return Bundle(plain)


def homes(people: Mapping[int, int]) -> set[str]:
    """The households of these."""
    return {home(number) for number in people}


@cache
def blocks() -> tuple[LogBlock, ...]:
    """Every partition's log, in the order an archive gives it."""
    town = Town(max(SPENT) + 1)
    _tick(town, BEGUN)
    town.at = KNOWN
    bills = {n: (bill(f"S{n}", SPENT_ON, yuan * 100), SPENT_ON) for n, yuan in SPENT.items()}
    town.read(town.batch("medical.settlement", bills, "m-05", "delta"))
    for number, moment in enumerate(TICKS):
        _tick(town, moment)
        if number == 0:
            for n in REFUNDED:
                data = refund(f"S{n}", f"R{n}", REFUNDED_ON, 10_000_00)
                town.at = datetime(2026, 6, 9, 9, tzinfo=SHANGHAI)
                town.read([town.pen.event("medical.reimbursement", f"r{n}", person(n), data, REFUNDED_ON)])
    _tick(town, OVER)
    return tuple(_logged(town))


def saved(folder: Path) -> LogFile:
    """The same as a saved file."""
    return save(folder / "june.log", blocks())


def _line() -> dict[str, int]:
    return dict(bundle().on(FIRST).rule(RULE, CITY).amounts("line"))


def _tick(town: Town, moment: datetime) -> None:
    town.at = moment
    town.everywhere(TickRecord("", town.ms, "", 0, 0, TickBody(town.ms)))
    town.settle()


def _logged(town: Town) -> Iterator[LogBlock]:
    for partition in range(PARTITIONS):
        for block in town.logs[partition]:
            yield LogBlock("g1", partition, *block)
