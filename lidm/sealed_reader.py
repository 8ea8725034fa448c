"""Reads the sealed topics as one consumer group: send on, deliver, then commit; a crash repeats, nothing is lost.

A message with anything that cannot be taken is kept whole and sealed in `feeds.rejected.v1`, like one that intake
refuses: `lidm rejected` lists it, and what is mended goes to the sealed topic again.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog
from kafka import KafkaConsumer
from kafka.errors import KafkaError

from gateway.publisher import Publisher
from gateway.reports import ReportLetter
from gateway.sealed import Refused, SealedFeed
from lidm.settings import Settings
from schemas.errors import Unreachable
from schemas.feed_reports import ReceiptReport, encode_report
from schemas.topics import REJECTED, inbox_topic
from streams.rejected import Coordinates, dead_letters

log = structlog.get_logger("lidm.gateway")
GROUP = "lidm-gateway"


class SealedReader:
    """One turn reads what there is. `make` gives a feed its re-writer, made anew after the broker was away."""

    def __init__(
        self, settings: Settings, kinds: tuple[str, ...], make: Callable[[str], SealedFeed], public_key: bytes
    ) -> None:
        """`public_key`: who may open what was refused."""
        self._settings, self._make, self._public_key = settings, make, public_key
        self._kinds = {inbox_topic(kind): kind for kind in kinds}
        self._feeds: dict[str, SealedFeed] = {}
        self._consumer: KafkaConsumer | None = None

    def turn(self) -> int:
        """Messages taken, delivered and committed. Raises Unreachable; whatever it raises, they are read again."""
        try:
            consumer = self._open()
            found = consumer.poll(timeout_ms=500, max_records=2000)
            count = 0
            for place, messages in found.items():
                feed = self._feed(place.topic)
                for message in messages:
                    self._keep(feed.publisher, message, feed.take(place.partition, message.value))
                    count += 1
            if count:
                self._report()
                for feed in self._feeds.values():
                    feed.publisher.flush()
                consumer.commit()
            return count
        except (KafkaError, Unreachable) as error:
            self.close()
            raise Unreachable(f"密封主题读写中断（{type(error).__name__}），稍后重试") from error
        except Exception:  # whatever it was: the next commit would count what this turn had polled as taken
            self.close()
            raise

    def close(self) -> None:
        """Leaves the group; open batches are told anew when they begin anew."""
        if self._consumer is not None:
            self._consumer.close(autocommit=False)
        self._consumer, self._feeds = None, {}

    def _open(self) -> KafkaConsumer:
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                *self._kinds,
                bootstrap_servers=self._settings.bootstrap,
                group_id=GROUP,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                api_version=(2, 0) if self._settings.embedded else None,
                **self._settings.security.options(),
            )
            for topic in self._kinds:
                self._consumer.partitions_for_topic(topic)
        return self._consumer

    def _feed(self, topic: str) -> SealedFeed:
        kind = self._kinds[topic]
        if kind not in self._feeds:
            self._feeds[kind] = self._make(kind)
        return self._feeds[kind]

    def _keep(self, way: Publisher, message: Any, refused: list[Refused]) -> None:
        """The message among the dead letters, once, whatever number of its elements was refused."""
        if not refused:
            return
        first = refused[0]
        letters = dead_letters(
            first.code,
            first.pointer,
            first.reason,
            Coordinates(message.topic, message.partition, message.offset, message.timestamp),
            message.key,
            message.value,
            self._public_key,
            way.partitions(REJECTED),
            [(each.code, each.pointer) for each in refused],
            tuple(message.headers or ()),
            next((each.batch for each in refused if each.batch), None),
        )
        at_ms = message.timestamp if self._settings.effective_clock == "driven" else None
        for letter in letters:
            way.send(letter.topic, letter.partition, letter.key or b"", letter.value or b"", at_ms, letter.headers)

    def _report(self) -> None:
        """Figures for the report card; a crash before the commit counts a turn twice there, never in a ledger."""
        at_ms = int(time.time() * 1000)
        for kind, feed in self._feeds.items():
            refused = sum(feed.refused.values())
            if not (feed.sent or refused or feed.left_out):
                continue
            report = ReceiptReport(
                feed=kind,
                receipt=f"sealed-{at_ms}",
                batchid="",
                period="",
                way="sealed",
                department="",
                at_ms=at_ms,
                read=feed.sent + refused + feed.left_out,
                sent=feed.sent,
                left_out=feed.left_out,
                refused=feed.refused,
                closed=False,
                identities=feed.identities,
            )
            letter = ReportLetter(kind.encode(), encode_report(report))
            place = letter.partition_in(feed.publisher.partitions(letter.topic))
            feed.publisher.send(letter.topic, place, letter.key, letter.value)
            log.info("sealed_taken", feed=kind, sent=feed.sent, left_out=feed.left_out, refused=feed.refused)
            feed.sent, feed.left_out, feed.refused, feed.identities = 0, 0, {}, {}
