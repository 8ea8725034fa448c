"""Mail of the monitor: no block outgrows what a broker takes, whatever people bring along, and none is lost."""

from schemas.facts import Bill, Version
from schemas.records import TransferBody, TransferRecord, decode_block
from streams.config import StreamConfig
from streams.outbox import MAIL_BYTES, Outbox


def transfer(number: int, facts: int) -> TransferRecord:
    bills = tuple(
        Bill(f"S{number}-{n:05d}", 1, 0, f"S{number}-{n:05d}~0a1b2c3d", "医保", False, 739_000, 1, 2, 3, 4, "INPATIENT")
        for n in range(facts)
    )
    body = TransferBody(f"t{number}", f"p_{number:032x}", "h_" + "0" * 32, Version(1, 0, ""), bills, ())
    return TransferRecord(f"h_{number:032x}", 7, "feeds", 0, number, body)


def test_mail_is_cut_by_bytes_as_well() -> None:
    outbox = Outbox(0, StreamConfig(broker="none", partitions=1, seal_public_key=bytes(range(1, 33))))
    sent = [transfer(number, 150) for number in range(150)]
    for record in sent:
        outbox.post(record)
    letters = outbox.drain([])
    assert len(letters) > 1
    assert all(len(letter.value or b"") <= MAIL_BYTES for letter in letters)
    got = [record for letter in letters for record in decode_block(letter.value or b"")]
    assert [(record.household, record.offset) for record in got] == [(each.household, each.offset) for each in sent]
