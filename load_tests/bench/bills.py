"""The bench's input: invented people, each a household, and their hospital bills as CloudEvents, the same every time.

Most people stay below 60 % of their line by construction. About 1.2 % of the bills lead over a line, late in the
stream; look-alikes end exactly on the line or had their dear bill more than a year ago.
"""

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from schemas.calendar import SHANGHAI

TODAY = date(2026, 6, 30)
TOLD = date(2026, 1, 5)
AREA = "339901001000"
CITY = "339901000000"
SOURCE = "urn:xinghe:medical-insurance"
LINES_FEN = {"TEKUN": 100_000, "DIBAO": 500_000, "DIBIAN": 1_000_000, "OTHER": 1_500_000}
"""Yearly self-paid line by scheme: 星河市 policy, medical_selfpay."""
SCHEMES = ("TEKUN", "DIBAO", "DIBAO", "DIBIAN", "OTHER")
DAYS = 400
CROSSING_SHARE = 0.012
DUPLICATE_SHARE = 0.01
OUTPATIENT = "OUTPATIENT"


class Resident(NamedTuple):
    """Somebody living alone, with the scheme held since 2024 (OTHER: none)."""

    person: str
    household: str
    scheme: str


class Bill(NamedTuple):
    """What the rule sees of one bill."""

    person: int
    number: int
    day: date
    self_paid_fen: int


@dataclass(frozen=True)
class Plan:
    """People and bills of one bench; equal arguments give equal bytes."""

    people: tuple[Resident, ...]
    bills: tuple[Bill, ...]
    order: tuple[int, ...]
    """Indices into `bills` in the order sent; about one in a hundred comes twice."""
    today: date = TODAY
    """The day asked about, that of the last bills."""

    def memberships(self) -> Iterator[tuple[bytes, bytes]]:
        """Key and value of one `civil.household` message per person."""
        told = min(TOLD, self.today)
        return ((each.person.encode(), membership_event(each, told)) for each in self.people)

    def messages(self) -> Iterator[tuple[bytes, bytes]]:
        """Key and value of one `medical.settlement` message per event."""
        for at in self.order:
            bill = self.bills[at]
            person = self.people[bill.person].person
            yield person.encode(), bill_event(bill, person)


def plan(events: int, households: int, seed: int = 1, today: date = TODAY) -> Plan:
    """Draws everything. `events` counts duplicates."""
    rnd = random.Random(seed)
    people = tuple(_resident(rnd, i) for i in range(households))
    unique = round(events * (1 - DUPLICATE_SHARE))
    owners = [rnd.randrange(households) for _ in range(unique)]
    mine: list[list[int]] = [[] for _ in range(households)]
    for at, owner in enumerate(owners):
        mine[owner].append(at)
    first = today - timedelta(days=DAYS - 1)
    days = [first + timedelta(days=at * DAYS // unique) for at in range(unique)]
    amounts = [0] * unique
    crossing = min(1.0, CROSSING_SHARE * events / households)
    for owner, own in enumerate(mine):
        _draw(rnd, own, LINES_FEN[people[owner].scheme], crossing, amounts, days, year_before(today))
    bills = tuple(Bill(owner, at, days[at], amounts[at]) for at, owner in enumerate(owners))
    return Plan(people, bills, tuple(_with_duplicates(rnd, unique, events)), today)


def year_before(on: date) -> date:
    """The same day a year earlier; bills of that day have left the window."""
    try:
        return on.replace(year=on.year - 1)
    except ValueError:  # 29 February
        return on.replace(year=on.year - 1, day=28)


def _resident(rnd: random.Random, number: int) -> Resident:
    digest = hashlib.sha256(f"bench/{number}".encode()).hexdigest()
    return Resident(f"p_{digest[:32]}", f"h_{digest[32:]}", rnd.choice(SCHEMES))


def _draw(
    rnd: random.Random,
    bills: list[int],
    line: int,
    crossing: float,
    amounts: list[int],
    days: list[date],
    before: date,
) -> None:
    if not bills:
        return
    share = line * 6 // 10 // len(bills)
    for at in bills:
        amounts[at] = rnd.randint(share // 5, share)
    lot = rnd.random()
    if lot < crossing:
        dear = bills[-1] if len(bills) < 2 or rnd.random() < 0.5 else bills[-2]
        amounts[dear] = line + rnd.randint(1, line * 5 // 2)
    elif lot < crossing + 0.02 and days[bills[0]] > before:
        amounts[bills[-1]] += line - sum(amounts[at] for at in bills)  # exactly on the line
    elif lot < crossing + 0.04 and days[bills[0]] <= before:
        amounts[bills[0]] = line * 3  # dear, but more than a year ago


def _with_duplicates(rnd: random.Random, unique: int, events: int) -> list[int]:
    order = list(range(unique))
    again = [(at + rnd.randint(1, 20_000), at) for at in rnd.sample(range(unique), events - unique)]
    keyed = [(float(at), at) for at in order] + [(min(later, unique) + 0.5, at) for later, at in again]
    return [at for _, at in sorted(keyed)]


def membership_event(resident: Resident, told: date = TOLD) -> bytes:
    """One `civil.household` CloudEvent: the head of a household of one."""
    by = {"source": "星河市民政局", "document": "星民认〔2024〕1号"}
    held = [{"scheme": resident.scheme, "since": "2024-01-01", **by}]
    data = {
        "household": resident.household,
        "relation": "HEAD",
        "valid_from": "2024-01-01",
        "born": "1968-04-01",
        "statuses": [] if resident.scheme == "OTHER" else held,
        "declared": {
            "hukou_area": AREA,
            "residence_area": AREA,
            "responsible_area": AREA,
            "incident_area": AREA,
            "monthly_income": 150_000,
            "income_period": "2025-01/2025-12",
            "income_document": "星民核〔2026〕3号",
        },
    }
    event = {
        "specversion": "1.0",
        "id": f"M-{resident.person[2:18]}",
        "source": "urn:xinghe:civil-affairs",
        "type": "lidm.civil.household",
        "subject": resident.person,
        "time": f"{told}T08:00:00+08:00",
        "recordedtime": f"{told}T08:00:00+08:00",
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def bill_event(bill: Bill, person: str) -> bytes:
    """One `medical.settlement` CloudEvent of about 600 bytes."""
    number, day, mine = bill.number, bill.day, bill.self_paid_fen
    pooled, outside = mine * 3 + 1200, mine // 7
    account = number % 4 * 900
    total = mine + pooled + outside + account
    second = f"{8 + number % 10:02d}:{number % 60:02d}:{number * 7 % 60:02d}"
    return (
        f'{{"specversion":"1.0","id":"MS-{number:09d}","source":"{SOURCE}","type":"lidm.medical.settlement",'
        f'"subject":"{person}","time":"{day}T{second}+08:00","recordedtime":"{day}T{second}+08:00",'
        f'"datacontenttype":"application/json","sequence":{number % 50},'
        f'"data":{{"settle_no":"S{day:%Y%m}-{number:09d}","settled_on":"{day}","visit":"{OUTPATIENT}",'
        f'"hospital":"H33990100{number % 97:03d}","disease":"J{number % 90 + 10}.900","total":{total},'
        f'"pooled_pay":{pooled},"critical_pay":0,"aid_pay":0,"account_pay":{account},'
        f'"in_catalogue_self_paid":{mine},"out_of_catalogue":{outside}}}}}'
    ).encode()


def noon_ms(day: date) -> int:
    """Noon in Beijing, in milliseconds since 1970."""
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI).timestamp() * 1000)
