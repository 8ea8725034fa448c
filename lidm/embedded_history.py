"""What the embedded service knew when it stopped, read back from its store: ledgers and routing hints.

After a crash the store may lack what the ledgers have already said; that is owed and said again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from schemas.alerts import Alert
from schemas.cases import CaseEvent
from schemas.feed_reports import HoldReport, decode_report
from schemas.records import (
    BatchCountRecord,
    FactRecord,
    ForwardRecord,
    Record,
    SweepRecord,
    TransferRecord,
    decode_block,
    encode_block,
)
from schemas.topics import ALERTS, ALERTS_SHADOW, FEED_REPORTS, HOUSEHOLD_EVENTS
from sinks.holds import holds
from sinks.reads import case_events
from sinks.store import AlertStore
from streams.config import StreamConfig
from streams.delivery import Letter
from streams.links import Links, links_of, told_in
from streams.links import owed as links_owed
from streams.rebuild import LoggedBlock, fold_log, registry_of
from streams.registry import Registry
from streams.watch import Watch

_Said = tuple[str, str]
_MAIL = (TransferRecord, ForwardRecord, BatchCountRecord, SweepRecord)


@dataclass(frozen=True)
class History:
    """Ledgers and hints after everything archived, and what has yet to be said (again)."""

    registry: Registry
    watches: dict[int, Watch]
    links: dict[int, Links]
    owed: list[Letter]


def history_of(store: AlertStore, config: StreamConfig) -> History:
    """Everything the store knows; each partition's log begins again at offset 0."""
    said: list[Letter] = []
    watches = fold_log(_blocks(store), config, said.extend)
    for watch in watches.values():
        watch.next_generation()
    links = links_of(said, _told(store), config)
    alerts = (*_alerts_owed(store, said, case_events(store)), *_shadows_owed(store, said))
    owed = [*_mail_owed(store, said), *alerts, *_holds_owed(store, said), *links_owed(links.values())]
    return History(registry_of(_blocks(store)), watches, links, owed)


def _alerts_owed(store: AlertStore, said: Iterable[Letter], events: Iterable[CaseEvent]) -> Iterator[Letter]:
    """Alerts that the store does not have, and those that no case has heard of."""
    rows = store.query("SELECT household, alert_id, max(revision) FROM alerts GROUP BY household, alert_id")
    archived = {(str(household), str(alert_id)): int(str(revision)) for household, alert_id, revision in rows}
    heard: dict[_Said, int] = {}
    for event in events:
        if event.cause.alert_id is not None and event.cause.revision is not None:
            key = (event.household, event.cause.alert_id)
            heard[key] = max(event.cause.revision, heard.get(key, 0))
    for letter in said:
        if letter.topic == ALERTS:
            alert = Alert.model_validate_json(letter.value or b"")
            key = (alert.household, alert.alert_id)
            if alert.revision > min(archived.get(key, 0), heard.get(key, 0)):
                yield letter


def _shadows_owed(store: AlertStore, said: Iterable[Letter]) -> Iterator[Letter]:
    """What rules in shadow runs said and the store does not have."""
    rows = store.query("SELECT DISTINCT alert_id, revision FROM alerts_shadow")
    archived = {(str(alert_id), int(str(revision))) for alert_id, revision in rows}
    for letter in said:
        if letter.topic == ALERTS_SHADOW:
            alert = Alert.model_validate_json(letter.value or b"")
            if (alert.alert_id, alert.revision) not in archived:
                yield letter


def _mail_owed(store: AlertStore, said: Iterable[Letter]) -> Iterator[Letter]:
    """What one household sent to another, or one partition to all, and the log does not have."""
    arrived = {(block.partition, _content(record)) for block in _blocks(store) for record in _mail(block.block)}
    for letter in said:
        if letter.topic == HOUSEHOLD_EVENTS:
            sent = _mail(letter.value or b"")
            missing = [record for record in sent if (letter.partition, _content(record)) not in arrived]
            if missing:
                yield msgspec.structs.replace(letter, value=encode_block(missing))


def _holds_owed(store: AlertStore, said: Iterable[Letter]) -> Iterator[Letter]:
    """That a batch waits, or what was decided, where the store does not know it: nobody decides of what nobody sees."""
    known = {(*_number(each), each.state) for each in holds(store)}
    told = {_number(each): (each, letter) for letter in said if (each := _hold(letter)) is not None}
    yield from (letter for key, (each, letter) in told.items() if (*key, each.state) not in known)


def _number(report: HoldReport) -> tuple[str, str, str, str]:
    return (report.feed, report.source, report.period, report.batchid)


def _hold(letter: Letter) -> HoldReport | None:
    report = decode_report(letter.value or b"") if letter.topic == FEED_REPORTS else None
    return report if isinstance(report, HoldReport) else None


def _mail(block: bytes) -> list[Record]:
    return [record for record in decode_block(block) if isinstance(record, _MAIL)]


def _content(record: Record) -> bytes:
    return msgspec.msgpack.encode(record)


def _told(store: AlertStore) -> Iterator[FactRecord]:
    return (record for block in _blocks(store) for record in told_in(block.block))


def _blocks(store: AlertStore) -> Iterator[LoggedBlock]:
    for block in store.read_household_log():
        yield LoggedBlock(*block)
