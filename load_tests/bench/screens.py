"""What people look at, answered by a real ClickHouse that holds ten years of a city: 22,000 alerts and cases a year."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from deploy.local import ClickHouseServer
from load_tests.bench.latency import percentile
from schemas.alerts import Alert, Areas, Document, Threshold
from schemas.case_words import EventType
from sinks import kpi
from sinks.clickhouse import ClickHouseStore
from sinks.reads import Filter, cases_of, current_alerts, revisions
from sinks.rows import alert_row
from sinks.store import AlertStore
from sinks.tables import Row

YEARS, ALERTS_A_YEAR, TOWNS = 10, 22_000, 12
LAST_YEAR = 2026
STEPS = (
    EventType.OPENED, EventType.ACCEPTED, EventType.CONTACT_OPENED, EventType.VERIFIED, EventType.REFERRED,
    EventType.REFERRED, EventType.FEEDBACK, EventType.FEEDBACK, EventType.CLOSED,
)  # fmt: skip
STEP_JSON_BYTES = 500
ASKED = 20
INSERT_ROWS = 50_000
RULE = Document(title="星河市监测办法", number="星民〔2025〕1号", status="pilot")


def measure(folder: Path, years: int = YEARS) -> dict[str, Any]:
    """Milliseconds (p95 of 20, every time about something else) by question, and how many rows there were."""
    server = ClickHouseServer(folder / "clickhouse")
    server.start()
    try:
        store = ClickHouseStore(server.host, server.port, timeout_seconds=120)
        store.migrate()
        alerts, events = _fill(store, years)
        asked = {name: _p95_ms(question) for name, question in _questions(store, years).items()}
        engine = ".".join(map(str, store.version()))
        store.close()
    finally:
        server.stop()
    return {"engine": engine, "alert_rows": alerts, "case_event_rows": events, "years": years,
            "p95_ms": asked, "worst_p95_ms": max(asked.values())}  # fmt: skip


def _questions(store: AlertStore, years: int) -> dict[str, Callable[[int], object]]:
    last = years * ALERTS_A_YEAR

    def one(turn: int) -> object:
        alert = alert_id(last * turn // ASKED)
        return revisions(store, alert), cases_of(store, alert)

    return {
        "town_alerts": lambda turn: current_alerts(store, Filter(areas=[town(turn)], standing=True)),
        "city_alerts": lambda turn: current_alerts(store, Filter(standing=True, detector=("A", "B")[turn % 2])),
        "one_alert": one,
        "figures_month": lambda turn: kpi.figures(store, month(turn, years), month(turn, years)),
        "figures_year": lambda turn: kpi.figures(store, *year(turn, years)),
    }


def _p95_ms(question: Callable[[int], object]) -> float:
    took = []
    for turn in range(-2, ASKED):  # two to warm up
        began = time.monotonic()
        question(max(turn, 0))
        if turn >= 0:
            took.append(round((time.monotonic() - began) * 10_000))
    return percentile(took, 95) / 10


def _fill(store: AlertStore, years: int) -> tuple[int, int]:
    counts = []
    for table, rows in (("alerts", _alerts(years)), ("case_events", _case_events(years))):
        count = 0
        while batch := list(islice(rows, INSERT_ROWS)):
            store.insert_rows(table, batch, f"{table}-{count}")
            count += len(batch)
        counts.append(count)
    return counts[0], counts[1]


def _alerts(years: int) -> Iterator[Row]:
    for number in range(years * ALERTS_A_YEAR):
        first = _alert(number, years)
        yield alert_row(first, first.model_dump_json())
        if number % 20:  # one in twenty still stands
            ended = first.model_copy(update={"revision": 2, "state": "lapsed", "on": first.on + timedelta(days=60)})
            yield alert_row(ended, ended.model_dump_json())


def _alert(number: int, years: int) -> Alert:
    on = day_of(number, years)
    area = town(number)
    return Alert(
        alert_id=alert_id(number),
        revision=1,
        state="raised",
        household=f"h_{number:032x}",
        areas=Areas(hukou=area, residence=area, responsible=area, incident=area),
        detector=("A", "B")[number % 2],
        detector_version="1.0.0",
        family="risk",
        subject="CHILD",
        cause="year",
        since=on,
        severity=2,
        measure=5_200_000,
        unit="fen",
        threshold=Threshold(value=5_000_000, document=RULE, policy="0123456789ab"),
        reason="子女本年度医疗个人负担52,000元，超过预警线50,000元",
        evidence=[],
        coverage=[],
        baseline=False,
        on=on,
        known_at=datetime(on.year, on.month, on.day, tzinfo=UTC),
    )


def _case_events(years: int) -> Iterator[Row]:
    rng = random.Random(1)
    for number in range(years * ALERTS_A_YEAR):
        at = round(datetime.combine(day_of(number, years), datetime.min.time(), UTC).timestamp() * 1000)
        case, household, alert = f"c_{number:032x}", f"h_{number:032x}", alert_id(number)
        for seq, step in enumerate(STEPS, 1):
            at += rng.randrange(1, 3 * 86_400_000)
            mine = alert if step is EventType.OPENED else ""
            evidence = int(step is EventType.VERIFIED)
            text = f'{{"case_id":"{case}","previous_digest":"{rng.getrandbits(256):064x}"'.ljust(STEP_JSON_BYTES) + "}"
            yield (case, seq, household, "help", step.value, at, "u1", "officer", "", evidence, "", mine, 1, text)


def day_of(number: int, years: int) -> date:
    """Alerts are spread evenly over the years."""
    begin = date(LAST_YEAR - years + 1, 1, 1)
    return begin + timedelta(days=number * 365 // ALERTS_A_YEAR)


def alert_id(number: int) -> str:
    """Looks like an alert's id; spread over the key as real ones are."""
    spread = number * 2_654_435_761 % 2**32
    return f"{spread:08x}-0000-5000-8000-{number:012x}"


def town(number: int) -> str:
    """Area code of one of the invented towns."""
    return f"339901{number % TOWNS + 1:03d}000"


def month(turn: int, years: int) -> str:
    """A month of one of the years."""
    return f"{LAST_YEAR - turn % years}-{turn % 12 + 1:02d}"


def year(turn: int, years: int) -> tuple[str, str]:
    """The first and last month of one of the years."""
    return f"{LAST_YEAR - turn % years}-01", f"{LAST_YEAR - turn % years}-12"
