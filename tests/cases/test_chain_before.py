"""Events written before alerts were grouped stay whole: their digests hold, and case work goes on from them."""

from pathlib import Path

from cases.deadlines import default_deadlines
from cases.digests import broken_link
from schemas.cases import decode_event, encode_event
from streams.casework import Casework
from tests.cases.builders import alert, ms

LINES = Path(__file__).with_name("chain_before_grouping.jsonl").read_bytes().splitlines()


def test_every_digest_holds_and_every_byte_comes_back() -> None:
    events = [decode_event(line) for line in LINES]
    assert broken_link(events) is None
    assert [encode_event(event) for event in events] == LINES


def test_case_work_goes_on_from_them() -> None:
    work = Casework(0, 1, default_deadlines())
    for line in LINES:
        assert work.restore(decode_event(line))
    [noted] = work.on_alert(alert("b", 2, "raised", severity=3), ms("2026-06-20 09:00"))
    assert noted.reason_code == "cooldown"
    assert broken_link([*(decode_event(line) for line in LINES), noted]) is None
