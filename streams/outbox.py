"""What a partition sends with its next checkpoint: rejections, alerts, mail to households, what they may share."""

from collections.abc import Iterable, Iterator

from schemas.alerts import Alert
from schemas.links import Saying, encode_saying
from schemas.partition import partition_of
from schemas.records import FactRecord, ForwardRecord, Record, SweepRecord, TransferRecord, encode_block
from schemas.shadows import rule_of
from schemas.topics import ALERTS, ALERTS_SHADOW, HOUSEHOLD_EVENTS, LINKS
from streams.config import StreamConfig
from streams.delivery import Letter
from streams.metrics import METRICS, CounterName
from streams.rejected import Coordinates, dead_letters

MAIL_RECORDS = 200
MAIL_BYTES = 500_000


class Outbox:
    """Collects; `drain` hands over and starts afresh."""

    def __init__(self, partition: int, config: StreamConfig) -> None:
        self._partition = partition
        self._config = config
        self._letters: list[Letter] = []
        self._mail: dict[int, list[Record]] = {}

    def clear(self) -> None:
        """Forgets everything."""
        self._letters, self._mail = [], {}

    def drain(self, alerts: Iterable[tuple[Alert, int]], watched: Iterable[tuple[Alert, int]] = ()) -> list[Letter]:
        """Rejections and reports, these alerts (each with the time it was known), those of shadow runs, mail."""
        letters, self._letters = self._letters, []
        letters += [self._alert(ALERTS, alert, known_at) for alert, known_at in alerts]
        letters += [self._alert(ALERTS_SHADOW, alert, known_at) for alert, known_at in watched]
        return letters + self._mail_letters()

    def post(self, record: FactRecord | TransferRecord | ForwardRecord) -> None:
        """For another household."""
        self._mail.setdefault(partition_of(record.household, self._config.partitions), []).append(record)

    def post_here(self, record: SweepRecord) -> None:
        """For this partition itself, in its turn."""
        self._mail.setdefault(self._partition, []).append(record)

    def post_everywhere(self, record: Record) -> None:
        """For every partition."""
        for partition in range(self._config.partitions):
            self._mail.setdefault(partition, []).append(record)

    def show(self, saying: Saying) -> None:
        """For the links stage."""
        link = saying.link
        partition = partition_of(link, self._config.partitions)
        self._letters.append(Letter(LINKS, partition, link.encode(), encode_saying(saying), saying.known_ms))

    def send(self, letter: Letter) -> None:
        """For people or another stage."""
        self._letters.append(letter)

    def reject(self, code: str, text: str, record: Record) -> None:
        """A record that nobody takes: it is kept sealed."""
        METRICS.count("lidm_events_rejected_total", feed=HOUSEHOLD_EVENTS, code=code)
        at = Coordinates(record.topic, record.partition, record.offset, record.known_at)
        key, value = record.household.encode(), encode_block([record])
        sealed = dead_letters(code, "", text, at, key, value, self._config.seal_public_key, self._config.partitions)
        self._letters.extend(sealed)

    def _alert(self, topic: str, alert: Alert, known_at: int) -> Letter:
        name: CounterName = "lidm_alerts_total" if topic == ALERTS else "lidm_shadow_alerts_total"
        METRICS.count(name, detector=rule_of(alert.detector), state=alert.state)
        return Letter(topic, self._partition, alert.household.encode(), alert.model_dump_json().encode(), known_at)

    def _mail_letters(self) -> list[Letter]:
        """Transfers and forwards as blocks of the partitions they go to."""
        mail, self._mail = self._mail, {}
        return [
            Letter(HOUSEHOLD_EVENTS, partition, None, block, known_at)
            for partition, records in sorted(mail.items())
            for start in range(0, len(records), MAIL_RECORDS)
            for block, known_at in _blocks(records[start : start + MAIL_RECORDS])
        ]


def _blocks(records: list[Record]) -> Iterator[tuple[bytes, int]]:
    """Records as one block, or as several where they bring years of facts with them; the time of each one's last."""
    block = encode_block(records)
    if len(block) <= MAIL_BYTES or len(records) == 1:
        yield block, records[-1].known_at
        return
    half = len(records) // 2
    yield from _blocks(records[:half])
    yield from _blocks(records[half:])
