"""An embedded service that was restarted holds back amounts in another unit from its first row on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from load_tests.chaos.fleet import wait_until
from schemas.calendar import SHANGHAI
from schemas.feed_reports import CardReport, encode_report
from schemas.records import encode_block
from sinks.embedded import EmbeddedStore
from tests.live.city import lidm
from tests.live.service import number_of, roster, service
from tests.sinks.test_feed_cards import OWNER
from tests.sinks.test_feedcard import KIND, Intake
from tests.streams.making import policy_record

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
CITY = "339901000000"
DAYS = 5


@contextmanager
def archive(folder: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(folder / "store")
    try:
        store.migrate()
        yield store
    finally:
        store.close()


def card_of(day: date) -> CardReport:
    """An ordinary day: forty wages of some thousand yuan."""
    return CardReport(
        KIND, OWNER, "day", day.isoformat(), int(datetime.now(SHANGHAI).timestamp() * 1000), "month", True, "", "", "",
        0, 40, 40, 0, 0, 0, {}, 0, 0, {}, {}, {"base": {19: 40}}, 40, {}, {}, 40, 0,
    )  # fmt: skip


def test_a_restarted_service_knows_what_is_usual_before_it_reads(tmp_path: Path) -> None:
    """Cards of the days before and the policy lie in the archive, as a service that ran until yesterday left them."""
    today = datetime.now(SHANGHAI).date()
    with archive(tmp_path) as store:
        intake = Intake(store)
        for back in range(1, DAYS + 1):
            intake.put(encode_report(card_of(today - timedelta(days=back))))
        store.insert_rows("household_log", [("g1", 0, 0, 1, encode_block([policy_record(1)]))], "policy")
    with service(tmp_path, area=CITY) as running:
        [usual] = running.said("feed", "amounts", KIND)
        assert (usual["field"], 52 < usual["from_fen"] < 520_000 < usual["below_fen"]) == ("base", True)
        running.call("roster", "load", str(roster(tmp_path / "roster.csv", range(2))))
        rows = [{"identity": number_of(n), "id": f"c{n}", "month": "2026-01", "base": base, "employer": f"E{n}"}
                for n, base in enumerate((520_000, 52))]  # fmt: skip
        file = tmp_path / "paid.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        _, out, err = lidm(tmp_path, "feed", "publish", KIND, str(file), "--json")
        sent = json.loads(out)
        assert (sent["sent"], sent["bad"]) == (1, 1), err
        wait_until(lambda: running.counted("lidm_events_in_total", feed=KIND) == 1, 60, "the row is missing")
