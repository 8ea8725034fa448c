"""HELP-SEEKING and DISASTER-ACCIDENT: people ask, somebody sees need, aid is needed again; something strikes a home."""

from collections.abc import Sequence
from datetime import date, timedelta

from load_tests.city import records, rows
from load_tests.city.calendar import years_after
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.rows import Row
from load_tests.city.scenarios.stage import Stage, scenario_book

SEEKING, DISASTER = "HELP-SEEKING", "DISASTER-ACCIDENT"
ASKED, AIDED = "household/asked", "household/aid"
SCENARIOS, scenario = scenario_book(SEEKING)
TYPHOON = "YJ-TAIFENG"
"""The number of the incident that strikes many households on one day."""
_STRUCK = 5


def pair(stage: Stage) -> tuple[Household, Person]:
    """A couple that holds no scheme."""
    household = stage.family(("HEAD", 61, False), ("SPOUSE", 60, False))
    return household, household.members[0]


def asks(stage: Stage, household: Household, day: date) -> date:
    """Somebody asks for help in person. Returns the day from which that no longer counts."""
    head = household.members[0]
    stage.send(records.report(head.identity, f"QZ{stage.serial()}", day, household.town), day)
    after = day + timedelta(days=int(stage.lines.page["help_seeking"]["window_days"]))
    stage.expect_stretch(household, head, SEEKING, ASKED, day, after)
    return after


def burns(stage: Stage, household: Household, day: date) -> date:
    """A fire makes the home unfit. Returns the day from which nobody is told of it any more."""
    number = f"YJ{stage.serial()}"
    for person in household.members:
        stage.send(records.incident(person.identity, number, day, household.town, home="UNFIT"), day)
    after = stands(stage, day)
    stage.expect_stretch(household, household.members[0], DISASTER, number, day, after)
    return after


def stands(stage: Stage, day: date) -> date:
    """The day from which a disaster of `day` is told no more."""
    return day + timedelta(days=int(stage.lines.page["disaster_accident"]["stands_days"]))


def _calls(stage: Stage, household: Household, days: Sequence[date], *categories: str) -> list[Row]:
    head = household.members[0]
    return [
        stage.send(records.ticket(head.identity, f"RX{stage.serial()}P", day, household.town, category), day)
        for day, category in zip(days, categories, strict=True)
    ]


@scenario("本人到窗口求助")
def report(stage: Stage) -> None:
    household, _ = pair(stage)
    asks(stage, household, stage.month(stage.spread(3, -2), 11))


@scenario("村里发现困难线索")
def lead(stage: Stage) -> None:
    household, head = pair(stage)
    day = stage.month(stage.spread(3, -2), 17)
    stage.send(records.lead(head.identity, f"WG{stage.serial()}", day, household.town, "CARE"), day)
    after = day + timedelta(days=int(stage.lines.page["help_seeking"]["window_days"]))
    stage.expect_stretch(household, head, SEEKING, ASKED, day, after)


def _three_calls(stage: Stage, months_inside: int) -> tuple[Household, list[Row], date, date]:
    household, _ = pair(stage)
    first = stage.month(stage.spread(3, -months_inside), 7)
    days = [first + timedelta(days=n) for n in (0, 10, 20)]
    told = _calls(stage, household, days, "LIVING", "MEDICAL", "HOUSING")
    return household, told, days[-1], first + timedelta(days=int(stage.lines.page["help_seeking"]["window_days"]))


@scenario("三个月内三次来电反映困难")
def three_calls(stage: Stage) -> None:
    household, _, since, after = _three_calls(stage, 3)
    stage.expect_stretch(household, household.members[0], SEEKING, ASKED, since, after)


@scenario("三次来电，有一张工单是重复录入", look_alike=True)
def one_reversed(stage: Stage) -> None:
    household, told, since, _ = _three_calls(stage, 4)
    stage.send(rows.reversed_row(told[-1]), since, arrives=since + timedelta(days=12))
    stage.expect(household, household.members[0], SEEKING, ASKED, since, "withdrawn")


@scenario("同一天为同一件事打了三次电话", look_alike=True)
def one_matter(stage: Stage) -> None:
    household, _ = pair(stage)
    day = stage.month(stage.spread(3, -2), 7)
    _calls(stage, household, [day, day, day], "LIVING", "LIVING", "LIVING")


