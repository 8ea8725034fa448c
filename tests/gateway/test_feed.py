"""The Python API of five lines."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.events import BatchPlan
from gateway.feed import BadRow, FeedPublisher
from gateway.keys import init_keys
from gateway.security import Security
from schemas.errors import CallError
from schemas.feed import FEEDS
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
        ({"hospital": "某\ufffd医院"}, "BAD_ENCODING"),
        ({"id": "R\ufffd1"}, "BAD_ENCODING"),
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


def test_a_version_named_is_published_as_its_feed() -> None:
    outlet, spec = Outlet(), FEEDS["employment.contribution.v2"]
    said = {f.name: f.example for f in spec.fields} | {"month": "2026-05", "paid_on": "2026-05-21"}
    with FeedPublisher(spec.name, publisher=outlet, linkage=LINKAGE, batch=PLAN, recorded=RECORDED) as way:
        way.send(said | {"identity": number(1)})
    assert {m.topic for m in outlet.sent} == {"feeds.employment.contribution.v2"}
    assert {e["type"] for e in outlet.events()} == {
        "lidm.employment.contribution", "lidm.batch.begin", "lidm.batch.end",
    }  # fmt: skip
    [delivery] = outlet.deliveries()
    assert (delivery.person, getattr(delivery.fact, "insured", "")) == (LINKAGE.person(number(1)), "PMU")
    assert {(m.what, m.feed) for m in outlet.manifests()} == {
        (what, "employment.contribution") for what in ("begin", "end")
    }
    assert way.receipt is not None
    assert (way.receipt.feed, way.receipt.closed) == ("employment.contribution", True)


def test_a_publisher_kept_open_for_days_stamps_each_record_when_it_is_sent() -> None:
    outlet, clock = Outlet(), [RECORDED]
    way = FeedPublisher("medical.settlement", publisher=outlet, linkage=LINKAGE, now=lambda: clock[-1])
    with way:
        way.send(record(number(1)))
        clock.append(RECORDED + timedelta(days=40))
        way.send(record(number(1), "S2", settled_on=clock[-1].date()))
    first, second = outlet.deliveries()
    assert second.fact.recorded_ms - first.fact.recorded_ms == 40 * 86_400_000


def test_a_batch_keeps_the_time_it_began() -> None:
    outlet, clock = Outlet(), [RECORDED]
    plan = BatchPlan(PLAN.period, PLAN.areas, "replace_period")
    way = FeedPublisher("medical.settlement", publisher=outlet, linkage=LINKAGE, batch=plan, now=lambda: clock[-1])
    with way:
        clock.append(RECORDED + timedelta(days=2))
        way.send(record(number(1)))
    begun = {manifest.recorded_ms for manifest in outlet.manifests() if manifest.what == "begin"}
    assert begun == {delivery.fact.recorded_ms for delivery in outlet.deliveries()}


def test_a_source_or_batch_that_names_somebody_is_not_published() -> None:
    for wrong in ({"source": f"urn:yb:{number(1)}"}, {"batch": replace(PLAN, batchid=f"b-{number(1)}")}):
        outlet, said = Outlet(), {"batch": PLAN, **wrong}
        with pytest.raises(CallError, match="证件号码") as refused:
            FeedPublisher("medical.settlement", publisher=outlet, linkage=LINKAGE, **said)  # type: ignore[arg-type]
        assert number(1) not in str(refused.value)
