"""How far each stage is behind, from the broker's point of view: end offsets minus committed offsets."""

import time
from collections.abc import Iterable
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError

from schemas.errors import Unreachable
from schemas.feed import FEEDS
from schemas.topics import (
    ALERTS,
    ALERTS_SHADOW,
    CASE_COMMANDS,
    CASE_EVENTS,
    FEED_REPORTS,
    HOUSEHOLD_EVENTS,
    LINKS,
    REJECTED,
)

ATTEMPTS = 40
NOT_YET = (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError)
STAGE_TOPICS: dict[str, tuple[str, ...]] = {
    "intake": tuple(spec.topic for spec in FEEDS.every),
    "monitor": (HOUSEHOLD_EVENTS,),
    "links": (LINKS,),
    "cases": (ALERTS, CASE_COMMANDS),
    "archive": (HOUSEHOLD_EVENTS, ALERTS, ALERTS_SHADOW, CASE_EVENTS, REJECTED, FEED_REPORTS),
}

PAIR = frozenset(("monitor", "links"))


class Lag:
    """A small client for lag; not thread-safe. `api_version` (2, 0) for the embedded broker."""

    def __init__(self, broker: str, partitions: int, embedded: bool = False) -> None:
        version = {"api_version": (2, 0)} if embedded else {}
        self._partitions = partitions
        self._embedded = embedded
        self._consumer = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False, **version)
        self._admin = KafkaAdminClient(bootstrap_servers=broker, **version)

    def close(self) -> None:
        """Disconnects."""
        self._consumer.close()
        self._admin.close()

    def of(self, stage: str, topics: Iterable[str] | None = None) -> dict[str, int]:
        """Unread messages per topic of a stage."""
        names = tuple(topics or self._topics(stage))
        places = [TopicPartition(name, p) for name in names for p in range(self._partitions)]
        ends = self._ends(places)
        committed = self.committed(stage)
        behind = dict.fromkeys(names, 0)
        for place in places:
            behind[place.topic] += max(0, ends[place] - committed.get((place.topic, place.partition), 0))
        return behind

    def total(self, *stages: str) -> int:
        """Unread messages over all topics of these stages. Monitor and links write to one another, so either counts for
        both, and nothing is unread only if nothing was written meanwhile either."""
        if PAIR.isdisjoint(stages):
            return self._total(stages)
        before = self._written()
        unread = self._total(tuple(dict.fromkeys((*stages, *sorted(PAIR)))))
        after = self._written()
        return unread or sum(after.values()) - sum(before.values())

    def _total(self, stages: Iterable[str]) -> int:
        return sum(sum(self.of(stage).values()) for stage in stages)

    def _written(self) -> dict[tuple[str, int], int]:
        return {(topic, p): end for topic in (HOUSEHOLD_EVENTS, LINKS) for p, end in self.ends(topic).items()}

    def committed(self, stage: str) -> dict[tuple[str, int], int]:
        """Committed offsets of a stage's group."""
        group = f"lidm-{stage}"
        places = [TopicPartition(name, p) for name in self._topics(stage) for p in range(self._partitions)]
        found = committed_in(self._admin, group, places)
        return {(place.topic, place.partition): max(0, meta.offset) for place, meta in found.items()}

    def members(self, stage: str) -> int:
        """Workers that are in the stage's group now."""
        found = self._admin.describe_groups([f"lidm-{stage}"])
        return sum(len(group["members"]) for group in found.values())

    def ends(self, topic: str) -> dict[int, int]:
        """End offset of each partition of a topic."""
        places = [TopicPartition(topic, p) for p in range(self._partitions)]
        return {place.partition: offset for place, offset in self._ends(places).items()}

    def _topics(self, stage: str) -> tuple[str, ...]:
        """The stage's topics; on the in-memory broker those that are there, because asking would make the others."""
        if not self._embedded or stage != "intake":
            return STAGE_TOPICS[stage]
        there = self._consumer.topics()
        return tuple(name for name in STAGE_TOPICS[stage] if name in there)

    def _ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        for _ in range(ATTEMPTS):
            try:
                return dict(self._consumer.end_offsets(places))
            except KeyError:  # kafka-python answers in part while it learns of a topic
                time.sleep(0.05)
        raise Unreachable("消息服务没有说出主题的末尾位置")


def committed_in(admin: Any, group: str, places: Iterable[TopicPartition]) -> dict[TopicPartition, Any]:
    """What a group has committed of these partitions, as kafka-python says it. Raises Unreachable."""
    for _ in range(ATTEMPTS):
        try:
            return dict(admin.list_group_offsets({group: list(places)})[group])
        except NOT_YET:  # a broker that has just started looks for its groups
            time.sleep(0.25)
    raise Unreachable(f"消息服务没有说出 {group} 的已提交位置")
