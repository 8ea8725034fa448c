"""Rows as departments hold them: plain identity number, the model's English field names, money in fen.

One function per feed, so that a changed field of a feed is changed here and nowhere else in the city.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

Value = str | int | date | None


class Row(NamedTuple):
    """One line of a department's file; `recorded` is None when the file's own time is meant."""

    feed: str
    identity: str
    values: Mapping[str, Value]
    operation: str = "record"
    recorded: datetime | None = None


def bill(identity: str, number: str, day: date, self_paid_fen: int, visit: str = "OUTPATIENT") -> Row:
    """A settled bill of which `self_paid_fen` inside the catalogue was paid by the patient."""
    pooled = self_paid_fen * 2 + 1_500
    aid = self_paid_fen // 4
    account = 1_000
    outside = self_paid_fen // 10
    values: dict[str, Value] = {
        "settle_no": number,
        "settled_on": day,
        "visit": visit,
        "hospital": "H33990100001",
        "total": pooled + aid + account + self_paid_fen + outside,
        "pooled_pay": pooled,
        "critical_pay": 0,
        "aid_pay": aid,
        "account_pay": account,
        "in_catalogue_self_paid": self_paid_fen,
        "out_of_catalogue": outside,
    }
    return Row("medical.settlement", identity, values)


def refund(identity: str, number: str, settle_no: str, day: date, amount_fen: int) -> Row:
    """A later payer takes over part of a bill."""
    values: dict[str, Value] = {
        "settle_no": settle_no,
        "payer": "示例惠民保",
        "reimburse_no": number,
        "paid_on": day,
        "amount": amount_fen,
    }
    return Row("medical.reimbursement", identity, values)


def contribution(identity: str, month: date, employer: str, base_fen: int = 450_000) -> Row:
    """Employee insurance paid for a month."""
    values: dict[str, Value] = {"month": f"{month:%Y-%m}", "employer": employer, "base": base_fen}
    return Row("employment.contribution", identity, values)


def employment(identity: str, kind: str, start: date, end: date | None = None) -> Row:
    """A spell of an employment status."""
    values: dict[str, Value] = {"kind": kind, "start": start, "until": end}
    return Row("employment.status", identity, values)


def rent(identity: str, contract: str, period: date, amount_fen: int, paid_fen: int, due: date) -> Row:
    """What a tenant owed and paid for one billing period."""
    values: dict[str, Value] = {
        "contract": contract,
        "billing_period": f"{period:%Y-%m}",
        "item": "bill",
        "amount": amount_fen,
        "paid": paid_fen,
        "due_on": due,
    }
    return Row("housing.security", identity, values)


def deferral(identity: str, contract: str, period: date, amount_fen: int, due: date, until: date) -> Row:
    """An agreement that one billing period may wait until `until`."""
    values: dict[str, Value] = {
        "contract": contract,
        "billing_period": f"{period:%Y-%m}",
        "item": "deferral",
        "amount": amount_fen,
        "due_on": due,
        "until": until,
    }
    return Row("housing.security", identity, values)


def relief(identity: str, contract: str, period: date, amount_fen: int) -> Row:
    """A decision to forgive part of one billing period."""
    values: dict[str, Value] = {
        "contract": contract,
        "billing_period": f"{period:%Y-%m}",
        "item": "relief",
        "amount": amount_fen,
    }
    return Row("housing.security", identity, values)


def benefit(identity: str, scheme: str, month: date, amount_fen: int) -> Row:
    """A benefit paid for a month."""
    values: dict[str, Value] = {"scheme": scheme, "month": f"{month:%Y-%m}", "amount": amount_fen}
    return Row("civil.benefit", identity, values)


def death(identity: str, day: date, source: str = "health") -> Row:
    """One source's report of a death."""
    values: dict[str, Value] = {"died_on": day, "reported_by": source}
    return Row("vital.death", identity, values)


def reversed_row(row: Row, recorded: datetime | None = None) -> Row:
    """The department takes a row back."""
    return row._replace(operation="reverse", recorded=recorded)


def corrected(row: Row, **changes: Value) -> Row:
    """The department corrects fields of a row it sent before."""
    return row._replace(operation="correct", values={**row.values, **changes})
