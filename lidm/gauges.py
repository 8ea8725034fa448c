"""Figures that nobody counts as they happen: lag by topic, households and their clock, open and overdue cases,
parameters to look after; looked up every few seconds."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence

import structlog
from kafka.errors import KafkaError

from lidm.policy_gauge import PolicyGauge, in_force
from schemas.case_words import Lane, State
from schemas.errors import LidmError
from streams.case_partition import CasePartition
from streams.lag import Lag
from streams.metrics import METRICS
from streams.stages import FoldStage, Stage
from streams.watch import Watch

log = structlog.get_logger("lidm.gauges")
EVERY_SECONDS = 15.0


async def keep_gauges(stages: Iterable[Stage], broker: str, partitions: int, embedded: bool) -> None:
    """Sets the gauges until cancelled; an unreachable broker shows as gauges that stand still."""
    stages = list(stages)
    policy = PolicyGauge()
    while True:
        for stage in stages:
            if isinstance(stage, FoldStage):
                parts = list(stage.checkpoint.partitions.values())
                _cases(part for part in parts if isinstance(part, CasePartition))
                if stage.name == "monitor":
                    ledgers([part for part in parts if isinstance(part, Watch)])
                await asyncio.to_thread(_policy, policy, parts)
        try:
            await asyncio.to_thread(_lag, [stage.name for stage in stages], broker, partitions, embedded)
        except (KafkaError, LidmError, OSError) as error:
            log.warning("lag_unknown", error=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


def _lag(stages: list[str], broker: str, partitions: int, embedded: bool) -> None:
    lag = Lag(broker, partitions, embedded)
    try:
        for stage in stages:
            for topic, behind in lag.of(stage).items():
                METRICS.set("lidm_lag_messages", behind, stage=stage, topic=topic)
    finally:
        lag.close()


def _policy(gauge: PolicyGauge, parts: Iterable[object]) -> None:
    try:
        gauge.set(in_force(parts))
    except Exception as error:  # an odd bundle must not end the other figures
        log.warning("policy_findings_unknown", error=type(error).__name__)


def ledgers(parts: Sequence[Watch]) -> None:
    """Households kept here, those that sweeps have still to ask, and the clock that is furthest behind (0: none)."""
    METRICS.set("lidm_households", sum(part.size for part in parts))
    METRICS.set("lidm_sweep_households_left", sum(part.awaited for part in parts))
    clocks = [clock for part in parts if (clock := part.known.kept.clock_ms)]
    METRICS.set("lidm_monitor_clock_timestamp_seconds", min(clocks, default=0) / 1000)


def _cases(parts: Iterable[CasePartition]) -> None:
    opened: Counter[str] = Counter()
    overdue: Counter[str] = Counter()
    waiting = 0
    for part in parts:
        for case in part.work.view.open_cases():
            opened[case.lane] += 1
            overdue[case.lane] += any(clock in case.overdue for clock in case.clocks)
            waiting += case.state is State.STORM
    METRICS.set("lidm_cases_storm_held", waiting)
    for lane in Lane:
        METRICS.set("lidm_cases_open", opened[lane], lane=lane.value)
        METRICS.set("lidm_cases_overdue", overdue[lane], lane=lane.value)
