"""Sealed topics: the identity column opens for the gateway only and for its own event; batches close when complete."""

import json
from typing import Any

from gateway.identities import Linkage
from gateway.sealed import SealedFeed, seal_identity
from load_tests.chaos.events import bill
from schemas.envelope import Delivery, Manifest
from schemas.feed import FEEDS
from schemas.sealing import new_key_pair
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_inbox import NOW

KIND = "medical.settlement"
PRIVATE, PUBLIC = new_key_pair()
LINKAGE = Linkage(b"k" * 32, synthetic=True)


def event(name: str, who: str, batch: str | None = None, **more: Any) -> dict[str, Any]:
    made = {
        "specversion": "1.0",
        "id": name,
        "source": "urn:dept",
        "type": f"lidm.{KIND}",
        "time": "2026-05-18T08:00:00+08:00",
        "recordedtime": "2026-05-18T09:00:00+08:00",
        "data": bill(name, NOW.date().replace(month=5), 1_000),
        "sealedid": seal_identity(PUBLIC, who, "urn:dept", name),
    }
    return made | ({"batchid": batch} if batch else {}) | more


def manifest(what: str, rows: int) -> dict[str, Any]:
    data = {"feed": KIND, "period": "2026-05", "areas": ["339901000000"], "mode": "delta", "rows": rows}
    return {
        "specversion": "1.0",
        "id": f"b1-{what}",
        "source": "urn:dept",
        "type": f"lidm.batch.{what}",
        "time": "2026-05-18T09:00:00+08:00",
        "recordedtime": "2026-05-18T09:00:00+08:00",
        "batchid": "b1",
        "data": data | {"nothing_happened": False},
    }


def feed(known: set[str] | None = None) -> tuple[SealedFeed, Outlet]:
    outlet = Outlet(count=2)
    now = int(NOW.timestamp() * 1000)
    made = SealedFeed(
        FEEDS[KIND], LINKAGE, PRIVATE, outlet, lambda row: known is None or row.person in known, lambda: now
    )
    return made, outlet


def take(made: SealedFeed, partition: int, said: Any) -> None:
    made.take(partition, json.dumps(said).encode())


def test_an_event_comes_out_under_the_pseudonym_and_nothing_else_changes() -> None:
    made, outlet = feed()
    take(made, 0, [event("S1", number(1)), event("S2", number(2))])
    deliveries = outlet.deliveries()
    assert {d.person for d in deliveries} == {LINKAGE.person(number(1)), LINKAGE.person(number(2))}
    said = outlet.events()[0]
    assert said.keys() == (event("S1", number(1)).keys() - {"sealedid"}) | {"subject"}
    assert number(1) not in outlet.text()


def test_a_seal_of_another_event_or_key_is_refused() -> None:
    made, outlet = feed()
    stolen = event("S1", number(1)) | {"id": "S2"}
    other = event("S3", number(1)) | {"sealedid": seal_identity(new_key_pair()[1], number(1), "urn:dept", "S3")}
    take(made, 0, [stolen, other, event("S4", number(1), sealedid="%%"), event("S5", number(1), subject="p_1")])
    take(made, 0, [event("S6", "99999919650312001"), 5])
    made.take(0, b"\xff")
    assert made.refused == {"SEAL_BROKEN": 3, "BAD_FIELD": 1, "BAD_IDENTITY": 1, "NOT_ENVELOPE": 1, "NOT_JSON": 1}
    assert not outlet.sent


def test_a_plain_number_elsewhere_never_reaches_the_feed() -> None:
    made, outlet = feed()
    take(made, 0, event("S1", number(1), data=bill(number(1), NOW.date().replace(month=5), 1_000)))
    assert made.refused == {"PLAIN_IDENTITY": 1}
    assert not outlet.sent


def test_a_lost_character_never_reaches_the_feed() -> None:
    made, outlet = feed()
    take(made, 0, event("S1", number(1), data=bill("S\ufffd", NOW.date().replace(month=5), 1_000)))
    assert made.refused == {"BAD_ENCODING": 1}
    assert not outlet.sent


def batch(made: SealedFeed, rows: dict[int, list[Any]]) -> None:
    for partition in (0, 1):
        take(made, partition, manifest("begin", 0))
    for partition, events in rows.items():
        for each in events:
            take(made, partition, each)
    for partition in (0, 1):
        take(made, partition, manifest("end", len(rows.get(partition, []))))


def ends(outlet: Outlet) -> list[int]:
    return [m.rows for m in outlet.manifests() if m.what == "end"]


def test_a_batch_is_told_anew_and_counts_what_was_sent_on() -> None:
    made, outlet = feed({LINKAGE.person(number(n)) for n in range(1, 9)})
    rows = {0: [event(f"S{n}", number(n), "b1") for n in range(1, 7)], 1: [event("S7", number(20), "b1")]}
    batch(made, rows)
    assert made.left_out == 1
    assert [m.what for m in outlet.manifests() if isinstance(m, Manifest)].count("begin") == 2
    by_partition = [sum(isinstance(o, Delivery) for o in _of(outlet, p)) for p in (0, 1)]
    assert ends(outlet) == by_partition
    assert sum(by_partition) == 6


def _of(outlet: Outlet, partition: int) -> list[Any]:
    return [o for m in outlet.sent if m.partition == partition for o in FEEDS[KIND].decode(m.value, 4_000_000_000_000)]


def test_a_batch_with_an_unreadable_person_never_closes() -> None:
    made, outlet = feed()
    batch(made, {0: [event("S1", number(1), "b1"), event("S2", "1", "b1")]})
    assert not ends(outlet)
    assert not made.batches


def test_a_short_batch_never_closes_and_one_begun_anew_does() -> None:
    made, outlet = feed()
    take(made, 0, manifest("begin", 0))
    take(made, 1, manifest("begin", 0))
    take(made, 0, manifest("end", 5))
    assert made.refused == {"BATCH_SHORT": 1}
    batch(made, {0: [event("S1", number(1), "b1")]})
    assert sum(ends(outlet)) == 1
