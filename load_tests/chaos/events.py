"""CloudEvents of invented people as departments' systems would send them, with the time a driver gives them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import msgspec

from schemas.calendar import SHANGHAI
from schemas.feed import FEEDS
from schemas.partition import partition_of

SOURCE = "urn:lidm:chaos"
CITY = "339901000000"
TOWN = "339901001000"
Operation = Literal["record", "correct", "reverse"]
Json = dict[str, object]
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Message:
    """One message for the broker, complete."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes the events of one moment: recorded and known then."""

    at: datetime
    partitions: int

    @property
    def ms(self) -> int:
        """The moment in milliseconds."""
        return int(self.at.timestamp() * 1000)

    def event(
        self,
        kind: str,
        name: str,
        person: str,
        data: Json,
        day: date,
        *,
        operation: Operation = "record",
        batch: str | None = None,
    ) -> Message:
        """One event of a feed, in the partition of its person."""
        happened = min(datetime(day.year, day.month, day.day, 8, tzinfo=SHANGHAI), self.at)
        event: Json = {
            "specversion": "1.0",
            "id": name,
            "source": SOURCE,
            "type": f"lidm.{kind}",
            "subject": person,
            "time": happened.isoformat(),
            "recordedtime": self.at.isoformat(),
            "operation": operation,
            "data": data,
        }
        if batch is not None:
            event["batchid"] = batch
        return self.message(kind, person, _encode(event))

    def message(self, kind: str, person: str, value: bytes) -> Message:
        """Any bytes, where events of this person go."""
        key = person.encode()
        return Message(FEEDS[kind].topic, partition_of(key, self.partitions), key, value, self.ms)

    def manifests(
        self,
        what: Literal["begin", "end"],
        kind: str,
        batch: str,
        period: str,
        rows: list[int],
        mode: str = "delta",
    ) -> list[Message]:
        """Begin or end of a batch in every partition."""
        return [
            Message(FEEDS[kind].topic, p, batch.encode(), self._manifest(what, kind, batch, period, n, mode), self.ms)
            for p, n in enumerate(rows)
        ]

    def _manifest(self, what: str, kind: str, batch: str, period: str, rows: int, mode: str) -> bytes:
        return _encode(
            {
                "specversion": "1.0",
                "id": f"{batch}-{what}",
                "source": SOURCE,
                "type": f"lidm.batch.{what}",
                "time": self.at.isoformat(),
                "recordedtime": self.at.isoformat(),
                "batchid": batch,
                "data": {
                    "feed": kind,
                    "period": period,
                    "areas": [CITY],
                    "mode": mode,
                    "rows": rows,
                    "nothing_happened": False,
                },
            }
        )


def bill(settle_no: str, day: date, fen: int) -> Json:
    """A bill of which the person pays everything."""
    return {
        "settle_no": settle_no,
        "settled_on": day.isoformat(),
        "visit": "INPATIENT",
        "hospital": "H33990100001",
        "total": fen,
        "pooled_pay": 0,
        "critical_pay": 0,
        "aid_pay": 0,
        "account_pay": 0,
        "in_catalogue_self_paid": fen,
        "out_of_catalogue": 0,
    }


def refund(settle_no: str, number: str, day: date, fen: int) -> Json:
    """A later payer of a bill."""
    return {
        "settle_no": settle_no,
        "payer": "惠民保",
        "reimburse_no": number,
        "paid_on": day.isoformat(),
        "amount": fen,
    }


def rent(contract: str, month: str, due: date, paid: int) -> Json:
    """Rent of 420 yuan for one period."""
    return {
        "contract": contract,
        "billing_period": month,
        "item": "bill",
        "amount": 42_000,
        "paid": paid,
        "due_on": due.isoformat(),
    }


def membership(
    household: str, since: date, relation: str, born: date, *, until: date | None = None, dibao: bool = False
) -> Json:
    """A person in a household of the invented town; the head's brings what was decided for all."""
    data: Json = {
        "household": household,
        "relation": relation,
        "valid_from": since.isoformat(),
        "born": born.isoformat(),
    }
    if until is not None:
        data["valid_to"] = until.isoformat()
    if dibao:
        data["statuses"] = [
            {"scheme": "DIBAO", "since": "2024-01-01", "source": "星河市民政局", "document": "星民认〔2024〕1号"}
        ]
    if relation == "HEAD":
        data["declared"] = {
            "hukou_area": TOWN,
            "residence_area": TOWN,
            "responsible_area": TOWN,
            "incident_area": TOWN,
            "monthly_income": 900_000,
            "income_period": "2024-01/2024-12",
            "income_document": "星民核〔2024〕3号",
        }
    return data
