"""The cluster against the catalogue: which topics are there, which are not, which are set differently."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import monotonic, sleep
from typing import Any, Literal

from schemas.errors import CallError, Stop, Unreachable
from schemas.topics import Catalogue, Clock, Size

Standing = Literal["ok", "missing", "differs", "partitions", "replicas"]
SAFE_REPLICAS = 3
"""From here on a message counts as written only on two brokers: one may be lost without losing it."""
_REPLICAS = "replication.factor"
_IN_SYNC = "min.insync.replicas"
_TIMEOUT_MS = 15_000
_REACH_MS = 5_000
_SETTLE_SECONDS = 10.0


@dataclass(frozen=True)
class TopicState:
    """One topic: `partitions` means their number differs, which nothing may change within a generation; `replicas`
    that it has fewer copies than wanted, which only the cluster's own tools change."""

    name: str
    standing: Standing
    wanted: int
    found: int | None
    differences: dict[str, tuple[str, str | None]] = field(default_factory=dict)


@contextmanager
def admin_of(bootstrap: str) -> Iterator[Any]:
    """An admin client of the cluster. Raises Unreachable."""
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, client_id="lidm-topics", bootstrap_timeout_ms=_REACH_MS)
    except KafkaError as error:
        raise Unreachable(f"消息服务 {bootstrap} 连接不上（{type(error).__name__}）") from error
    try:
        yield admin
    except KafkaError as error:
        raise Unreachable(f"消息服务 {bootstrap} 没有完成请求（{type(error).__name__}）") from error
    finally:
        admin.close()


def look(admin: Any, catalogue: Catalogue, size: Size, clock: Clock, replication: int = 1) -> list[TopicState]:
    """How every topic of the catalogue stands in the cluster, by name."""
    wanted = catalogue.partitions(size)
    there = set(admin.list_topics())
    names = [name for name in catalogue.names if name in there]
    found = {topic["name"]: topic["partitions"] for topic in admin.describe_topics(names)} if names else {}
    settings = _settings(admin, names)
    states = []
    for name in catalogue.names:
        config = config_of(catalogue, name, clock, replication)
        partitions = found.get(name)
        count = None if partitions is None else len(partitions)
        state = _state(name, wanted, count, config, settings.get(name, {}))
        states.append(_with_copies(state, replication, partitions or ()))
    return states


def config_of(catalogue: Catalogue, topic: str, clock: Clock, replication: int) -> dict[str, str]:
    """What the broker is told of a topic."""
    in_sync = "2" if replication >= SAFE_REPLICAS else "1"
    return {**catalogue.config(topic, clock), _IN_SYNC: in_sync}


def apply(
    admin: Any, catalogue: Catalogue, size: Size, clock: Clock, replication: int = 1
) -> tuple[list[TopicState], list[TopicState]]:
    """Creates what is missing and sets what differs; the states before and after.

    Raises Stop, before anything is done, when a topic has another number of partitions, and CallError when the cluster
    has fewer brokers than a message shall have copies.
    """
    _enough_brokers(admin, replication)
    before = look(admin, catalogue, size, clock, replication)
    wrong = [state for state in before if state.standing == "partitions"]
    if wrong:
        listed = "、".join(f"{state.name}（{state.found}，应为 {state.wanted}）" for state in wrong)
        raise Stop(f"分区数在一代之内不得改变：{listed}。请核对 LIDM_SIZE，或另建一代")
    missing = [state.name for state in before if state.standing == "missing"]
    if missing:
        _create(admin, missing, catalogue, size, clock, replication)
    for state in before:
        if state.standing == "differs":
            _set(admin, state)
    # Brokers learn of a change a moment after they acknowledged it.
    deadline = monotonic() + _SETTLE_SECONDS
    after = look(admin, catalogue, size, clock, replication)
    while any(state.standing not in {"ok", "replicas"} for state in after) and monotonic() < deadline:
        sleep(0.2)
        after = look(admin, catalogue, size, clock, replication)
    return before, after


def _state(name: str, wanted: int, found: int | None, config: dict[str, str], actual: dict[str, str]) -> TopicState:
    if found is None:
        return TopicState(name, "missing", wanted, None)
    if found != wanted:
        return TopicState(name, "partitions", wanted, found)
    differences = {key: (value, actual.get(key)) for key, value in config.items() if not _same(value, actual.get(key))}
    return TopicState(name, "differs" if differences else "ok", wanted, found, differences)


def _same(wanted: str, found: str | None) -> bool:
    if found is None or wanted == found:
        return wanted == found
    try:
        return float(wanted) == float(found)
    except ValueError:
        return False


def _settings(admin: Any, names: Sequence[str]) -> dict[str, dict[str, str]]:
    from kafka.admin import ConfigResource, ConfigResourceType

    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answer = admin.describe_configs(asked, config_filter="all")
    by_topic: dict[str, dict[str, Any]] = next(iter(answer.values()), {})
    return {name: {key: str(entry["value"]) for key, entry in found.items()} for name, found in by_topic.items()}


def _with_copies(state: TopicState, replication: int, partitions: Sequence[dict[str, Any]]) -> TopicState:
    """The same state, unless all else is well and a partition has too few copies."""
    copies = min((len(partition["replica_nodes"]) for partition in partitions), default=replication)
    if copies >= replication or state.standing not in {"ok", "differs"}:
        return state
    standing: Standing = "replicas" if state.standing == "ok" else state.standing
    return replace(
        state, standing=standing, differences={**state.differences, _REPLICAS: (str(replication), str(copies))}
    )


def _enough_brokers(admin: Any, replication: int) -> None:
    brokers = len(admin.describe_cluster()["brokers"])
    if brokers < replication:
        raise CallError(
            f"每条消息应存 {replication} 份，集群只有 {brokers} 个节点：请增加节点，"
            f"或设置 LIDM_REPLICATION={brokers}（副本少于 {SAFE_REPLICAS} 份时，一个节点损坏就可能丢失数据）"
        )


def _create(
    admin: Any, names: Sequence[str], catalogue: Catalogue, size: Size, clock: Clock, replication: int
) -> None:
    admin.create_topics(
        {
            name: {
                "num_partitions": catalogue.partitions(size),
                "replication_factor": replication,
                "configs": config_of(catalogue, name, clock, replication),
            }
            for name in names
        },
        timeout_ms=_TIMEOUT_MS,
        wait_for_metadata=True,
    )


def _set(admin: Any, state: TopicState) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    # Two in sync where there is one copy: nobody could write any more.
    later = {_REPLICAS, _IN_SYNC} if _REPLICAS in state.differences else set()
    wanted = {key: value for key, (value, _) in state.differences.items() if key not in later}
    if not wanted:
        return
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, state.name, configs=wanted)])
