"""What the embedded service knew when it stopped, read back from its store: ledgers, routing hints, cases."""

from collections.abc import Iterator

from schemas.cases import CaseEvent
from sinks.reads import case_events
from sinks.store import AlertStore
from streams.config import StreamConfig
from streams.rebuild import LoggedBlock, fold_log, registry_of
from streams.registry import Registry
from streams.watch import Watch


def ledgers(store: AlertStore, config: StreamConfig) -> tuple[Registry, dict[int, Watch]]:
    """Routing hints and ledgers after everything archived; each partition's log begins again at offset 0."""
    watches = fold_log(_blocks(store), config)
    for watch in watches.values():
        watch.next_generation()
    return registry_of(_blocks(store)), watches


def case_history(store: AlertStore, partitions: int) -> dict[int, list[CaseEvent]]:
    """Every archived case event by partition, in the order of each case's sequence."""
    from schemas.partition import partition_of

    history: dict[int, list[CaseEvent]] = {}
    for event in case_events(store):
        history.setdefault(partition_of(event.household, partitions), []).append(event)
    return history


def _blocks(store: AlertStore) -> Iterator[LoggedBlock]:
    for block in store.read_household_log():
        yield LoggedBlock(*block)
