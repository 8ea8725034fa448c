"""`lidm household` over an archived log: the profile of one household, the order of several, nobody left out."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import policy
from detectors.registry import load_detectors
from policy.bundle import Bundle
from schemas.plain_identity import carries_identity
from schemas.topics import HOUSEHOLD_EVENTS
from streams.watch import Watch
from tests.lidm import test_explain_command as explained
from tests.lidm.test_explain_command import ALERTS, BLOCKS, Call, Page
from tests.streams.making import config

lidm, whole = explained.lidm, explained.whole
WATCH = Watch(0, config())
for _offset, _at_ms, _value in BLOCKS:
    WATCH.fold(HOUSEHOLD_EVENTS, _offset, _at_ms, _value)
ON = date.fromordinal(WATCH.known.on or 0)
POLICY = Bundle.load(Path(policy.__file__).parent).on(ON)
SPENT = {
    name: found.breaches
    for name in WATCH.names()
    if (found := load_detectors()["MED-SELFPAY"].evaluate(WATCH.household(name), ON, POLICY)).breaches
}
HOME = min(SPENT)
HOMES = sorted({each.household for each in ALERTS})
NOBODY = "h_" + "f" * 32


def test_a_profile_says_what_shows_and_what_cannot_be_told(lidm: Call) -> None:
    code, out = lidm("household", "profile", HOME)
    assert code == 0, out
    said = (SPENT[HOME][0].reason, "《星河市多维困难画像口径试行通知（虚构）》", "大额自付医疗：", "不能判断", "排序分")
    for piece in (f"家庭 {HOME}", *said):
        assert piece in out
    assert not re.search(r"\bp_[0-9a-f]{32}", out)


def test_json_has_levels_reasons_and_the_keys_of_the_facts(lidm: Call) -> None:
    code, out = lidm("household", "profile", HOME, "--json")
    body = json.loads(out)
    assert code == 0
    assert body["activated"] is True
    spending = next(each for each in body["dimensions"] if each["code"] == "SPENDING")
    told = {each["says"]: each for each in spending["parts"] if each["name"] == "MED-SELFPAY"}
    assert sorted(told) == sorted(each.reason for each in SPENT[HOME])
    for each in SPENT[HOME]:
        assert told[each.reason]["level"] == each.severity
        assert [item["key"] for item in told[each.reason]["evidence"]] == [item.key for item in each.evidence]
    assert body["points"] == sum(each["weight"] * (each["level"] or 0) for each in body["dimensions"])


def test_a_past_day_knows_what_is_known_now_of_that_day(lidm: Call) -> None:
    code, out = lidm("household", "profile", HOME, "--on", "2023-03-01", "--json")
    spending = next(each for each in json.loads(out)["dimensions"] if each["code"] == "SPENDING")
    assert code == 0
    assert not any(each["name"] == "MED-SELFPAY" and each["level"] for each in spending["parts"])


def test_the_page_stands_alone_and_names_nobody(lidm: Call, tmp_path: Path) -> None:
    file = tmp_path / "画像.html"
    code, out = lidm("household", "profile", HOME, "--html", str(file))
    assert (code, f"已写入 {file}" in out) == (0, True)
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    assert (page.open, page.loads, "script" in page.tags) == ([], [], False)
    assert "多维困难画像" in text
    assert not re.search(r"\b[phv]_[0-9a-f]{20}", text)
    assert not carries_identity(text)


def test_everybody_asked_about_is_in_the_order(lidm: Call) -> None:
    code, out = lidm("household", "order", NOBODY, *HOMES, HOMES[0], "--json")
    body = json.loads(out)
    assert code == 0
    assert sorted(each["household"] for each in body["order"]) == HOMES
    points = [each["points"] for each in body["order"]]
    assert points == sorted(points, reverse=True)
    assert [each["household"] for each in body["without_profile"]] == [NOBODY]
    code, out = lidm("household", "order", NOBODY, *HOMES)
    assert all(home in out for home in (NOBODY, *HOMES))
    assert "也不排除任何人" in out


def test_a_household_nobody_knows_is_an_answer(lidm: Call) -> None:
    code, out = lidm("household", "profile", NOBODY)
    assert (code, "归档里没有" in out) == (1, True)


def test_as_of_a_day_only_what_was_known_at_its_end_counts(lidm: Call) -> None:
    """The same question with the log cut there: no later fact, correction or value, and no later day than that."""
    first = min(each.known_at.date() for each in ALERTS if each.household == HOME and each.detector == "MED-SELFPAY")
    eve = date.fromordinal(first.toordinal() - 1)

    def spent(*more: str) -> list[dict[str, Any]]:
        code, out = lidm("household", "profile", HOME, "--json", *more)
        assert code == 0, out
        body = json.loads(out)
        assert body["known_until"] <= body["on"] or not more
        spending = next(each for each in body["dimensions"] if each["code"] == "SPENDING")
        return [each for each in spending["parts"] if each["name"] == "MED-SELFPAY" and each["level"]]

    assert spent()
    assert spent("--as-of", eve.isoformat()) == []
    assert spent("--as-of", eve.isoformat(), "--on", ON.isoformat()) == []
    code, out = lidm("household", "profile", HOME, "--as-of", "2000-01-01")
    assert (code, "到2000-01-01为止，归档里没有" in out) == (1, True)
