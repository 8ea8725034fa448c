"""A feed nobody listens to yet costs the embedded service nothing, and is read as soon as somebody publishes it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kafka import KafkaConsumer

from load_tests.chaos.fleet import wait_until
from schemas.feed import FEEDS
from schemas.topics import feed_topic
from tests.live.service import Service, number_of, roster, service

pytestmark = pytest.mark.timeout(240)
YESTERDAY = (datetime.now(UTC) + timedelta(hours=8) - timedelta(days=1)).date().isoformat()
LEAD = {"category": "CARE", "found_on": YESTERDAY, "area": "339901001000", "found_by": "GRID"}
PAID = {
    "employer": "E1", "employer_kind": "COMPANY", "base": 5, "pension": "yes", "medical": "yes", "unemployment": "yes",
    "back_paid": "no", "paid_on": YESTERDAY, "month": YESTERDAY[:7],
}  # fmt: skip


def there(running: Service) -> set[str]:
    """The feed topics of the broker."""
    consumer = KafkaConsumer(bootstrap_servers=running.broker, api_version=(2, 0))
    try:
        return set(consumer.topics()) & {spec.topic for spec in FEEDS.every}
    finally:
        consumer.close()


def test_an_unused_feed_has_no_topic_and_gets_one_when_it_is_published(tmp_path: Path) -> None:
    with service(tmp_path / "data", "utility.bill") as running:
        began = there(running)
        assert feed_topic("utility.bill") in began, "named by the caller"
        assert feed_topic("civil.household") in began
        assert feed_topic("medical.settlement") in began
        assert len(began) < 15, "an embedded service reads forty topics for eleven"
        running.call("roster", "load", str(roster(tmp_path / "roster.csv", range(30))))
        for feed, row in (("grid.lead", LEAD), ("employment.contribution.v2", PAID)):
            file = tmp_path / f"{feed}.jsonl"
            lines = [{**row, "identity": number_of(n), "lead_no": f"L{n}"} for n in range(30)]
            for line in lines:
                if feed != "grid.lead":
                    del line["lead_no"]
            file.write_text("".join(json.dumps(line) + "\n" for line in lines))
            running.call("feed", "publish", feed, str(file))
        assert there(running) - began == {feed_topic("grid.lead"), "feeds.employment.contribution.v2"}
        for kind in ("grid.lead", "employment.contribution"):
            wait_until(lambda kind=kind: counted(running, kind) == 30, 60, f"{kind} is not read")
        code, _ = running.stop()
        assert code == 0


def counted(running: Service, kind: str) -> int:
    """Events of a feed that intake has read and sent to households."""
    strangers = running.counted("lidm_events_out_of_scope_total", feed=kind)
    return running.counted("lidm_events_in_total", feed=kind) - strangers
