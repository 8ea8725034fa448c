"""The gauge speaks of the policy in force in the log, on the partition's day, and nobody else's."""

from datetime import datetime

import pytest
from prometheus_client import CollectorRegistry

from lidm import policy_gauge
from lidm.policy_gauge import PolicyGauge, in_force
from schemas.calendar import SHANGHAI
from schemas.records import Record, TickBody, TickRecord, encode_block
from schemas.topics import HOUSEHOLD_EVENTS
from streams.metrics import Metrics
from streams.watch import Watch
from tests.streams.making import config, policy_record


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Metrics:
    ours = Metrics(CollectorRegistry())
    monkeypatch.setattr(policy_gauge, "METRICS", ours)
    return ours


def ms(year: int) -> int:
    return int(datetime(year, 11, 22, 12, tzinfo=SHANGHAI).timestamp() * 1000)


def watch(*years: int, policy: bool = True) -> Watch:
    """A partition on the 22nd of November of the last of these years."""
    made = Watch(0, config())
    ticks: list[Record] = [TickRecord("", ms(year), "", 0, 0, TickBody(ms(year))) for year in years]
    for offset, each in enumerate([policy_record(ms(years[0])), *ticks] if policy else ticks):
        made.fold(HOUSEHOLD_EVENTS, offset, each.known_at, encode_block([each]))
    return made


def test_nothing_is_said_before_there_is_a_policy_and_a_day(metrics: Metrics) -> None:
    assert in_force([object(), watch(2026, policy=False)]) is None
    PolicyGauge().set(None)
    assert metrics.value("lidm_policy_findings", code="ended") == 0


def test_the_partition_furthest_in_time_decides(metrics: Metrics) -> None:
    found = in_force([watch(2026), watch(2026, 2029), object()])
    assert found is not None
    assert found.on.year == 2029


def test_years_later_the_unchecked_are_counted(metrics: Metrics) -> None:
    gauge = PolicyGauge({"dibao_month": ("RIGID-RATIO",)})
    gauge.set(in_force([watch(2026)]))
    ended, before = (metrics.value("lidm_policy_findings", code=code) for code in ("ended", "unchecked"))
    assert ended >= 3, "the real places' standards of 2021"
    gauge.set(in_force([watch(2026, 2029)]))
    assert metrics.value("lidm_policy_findings", code="unchecked") > before + 5
    gauge.set(in_force([watch(2026)]))
    assert metrics.value("lidm_policy_findings", code="unchecked") == before


def test_it_looks_once_a_day(metrics: Metrics) -> None:
    gauge, now = PolicyGauge(), in_force([watch(2026)])
    gauge.set(now)
    metrics.set("lidm_policy_findings", 99, code="ended")
    gauge.set(now)
    assert metrics.value("lidm_policy_findings", code="ended") == 99
    gauge.set(in_force([watch(2026, 2027)]))
    assert metrics.value("lidm_policy_findings", code="ended") < 99
