"""A draft in the place of past policies: from its own days, or throughout; everything else stays as it was."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

import policy
from policy.bundle import Bundle
from policy.drafts import Draft
from policy.parameters import PolicyMissing

CITY, TOWN, OTHER_TOWN = "339901000000", "339901001000", "339901008000"
LINE, STANDARD = "medical_selfpay", "dibao_month"
DAY = date(2026, 6, 15)
EVE = date(2026, 6, 14)
FROM = date(2026, 6, 1)


@pytest.fixture(scope="module")
def newest() -> Bundle:
    return Bundle.load(Path(policy.__file__).parent)


def line(bundle: Bundle, day: date, area: str = TOWN) -> int:
    return bundle.on(day).rule(LINE, area).line("OTHER").value


def lined(bundle: Bundle, yuan: int, since: date | None = None) -> Bundle:
    """The same with another line in the city, on all dates or from a day on."""
    plain: Any = bundle.plain()
    rule = plain["rules"][CITY][LINE]
    last = rule["values"][-1]
    values = {**last["values"], "line": {**last["values"]["line"], "OTHER": yuan * 100}}
    if since is None:
        last["values"] = values
    else:
        rule["values"].append({**last, "since": since.isoformat(), "values": values})
        last["until"] = since.isoformat()
    return Bundle(plain)


def test_a_draft_that_says_nothing_else_changes_nothing(newest: Bundle) -> None:
    same = Draft(newest, newest, "in-force", FROM)
    assert same.differs is None
    earlier = lined(newest, 14_000)
    assert same.instead_of(earlier).hash == earlier.hash


def test_a_new_value_counts_from_its_day_over_whatever_was_in_force(newest: Bundle) -> None:
    draft = Draft(lined(newest, 12_000, DAY), newest, "in-force", FROM)
    assert draft.differs == DAY
    earlier = lined(newest, 14_000)
    laid = draft.instead_of(earlier)
    assert (line(laid, EVE), line(laid, DAY)) == (14_000_00, 12_000_00)
    assert laid.on(EVE).next_change(LINE, TOWN) == DAY
    assert draft.instead_of(earlier) is laid


def test_a_value_corrected_on_its_own_date_counts_on_all_of_them(newest: Bundle) -> None:
    draft = Draft(lined(newest, 12_000), newest, "in-force", FROM)
    assert draft.differs == date(2023, 1, 1)
    assert line(draft.instead_of(lined(newest, 14_000)), date(2024, 1, 1)) == 12_000_00


def test_what_the_draft_does_not_touch_stays_as_it_was_then(newest: Bundle) -> None:
    plain: Any = newest.plain()
    for value in plain["rules"][CITY][STANDARD]["values"]:
        value["values"]["amount"] = 77_700
    earlier = Bundle(plain)
    laid = Draft(lined(newest, 12_000), newest, "in-force", FROM).instead_of(earlier)
    assert laid.on(DAY).standard(STANDARD, CITY).value == 77_700
    throughout = Draft(lined(newest, 12_000), newest, "counterfactual", FROM).instead_of(earlier)
    assert throughout.on(DAY).standard(STANDARD, CITY).value == newest.on(DAY).standard(STANDARD, CITY).value


def test_throughout_the_newest_value_counts_since_there_is_one(newest: Bundle) -> None:
    draft = Draft(lined(newest, 12_000, date(2031, 1, 1)), newest, "counterfactual", FROM)
    assert draft.differs == date.min
    laid = draft.instead_of(lined(newest, 14_000))
    assert {line(laid, date(year, 1, 1)) for year in (2023, 2026, 2040)} == {12_000_00}
    assert laid.on(DAY).next_change(LINE, TOWN) is None


def test_a_place_that_gets_a_value_of_its_own(newest: Bundle) -> None:
    plain: Any = newest.plain()
    (value,) = plain["rules"][CITY][LINE]["values"]
    own = {**value, "since": DAY.isoformat(), "values": {**value["values"], "line": {"OTHER": 9_000_00}}}
    place = plain["rules"].setdefault(TOWN, {})
    place[LINE] = {"values": [own], "still_valid_on": DAY.isoformat(), "targets": {}}
    draft = Draft(Bundle(plain), newest, "in-force", FROM)
    laid = draft.instead_of(newest)
    assert draft.differs == DAY
    assert (line(laid, EVE), line(laid, DAY), line(laid, DAY, OTHER_TOWN)) == (15_000_00, 9_000_00, 15_000_00)


def test_a_value_taken_away_ends_on_the_day_it_began(newest: Bundle) -> None:
    longer = lined(newest, 12_000, DAY)
    plain: Any = longer.plain()
    plain["rules"][CITY][LINE]["values"].pop()
    laid = Draft(Bundle(plain), longer, "in-force", FROM).instead_of(longer)
    assert line(laid, EVE) == 15_000_00
    plain["rules"][CITY].pop(LINE)
    plain["rules"]["000000000000"].pop(LINE)
    gone = Draft(Bundle(plain), longer, "in-force", FROM).instead_of(longer)
    with pytest.raises(PolicyMissing):
        line(gone, EVE)


def test_another_area_tree_or_scheme_may_differ_on_any_day(newest: Bundle) -> None:
    plain: Any = newest.plain()
    plain["areas"][TOWN]["name"] = "新北辰镇"
    draft = Draft(Bundle(plain), newest, "in-force", FROM)
    assert draft.differs == date.min
    assert draft.instead_of(lined(newest, 14_000)).areas.name(TOWN) == "新北辰镇"


def test_what_is_new_in_the_draft_holds_throughout_for_rules_that_look_back(newest: Bundle) -> None:
    plain: Any = newest.plain()
    plain["rules"][CITY].pop(LINE)
    plain["rules"]["000000000000"].pop(LINE)
    draft = Draft(lined(newest, 12_000), Bundle(plain), "counterfactual", FROM)
    later: Any = lined(newest, 12_000).plain()
    later["rules"][CITY][LINE]["values"][0]["since"] = "2026-06-20"
    for each in (draft, Draft(Bundle(later), Bundle(plain), "counterfactual", FROM)):
        assert line(each.instead_of(Bundle(plain)), date(2025, 7, 1)) == 12_000_00


def test_only_what_has_another_value_in_time_is_touched(newest: Bundle) -> None:
    until = date(2026, 6, 30)
    assert Draft(newest, newest, "in-force", FROM).touched(newest, until) == frozenset()
    assert Draft(lined(newest, 12_000, DAY), newest, "in-force", FROM).touched(newest, until) == frozenset({LINE})
    assert Draft(lined(newest, 12_000, DAY), newest, "in-force", FROM).touched(newest, EVE) == frozenset()
    assert LINE not in (Draft(newest, newest, "counterfactual", FROM).touched(newest, until) or ())
    assert LINE in (Draft(lined(newest, 12_000), newest, "counterfactual", FROM).touched(newest, until) or ())
    plain: Any = newest.plain()
    plain["schemes"]["DIBAO"]["label"] = "最低生活保障"
    assert Draft(Bundle(plain), newest, "in-force", FROM).touched(newest, until) is None
