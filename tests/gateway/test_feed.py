"""The Python API of five lines."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.events import BatchPlan
from gateway.feed import BadRow, FeedPublisher
from gateway.keys import init_keys
from gateway.security import Security
from schemas.errors import CallError
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_publish import LINKAGE, PLAN, RECORDED


def record(who: str, no: str = "S1", **changes: Any) -> dict[str, Any]:
    return {
        "identity": who,
        "settle_no": no,
        "settled_on": date(2026, 5, 14),
        "visit": "INPATIENT",
        "hospital": "H1",
        "disease": None,
        "total": 1_286_00,
        "pooled_pay": 640_00,
        "critical_pay": 120_00,
        "aid_pay": 100_00,
        "account_pay": 26_00,
        "in_catalogue_self_paid": 250_00,
        "out_of_catalogue": 150_00,
    } | changes


def feed(outlet: Outlet, batch: BatchPlan | None = None) -> FeedPublisher:
    return FeedPublisher("medical.settlement", publisher=outlet, linkage=LINKAGE, batch=batch, recorded=RECORDED)


def test_records_become_accepted_events_and_the_batch_is_closed() -> None:
    outlet = Outlet()
    with feed(outlet, PLAN) as way:
        for n in range(5):
            way.send(record(number(n + 1), f"S{n}"))
    assert [d.fact.key for d in outlet.deliveries()] == [f"S{n}" for n in range(5)]
    assert way.receipt is not None
    assert (way.receipt.sent, way.receipt.closed) == (5, True)
    assert sum(m.what == "end" for m in outlet.manifests()) == 4
    assert not any(number(n) in outlet.text() for n in range(1, 6))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"identity": "12345"}, "BAD_IDENTITY"),
        ({"total": "1286"}, "WRONG_TYPE"),
        ({"hospital": object()}, "NOT_JSON"),
        ({"hospital": "\ud800"}, "NOT_JSON"),
        ({"nobody": 1}, "UNKNOWN_FIELD"),
        ({"settled_on": "2026-02-30"}, "BAD_FIELD"),
    ],
)
def test_a_refused_record_says_why_and_leaves_the_batch_open(wrong: dict[str, Any], code: str) -> None:
    outlet = Outlet()
    with feed(outlet, PLAN) as way:
        way.send(record(number(1)))
        with pytest.raises(BadRow) as refused:
            way.send(record(number(2), "S2", **wrong))
    assert refused.value.problem.code == code
    assert number(2) not in str(refused.value)
    assert way.receipt is not None
    assert (way.receipt.sent, way.receipt.bad, way.receipt.closed) == (1, 1, False)


def test_an_error_in_the_block_closes_nothing() -> None:
    outlet = Outlet()
    with pytest.raises(ZeroDivisionError), feed(outlet, PLAN) as way:
        way.send(record(number(1)))
        raise ZeroDivisionError
    assert way.receipt is None
    assert not any(m.what == "end" for m in outlet.manifests())


def test_keys_and_broker_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="keys"):
        FeedPublisher("vital.death", broker="127.0.0.1:1")
    init_keys(tmp_path / "keys", synthetic=True)
    with pytest.raises(CallError, match="broker"):
        FeedPublisher("vital.death", keys=tmp_path / "keys")


def test_security_settings_are_checked_before_connecting(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("geheim\n")
    secret.chmod(0o644)
    sasl = Security(protocol="SASL_SSL", username="yb", password_file=secret)
    with pytest.raises(CallError, match="chmod"):
        sasl.options()
    secret.chmod(0o600)
    said = sasl.options()
    assert (said["sasl_plain_password"], said["sasl_mechanism"]) == ("geheim", "SCRAM-SHA-512")
    assert "geheim" not in repr(sasl)
    with pytest.raises(CallError, match="用户名"):
        Security(protocol="SASL_SSL").options()
    with pytest.raises(CallError, match="没有证书"):
        Security(protocol="SSL", ca_file=tmp_path / "ca.pem").options()
    with pytest.raises(CallError, match="TLS"):
        Security(ca_file=secret).options()
    with pytest.raises(CallError, match="SASL"):
        Security(username="yb").options()