@scenario("隔很久才再打一次电话", look_alike=True, months=10)
def far_apart(stage: Stage) -> None:
    household, _ = pair(stage)
    first = stage.month(stage.spread(1, -6), 7)
    _calls(stage, household, [first + timedelta(days=n) for n in (0, 60, 120)], "LIVING", "MEDICAL", "LIVING")


@scenario("一年内两次临时救助")
def two_aids(stage: Stage) -> None:
    household, head = pair(stage)
    month = stage.spread(3, -4)
    days = (stage.month(month, 9), stage.month(month + 2, 9))
    for day in days:
        stage.send(records.temp_aid(head.identity, f"LS{stage.serial()}", day, household.town), day)
    stage.expect_stretch(household, head, SEEKING, AIDED, days[1], years_after(days[0], 1))


@scenario("一次临时救助", look_alike=True)
def one_aid(stage: Stage) -> None:
    household, head = pair(stage)
    day = stage.month(stage.spread(3, -3), 9)
    stage.send(records.temp_aid(head.identity, f"LS{stage.serial()}", day, household.town), day)


@scenario("住房失火不能居住", rule=DISASTER)
def fire(stage: Stage) -> None:
    household, _ = pair(stage)
    burns(stage, household, stage.month(stage.spread(3, -2), 13))


@scenario("交通事故重伤", rule=DISASTER)
def traffic(stage: Stage) -> None:
    household, head = pair(stage)
    day, number = stage.month(stage.spread(3, -2), 21), f"SG{stage.serial()}"
    stage.send(records.accident(head.identity, number, day, "SERIOUS"), day)
    stage.expect_stretch(household, head, DISASTER, number, day, stands(stage, day))


@scenario("热线说有突发急难，没有其他登记", rule=DISASTER)
def call_alone(stage: Stage) -> None:
    household, head = pair(stage)
    day = stage.month(stage.spread(3, -2), 15)
    (told,) = _calls(stage, household, [day], "DISASTER")
    stage.expect_stretch(household, head, DISASTER, str(told.values["ticket_no"]), day, stands(stage, day))


@scenario("先来电，应急登记晚十天到", rule=DISASTER)
def call_first(stage: Stage) -> None:
    household, _ = pair(stage)
    day = stage.month(stage.spread(3, -3), 15)
    _calls(stage, household, [day], "DISASTER")
    first = len(stage.script.sendings)
    burns(stage, household, day)
    late = stage.script.sendings[first:]
    del stage.script.sendings[first:]
    for sending in late:
        stage.send(sending.row, day, arrives=day + timedelta(days=10))


@scenario("台风当天，许多家庭同时受灾", rule=DISASTER)
def typhoon(stage: Stage) -> None:
    day = stage.month(min(7, stage.span.months - 2), 18)
    for _ in range(_STRUCK):
        household, head = pair(stage)
        row = records.incident(head.identity, TYPHOON, day, household.town, sort="TYPHOON", home="DESTROYED")
        stage.send(row, day)
        stage.expect_stretch(household, head, DISASTER, TYPHOON, day, stands(stage, day))


@scenario("轻微剐蹭，保险全赔", look_alike=True, rule=DISASTER)
def scratch(stage: Stage) -> None:
    _, head = pair(stage)
    day = stage.month(stage.spread(3, -2), 21)
    stage.send(records.accident(head.identity, f"SG{stage.serial()}", day, "MINOR", "FULLY"), day)


@scenario("台风经过，住房完好", look_alike=True, rule=DISASTER)
def spared(stage: Stage) -> None:
    household, head = pair(stage)
    day = stage.month(stage.spread(3, -2), 18)
    row = records.incident(head.identity, f"YJ{stage.serial()}", day, household.town, sort="TYPHOON", loss_fen=60_000)
    stage.send(row, day)


@scenario("应急登记登错了人，后来撤销", look_alike=True, rule=DISASTER)
def wrong_home(stage: Stage) -> None:
    household, head = pair(stage)
    day, number = stage.month(stage.spread(3, -3), 13), f"YJ{stage.serial()}"
    row = stage.send(records.incident(head.identity, number, day, household.town, home="DESTROYED"), day)
    stage.send(rows.reversed_row(row), day, arrives=day + timedelta(days=9))
    stage.expect(household, head, DISASTER, number, day, "withdrawn")
