"""`lidm case baseline`: what was there when a rule went live, how much of it waits, and for how long, by place."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import click

from cases.baseline import Portion, portion_of, quota
from cases.view import Case
from lidm.desk import open_desk
from lidm.settings import load_settings
from lidm.tables import table
from schemas.partition import partition_of


@dataclass(frozen=True)
class Stock:
    """Cases of one golive: waiting, released by the daily portion, and taken along by something new in the household.

    `days`: until the last one leaves, when nothing takes it along.
    """

    detector: str
    area: str
    per_day: int
    held: int
    released: int
    taken_along: int
    days: int


def stocks(cases: Iterable[Case], partitions: int) -> list[Stock]:
    """The stock of every golive, by rule and area."""
    found: defaultdict[Portion, list[Case]] = defaultdict(list)
    for case in cases:
        if case.per_day is not None and case.opening.baseline:
            found[portion_of(case)].append(case)
    return [_stock(portion, found[portion], partitions) for portion in sorted(found)]


def _stock(portion: Portion, cases: list[Case], partitions: int) -> Stock:
    waiting: Counter[int] = Counter()
    share: dict[int, int] = {}
    for case in cases:
        if case.held:
            place = partition_of(case.household, partitions)
            waiting[place] += 1
            share[place] = quota(case.per_day, partitions)
    released = sum(case.released_on is not None for case in cases)
    held = waiting.total()
    return Stock(
        detector=portion.detector,
        area=portion.area,
        per_day=max(case.per_day or 0 for case in cases),
        held=held,
        released=released,
        taken_along=len(cases) - held - released,
        days=max((-(-count // share[place]) for place, count in waiting.items()), default=0),
    )


@click.command("baseline")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def baseline(as_json: bool) -> None:
    """存量：各地各规则启用时已有的，还有多少件没放出，按每天的份额还要几天。"""
    with open_desk(load_settings()) as desk:
        found = stocks(desk.read().cases.values(), desk.partitions)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False))
    elif not found:
        click.echo("没有存量个案")
    else:
        rows = [tuple(str(value) for value in asdict(each).values()) for each in found]
        click.echo(table(("规则", "启用地区", "每天", "待放出", "已放出", "随新情形转出", "还要天数"), rows))
