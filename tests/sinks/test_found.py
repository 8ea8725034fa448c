"""Whom alerts of a period found: the first day decides, wrong ones find nobody, the last visit has the word."""

from datetime import date

import pytest

from schemas.case_words import VerifyResult
from schemas.cases import CaseEvent, VerifiedBody
from sinks.found import Found, ever_found, found
from sinks.store import AlertStore
from tests.sinks.samples import alert, events
from tests.sinks.test_store import put

MARCH = (date(2026, 3, 1), date(2026, 3, 31))


def visited(case: str, number: int, result: VerifyResult) -> list[CaseEvent]:
    """A case of one alert whose visit came to this."""
    opened, seen = events(case, [alert(number)], verified=1)
    return [opened, seen.model_copy(update={"body": VerifiedBody(result=result)})]


@pytest.fixture
def told(store: AlertStore) -> AlertStore:
    """Needed, not needed, never visited, withdrawn, first raised in February, about the household."""
    put(
        store,
        alert(1),
        alert(2),
        alert(3),
        alert(3, 2, "lapsed", on=date(2026, 4, 2)),
        alert(4),
        alert(4, 2, "withdrawn"),
        alert(5, on=date(2026, 2, 28)),
        alert(5, 2, "updated"),
        alert(6).model_copy(update={"cause": "household", "family": "entitlement"}),
        *visited("case-1", 1, VerifyResult.NEED),
        *visited("case-2", 2, VerifyResult.NO_NEED),
    )
    return store


def test_whom_alerts_found(told: AlertStore) -> None:
    rows = {int(each.household[2:], 16): each for each in found(told, *MARCH)}
    assert sorted(rows) == [1, 2, 3, 6]
    assert [rows[n].result for n in (1, 2, 3, 6)] == ["need", "no_need", None, None]
    assert rows[1] == Found(alert(1).alert_id, alert(1).household, f"p_{1:032x}", "risk", "need")
    assert (rows[6].person, rows[6].family) == (None, "entitlement")


def test_ever_is_any_period_but_not_what_was_wrong(told: AlertStore) -> None:
    assert ever_found(told) == {f"h_{n:032x}" for n in (1, 2, 3, 5, 6)}


def test_a_visit_before_the_alert_joined_says_nothing_of_it(store: AlertStore) -> None:
    first, second = alert(1), alert(2)
    opened, seen = events("c", [first], verified=1)
    joined = events("c", [first, second])[1].model_copy(update={"seq": 3})
    put(store, first, second, opened, seen, joined)
    assert [each.result for each in found(store, *MARCH)] == ["need", None]


def test_alerts_about_data_found_nobody(store: AlertStore) -> None:
    put(store, alert(1), alert(2).model_copy(update={"family": "quality", "household": "f_medical.settlement"}))
    assert [each.household for each in found(store, *MARCH)] == [alert(1).household]
    assert ever_found(store) == {alert(1).household}
