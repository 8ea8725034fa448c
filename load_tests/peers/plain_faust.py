"""MED-SELFPAY as a Faust user writes it: agents over feeds, one Table for schemes, one for bills, one write per event.

Start: `PLAIN_BROKER=host:port PLAIN_TODAY=2026-06-30 python -m load_tests.peers.plain_faust worker -l info`.
Reads the same bytes as the product and sends `{household, since, severity, measure, line}` to `plain.alerts`
whenever what it has to say about somebody changes.
"""

import os
from datetime import date

import faust

LINES = {"TEKUN": 100_000, "DIBAO": 500_000, "DIBIAN": 1_000_000, "OTHER": 1_500_000}
TODAY = date.fromisoformat(os.environ.get("PLAIN_TODAY", "2026-06-30"))
YEAR_AGO = TODAY.replace(year=TODAY.year - 1)
PARTITIONS = 4

app = faust.App(
    "plain-faust",
    broker=f"kafka://{os.environ.get('PLAIN_BROKER', '127.0.0.1:9092')}",
    datadir=os.environ.get("PLAIN_FOLDER", ".plain-faust"),
    store="memory://",
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
)


class Settlement(faust.Record):
    """The part of a bill's data the rule needs."""

    settle_no: str
    settled_on: str
    in_catalogue_self_paid: int


class SettlementEvent(faust.Record):
    """A CloudEvent with a bill."""

    id: str
    subject: str
    data: Settlement


class Member(faust.Record):
    """The part of a membership the rule needs."""

    household: str
    statuses: list[dict[str, str]]


class MemberEvent(faust.Record):
    """A CloudEvent with a membership."""

    subject: str
    data: Member


settlements = app.topic("feeds.medical.settlement.v1", value_type=SettlementEvent)
members = app.topic("feeds.civil.household.v1", value_type=MemberEvent)
alerts = app.topic("plain.alerts", value_serializer="json")
people = app.Table("people")
ledgers = app.Table("ledgers")


@app.agent(members)
async def enrol(stream: faust.StreamT[MemberEvent]) -> None:
    """Remembers who lives where and under which scheme."""
    async for event in stream:
        held = event.data.statuses
        people[event.subject] = {"household": event.data.household, "scheme": held[0]["scheme"] if held else "OTHER"}


@app.agent(settlements)
async def judge(stream: faust.StreamT[SettlementEvent]) -> None:
    """Adds a bill to the person's ledger and says so when the year's sum is above the line."""
    async for event in stream:
        person, bill = people.get(event.subject), event.data
        ledger = ledgers.get(event.subject) or {"bills": {}, "told": None}
        if person is None or bill.settle_no in ledger["bills"]:
            continue
        ledger["bills"][bill.settle_no] = [bill.settled_on, bill.in_catalogue_self_paid]
        told = decide(list(ledger["bills"].values()), LINES[person["scheme"]])
        if told != ledger["told"]:
            ledger["told"] = told
            await alerts.send(key=person["household"], value={"household": person["household"], **(told or {})})
        ledgers[event.subject] = ledger


def decide(bills: list[list[str | int]], line: int) -> dict[str, str | int] | None:
    """What there is to say about a person's bills, None while the year's sum is not above the line."""
    dated = [(date.fromisoformat(str(day)), int(fen)) for day, fen in bills]
    paid = sum(fen for day, fen in dated if YEAR_AGO < day <= TODAY)
    if paid <= line:
        return None
    severity = 4 if paid >= 3 * line else 3 if paid >= 2 * line else 2
    return {"since": str(_since(dated, line)), "severity": severity, "measure": paid, "line": line}


def _since(dated: list[tuple[date, int]], line: int) -> date:
    changes: dict[date, int] = {}
    for day, fen in dated:
        leaves = day.replace(year=day.year + 1)
        changes[day] = changes.get(day, 0) + fen
        changes[leaves] = changes.get(leaves, 0) - fen
    total, since = 0, None
    for day in sorted(changes):
        if day > TODAY:
            break
        total += changes[day]
        since = None if total <= line else since or day
    return since or TODAY


if __name__ == "__main__":
    app.main()
