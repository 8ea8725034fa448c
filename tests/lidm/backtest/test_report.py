"""What is shown of a count: every figure about rules and schemes, and of places none that is small."""

import json
from collections import Counter
from datetime import date

from detectors.registry import running
from lidm.backtest.page import page
from lidm.backtest.report import Report, report
from lidm.backtest.tally import ANY, Both, Cell, Count, Tally
from lidm.backtest.words import text
from lidm.backtest.work import Answer, Question
from policy.bundle import Bundle
from schemas.plain_identity import carries_identity
from streams.backtest import Activated, Span
from tests.households.making import CITY
from tests.lidm.backtest.planned import FIRST, LAST, LOWER, RULE, bundle, lined, lined_from

TOWNS = ("339901001000", "339901002000", "339901003000")
MONDAY = date(2026, 6, 1)


def tally() -> Tally:
    """12 households gained in the first town, 3 in the second, none in the third."""
    made = Tally(households=Counter({TOWNS[0]: 300, TOWNS[1]: 40, TOWNS[2]: 60}))
    for detector in (ANY, "MED-SELFPAY"):
        made.cells[Cell(detector, "DIBAO", TOWNS[0])] = Count(before=30, after=42, gained=12)
        made.cells[Cell(detector, "OTHER", TOWNS[1])] = Count(before=7, after=10, gained=3)
        made.cells[Cell(detector, "OTHER", TOWNS[2])] = Count(before=9, after=9)
    for town, before, after in ((TOWNS[0], 20, 32), (TOWNS[1], 7, 10), (TOWNS[2], 9, 9)):
        made.work[town, MONDAY.toordinal()] = Both(before, after)
    made.standing[TOWNS[0]] = Both(10, 10)
    return made


def shown(draft: Bundle | None = None, counts: Tally | None = None, differs: date | None = FIRST) -> Report:
    asked = Question(draft or lined(LOWER), "in-force", FIRST, LAST)
    span = Span(FIRST.toordinal(), LAST.toordinal(), FIRST.toordinal())
    policies = (Activated(date(2026, 5, 4).toordinal(), bundle()),)
    return report(Answer(asked, span, span.last, differs, policies, counts or tally()), running())


def test_rules_and_schemes_are_told_in_full() -> None:
    said = shown()
    assert (said.total.before, said.total.after, said.total.gained) == (46, 61, 15)
    assert [(each.code, each.gained) for each in said.detectors] == [("MED-SELFPAY", 15)]
    assert {each.name: each.gained for each in said.schemes} == {"低保": 12, "其他困难人员": 3}
    assert said.households == 400


def test_places_with_few_households_are_withheld_and_do_not_follow() -> None:
    gained = {each.code: each.gained for each in shown().areas}
    assert gained == {TOWNS[0]: None, TOWNS[1]: None, TOWNS[2]: 0}
    weeks = {town.code: town.weeks[0] for town in shown().towns}
    assert [(weeks[town].before, weeks[town].after) for town in TOWNS] == [(20, 32), (7, 10), (9, 9)]


def test_a_small_week_is_nowhere_in_page_words_or_json() -> None:
    counts = tally()
    week = date(2026, 6, 15).toordinal()
    for town, after in zip(TOWNS, (1777, 3, 1888), strict=True):
        counts.work[town, week] = Both(0, after)
    said = shown(counts=counts)
    told = {town.code: {each.begins: each.after for each in town.weeks}[date.fromordinal(week)] for town in said.towns}
    assert told == {TOWNS[0]: None, TOWNS[1]: None, TOWNS[2]: 1888}
    for out in (page(said), text(said), json.dumps(said.as_json())):
        assert "1,777" not in out
        assert "1777" not in out
    assert "1,888" in page(said)


def test_json_is_plain_and_weeks_are_complete() -> None:
    said = json.loads(json.dumps(shown().as_json()))
    assert [each["begins"] for each in said["weeks"]] == [f"2026-06-{day:02d}" for day in (1, 8, 15, 22, 29)]
    assert said["policies"] == [{"since": "2026-05-04", "policy": bundle().short}]
    assert said["areas"][1]["gained"] is None


def test_the_page_has_no_identity_and_escapes_names() -> None:
    counts = tally()
    counts.households["<b>"] = 20
    out = page(shown(counts=counts))
    assert "<b>" not in out
    assert not carries_identity(out)


def test_a_rule_that_loses_its_ground_is_named() -> None:
    plain = bundle().plain()
    rules = plain["rules"]
    assert isinstance(rules, dict)
    for area in rules.values():
        assert isinstance(area, dict)
        area.pop(RULE, None)
    notes = "".join(shown(Bundle(plain)).notes)
    assert "按草案 MED-SELFPAY 在北辰镇、南斗镇、天枢街道缺少参数，不能运行" in notes
    assert shown().notes == ()


def test_an_example_is_named() -> None:
    plain = bundle().plain()
    rules = plain["rules"]
    assert isinstance(rules, dict)
    city = rules[CITY]
    assert isinstance(city, dict)
    city.pop(RULE)
    assert "MED-SELFPAY 在北辰镇、南斗镇、天枢街道只有示例值" in "".join(shown(Bundle(plain)).notes)


def test_notes_say_why_nothing_differs() -> None:
    assert shown(bundle(), differs=None).notes == ("草案与最近启用的参数没有不同",)
    later = date(2027, 1, 1)
    (note,) = shown(lined_from(LOWER, later), differs=later).notes
    assert "草案自 2027-01-01 起才与现行参数不同" in note
