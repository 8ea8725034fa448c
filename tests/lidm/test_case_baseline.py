"""The stock of each golive by place: waiting, released, taken along, and the days it still takes."""

from cases.deadlines import default_deadlines
from lidm.commands.case_baseline import stocks
from schemas.partition import partition_of
from streams.casework import Casework
from tests.cases.builders import alert, ms

NOON, DAY = ms("2026-05-14 12:00"), 86_400_000
TOWN, OTHER = "339901001000", "339901002000"


def test_each_golive_has_its_own_queue() -> None:
    desk = Casework(0, 1, default_deadlines())
    for area, per_day, count in ((TOWN, 2, 9), (OTHER, 1, 2)):
        for n in range(count):
            told = alert(f"{area}{n}", household=f"h_{area}_{n}", baseline=True, per_day=per_day)
            desk.on_alert(told.model_copy(update={"quota_area": area}), NOON)
    desk.on_alert(alert("plain", household="h_plain"), NOON)
    desk.on_tick(NOON + 1)
    waiting = next(c for c in desk.view.cases.values() if c.held and c.quota_area == TOWN)
    desk.on_alert(alert("new", household=waiting.household, cause="other"), NOON + 2)
    first, second = stocks(desk.view.cases.values(), 1)
    assert (first.area, first.per_day, first.held, first.released, first.taken_along) == (TOWN, 2, 6, 2, 1)
    assert (second.area, second.held, second.released, second.days) == (OTHER, 1, 1, 1)
    days = 0
    while any(case.held for case in desk.view.cases.values()):
        days += 1
        desk.on_tick(NOON + days * DAY)
    assert first.days == days == 3


def test_with_partitions_the_fullest_one_decides() -> None:
    parts = [Casework(p, 4, default_deadlines()) for p in range(4)]
    for n in range(40):
        told = alert(f"b{n}", household=f"h_{n}", baseline=True, per_day=8).model_copy(update={"quota_area": TOWN})
        parts[partition_of(told.household, 4)].on_alert(told, NOON)
    (stock,) = stocks((case for part in parts for case in part.view.cases.values()), 4)
    assert stock.held == 40
    most = max(len(part.view.cases) for part in parts)
    assert stock.days == -(-most // 2)
