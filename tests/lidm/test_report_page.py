"""The report card's page: what each code means, how much is filled, what is late, and nothing unescaped."""

from collections import Counter
from datetime import date

import pytest

from gateway.problems import REFUSALS
from lidm.feed_report import html_of, index_of
from schemas.labels import ProblemCode
from sinks.feed_periods import Closing
from sinks.feedcard import Card, Day

KIND = "housing.security"


def made(on_time: str = "迟报", **more: object) -> Card:
    closing = Closing("2026-05", date(2026, 6, 10), date(2026, 6, 12), 40)
    found = Card(KIND, "公租房<租金>", "市住房和城乡建设局", "2026-05", closing, on_time, total=Day(40, 30, 8, 2))
    for name, value in more.items():
        setattr(found, name, value)
    return found


def test_every_code_is_told_in_words_and_escaped() -> None:
    page = html_of(made(refused=Counter(BAD_FIELD=2), gateway_refused=Counter(BAD_IDENTITY=1)))
    assert "<td>BAD_FIELD</td><td>字段取值不符合约定</td>" in page
    assert "<td>BAD_IDENTITY</td><td>证件号码不能对应到人</td>" in page
    assert "公租房&lt;租金&gt;" in page
    assert "<租金>" not in page + index_of([made()], "2026-05")
    assert set(REFUSALS) >= {each.value for each in ProblemCode}


def test_bars_are_as_long_as_their_figures() -> None:
    page = html_of(made(looked=10, filled=Counter(contract=10, paid=4), trend={"2026-04": 20, "2026-05": 40}))
    assert '<td class="n">40.0%</td><td class="bar"><i style="width:40%">' in page
    assert '<td class="n">20</td><td class="bar"><i style="width:50%">' in page
    assert '<td class="n">40</td><td class="bar"><i style="width:100%">' in page


@pytest.mark.parametrize(("state", "look"), [("迟报", "late"), ("未报", "late"), ("按时", "good"), ("未到期", "")])
def test_what_is_late_is_marked(state: str, look: str) -> None:
    assert f'<div class="{look}"><span>报送及时</span><b>{state}</b><small>应 2026-06-10' in html_of(made(state))


def test_the_table_of_all_leads_to_each_card() -> None:
    page = index_of([made(), made("按时")], "2026-05")
    assert page.count(f'<a href="{KIND}-2026-05.html">') == 2
    assert page.count('<tr class="late">') == 1


def test_a_month_without_anything_has_a_page() -> None:
    page = html_of(Card(KIND, "x", "y", "2026-05", Closing("2026-05", None, None, 0), "不适用"))
    assert "没有" in page
    assert "—" in page
