"""Households gained, lost and the same; what is small by place is withheld; sentences only where they are asked for."""

from datetime import date, timedelta

from lidm.shadow.compare import Comparison, Named, Side, compare, estimate
from lidm.shadow.page import page
from lidm.shadow.runs import ShadowRun
from lidm.shadow.words import text
from schemas.cases import beijing
from sinks.shadows import Stand

RULE, OTHER, BIG, SMALL = "MED-SELFPAY", "RENT-ARREARS", "339901001000", "339901002000"
AT = 1_780_000_000_000
BEGUN = beijing(AT).date()
RUN = ShadowRun("draft-1", "339901000000", (RULE, OTHER), "ab12", beijing(AT), "王", "试算")
NAMES = {BIG: "大镇", SMALL: "小镇"}


def stand(number: int, rule: str = RULE, severity: int = 2, *, area: str = BIG, days: int = 0, line: int = 500_000,
          standing: bool = True) -> Stand:  # fmt: skip
    said = f"户{number}的理由"
    document = "办法甲" if line == 500_000 else "草案乙"
    first = BEGUN + timedelta(days=days)
    return Stand(f"h_{number:032x}", rule, standing, severity, area, first, line, "fen", document, said)


def compared(live: list[Stand], run: list[Stand]) -> tuple[Comparison, list[Named]]:
    shadow = [each._replace(detector=f"{each.detector}~draft-1") for each in run]
    sides = Side(live, lambda code: code), Side(shadow, lambda code: code.partition("~")[0])
    until = BEGUN + timedelta(days=27)
    return compare(RUN, until, *sides, {RULE: "大额自付医疗", OTHER: "欠租"}, lambda code: NAMES[code])


LIVE = [
    *(stand(n) for n in range(20)),
    stand(30, severity=3),
    stand(31, area=SMALL),
    stand(40, standing=False),
    stand(50, OTHER),
    *(stand(n, days=10) for n in range(60, 66)),
]
SHADOW = [
    *(stand(n, line=300_000) for n in range(5, 20)),
    *(stand(n, line=300_000) for n in range(100, 112)),
    stand(30, severity=4, line=300_000),
    stand(32, area=SMALL, line=300_000),
    stand(0, OTHER, severity=1),
    *(stand(n, days=10, line=300_000) for n in range(60, 72)),
]


def test_households_by_rule_are_gained_lost_and_the_same() -> None:
    said, _ = compared(LIVE, SHADOW)
    rules = {each.code: each for each in said.rules}
    med = rules[RULE]
    assert (med.before, med.after, med.gained, med.lost, med.same) == (28, 41, 19, 6, 22)
    assert (med.worse, med.milder) == (1, 0)
    assert (rules[OTHER].gained, rules[OTHER].lost, rules[OTHER].same) == (1, 1, 0)
    assert (said.total.gained, said.total.lost, said.total.same) == (19, 6, 23)
    assert said.total.before == said.total.lost + said.total.same
    assert said.total.milder == 1, "household 0: RENT-ARREARS at 1 instead of MED-SELFPAY at 2"


def test_severity_and_the_line_behind_a_difference() -> None:
    said, _ = compared(LIVE, SHADOW)
    levels = {each.severity: (each.before, each.after, each.gained, each.lost) for each in said.levels}
    assert levels[4] == (0, 1, 0, 0)
    assert levels[3] == (1, 0, 0, 0)
    assert levels[2][2:] == (19, 6)
    reasons = {(each.rule, each.change): (each.line, each.document, each.households) for each in said.reasons}
    assert reasons[RULE, "gained"] == ("3,000元", "草案乙", 19)
    assert reasons[RULE, "lost"] == ("5,000元", "办法甲", 6)


def test_places_with_few_households_are_withheld_and_do_not_follow() -> None:
    said, _ = compared(LIVE, SHADOW)
    areas = {each.code: each for each in said.areas}
    assert areas[SMALL].lost is None
    assert areas[SMALL].gained is None
    assert areas[BIG].gained is None, "else it follows from the total"
    assert areas[BIG].new_after == 12
    for shown in (text(said), page(said), str(said.as_json())):
        assert "小镇" in shown
        assert "h_0" not in shown
        assert "的理由" not in shown


def test_work_is_counted_by_week_after_the_first_day() -> None:
    said, _ = compared(LIVE, SHADOW)
    found = [(each.before, each.after) for each in said.weeks if each.after]
    assert found == [(6, 12)]
    assert estimate(said.weeks) == (6 / len(said.weeks[1:-1]), 12 / len(said.weeks[1:-1]))
    assert estimate(said.weeks[:2]) is None
    assert "19 户要放出" in text(said)


def test_whoever_asks_gets_the_households_with_their_sentences() -> None:
    _, changed = compared(LIVE, SHADOW)
    told = {(each.household, each.rule): (each.change, each.reason) for each in changed}
    assert told[f"h_{100:032x}", RULE] == ("gained", "户100的理由")
    assert told[f"h_{31:032x}", RULE] == ("lost", "户31的理由")
    assert sum(each.change == "same" for each in changed) == 22


def test_nothing_differs_where_both_say_the_same() -> None:
    said, changed = compared(LIVE, LIVE)
    assert (said.total.gained, said.total.lost) == (0, 0)
    assert said.reasons == ()
    assert {each.change for each in changed} == {"same"}
    assert "没有哪条规则有新增或减少的户" in page(said)
    assert said.until - date(1970, 1, 1) > timedelta(0)
