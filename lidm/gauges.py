"""Figures that nobody counts as they happen: lag by topic, open and overdue cases, parameters to look after; looked up
every few seconds."""

import asyncio
from collections import Counter
from collections.abc import Iterable

import structlog
from kafka.errors import KafkaError

from lidm.policy_gauge import PolicyGauge, in_force
from schemas.case_words import Lane, State
from schemas.errors import LidmError
from streams.case_partition import CasePartition
from streams.lag import Lag
from streams.metrics import METRICS
from streams.stages import FoldStage, Stage

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
