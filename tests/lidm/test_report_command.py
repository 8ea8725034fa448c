"""`lidm report fairness` over an archived log: counts that are those of the log, a page without anybody, a list."""

import json
import re
from pathlib import Path

from tests.lidm import test_explain_command as explained
from tests.lidm.test_explain_command import ALERTS, Call, Page
from tests.lidm.test_household_command import WATCH

lidm, whole = explained.lidm, explained.whole
PERIOD = ("--from", "2025-01-01", "--to", "2025-12-31")
NEWEST = {each.alert_id: each for each in ALERTS}
FOUND = {each.household for each in NEWEST.values() if each.state != "withdrawn" and each.family != "review"}


def test_the_counts_are_those_of_the_log(lidm: Call) -> None:
    code, out = lidm("report", "fairness", *PERIOD, "--json")
    body = json.loads(out)
    assert code == 0
    living = {name for name in WATCH.names() if WATCH.household(name).members_on(WATCH.known.on or 0)}
    assert body["all"]["alerted"]["of"] == len(living)
    counted, of = len(FOUND & living), len(living)
    hidden = 0 < counted < 5 or 0 < of - counted < 5
    assert body["all"]["alerted"]["count"] == (None if hidden else counted)
    assert {each["title"] for each in body["breakdowns"]} == {
        "镇街", "城乡", "户籍与居住", "成员残疾", "家庭构成", "年龄段", "性别", "残疾",
    }  # fmt: skip
    assert not {each["household"] for each in body["visits"]} & FOUND


def test_a_period_before_anything_has_nobody(lidm: Call) -> None:
    code, out = lidm("report", "fairness", "--from", "2001-01-01", "--to", "2001-12-31", "--json")
    body = json.loads(out)
    assert (code, body["all"]["alerted"], body["never_alerted"]) == (
        0, {"count": 0, "of": 0, "rate": None, "interval": None}, 0,
    )  # fmt: skip


def test_the_page_has_nobody_and_the_list_comes_with_the_command(lidm: Call, tmp_path: Path) -> None:
    file = tmp_path / "公平.html"
    code, out = lidm("report", "fairness", *PERIOD, "--visits", "2", "--html", str(file))
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    assert (code, page.open, page.loads, "script" in page.tags) == (0, [], [], False)
    assert not re.search(r"\b[phv]_[0-9a-f]", text)
    assert "没有的数据" in text
    assert "性别" in text
    code, plain = lidm("report", "fairness", *PERIOD, "--visits", "2")
    drawn = [line for line in out.splitlines() if re.match(r"[hv]_", line)]
    assert all(line in plain for line in drawn)


def test_a_period_that_ends_before_it_begins_is_a_wrong_call(lidm: Call) -> None:
    code, out = lidm("report", "fairness", "--from", "2025-02-01", "--to", "2025-01-01")
    assert (code, "期末不能早于期初" in out) == (2, True)
