"""The Faust app of one stage, with the settings that lose nothing and guards for known Faust faults.

Each guard has a canary test that tells when Faust no longer needs it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import faust
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.config import StreamConfig
from streams.guard import stop_process

Hook = Callable[[], Awaitable[None]]


class StageApp(faust.App):
    """A Faust app that runs a hook before its consumer and producer are taken away."""

    before_stop: Hook | None = None

    def _crash(self, reason: BaseException) -> None:
        """A crashed service leaves a process that lives and does nothing; it must end to be noticed and restarted."""
        stopping = self._stopped.is_set()
        super()._crash(reason)
        if not stopping:
            stop_process(self.conf.id, reason)

    async def on_stop(self) -> None:
        """Last chance to deliver what is folded: Faust still holds its partitions here."""
        if self.before_stop is not None:
            await self.before_stop()
        await super().on_stop()


def create_app(stage: str, config: StreamConfig) -> StageApp:
    """A Faust app for one stage; its consumer group is `lidm-<stage>`, whatever process it runs in."""
    _freeze_active_partitions()
    (config.data_dir / "faust").mkdir(parents=True, exist_ok=True)
    return StageApp(
        config.group(stage),
        broker=f"kafka://{config.broker}",
        datadir=str(config.data_dir / "faust" / stage),
        value_serializer="raw",
        key_serializer="raw",
        store="memory://",
        web_enabled=False,
        topic_partitions=config.partitions,
        topic_replication_factor=config.replication,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        producer_acks=-1,
        stream_wait_empty=False,
        stream_buffer_maxsize=256,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{stage}-{config.instance}" if config.instance else None,
        broker_session_timeout=config.session_seconds,
        broker_heartbeat_interval=min(2.0, config.session_seconds / 3),
        broker_rebalance_timeout=max(30.0, config.session_seconds),
        broker_request_timeout=max(90.0, config.session_seconds + 10),
        broker_commit_interval=1.0,
        worker_redirect_stdouts=False,
    )


def _freeze_active_partitions() -> None:
    """Gives aiokafka a frozen copy of Faust's live partition set, and never an empty one.

    aiokafka reads an empty set as "all partitions"; Faust then drops those records silently.
    """
    original = AIOKafkaConsumerThread._fetch_records  # noqa: SLF001 - the only seam there is
    if getattr(original, "frozen", False):
        return

    async def fetch(self: Any, consumer: Any, active: Any, *args: Any, **kwargs: Any) -> Any:
        if active is not None and not active:
            return {}
        frozen: Any = frozenset(active) if active is not None else None
        return await original(self, consumer, frozen, *args, **kwargs)

    fetch.frozen = True  # type: ignore[attr-defined]
    setattr(AIOKafkaConsumerThread, "_fetch_records", fetch)  # noqa: B010 - a method is replaced on purpose
