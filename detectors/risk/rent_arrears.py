"""RENT-ARREARS 公租房欠缴: a tenant family has not managed to pay the rent of several billing periods."""

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import any_of, left_on, residents, staying
from detectors.registry import Family, detector
from households.ledger import Household
from policy.parameters import Policy, Rule, severity
from schemas.facts import Rent
from schemas.labels import yuan

_FEED = "housing.security"


class _Period(NamedTuple):
    """One billing period after relief: what is open, from which day on it is overdue, and until when it was."""

    bill: Rent
    open_fen: int
    overdue_from: int
    settled_on: int | None

    def overdue(self, day: int) -> bool:
        """Whether the rent was due and open on a day."""
        return self.overdue_from <= day and (self.settled_on is None or day < self.settled_on)


@detector(
    code="RENT-ARREARS",
    version="1.1.0",
    family=Family.RISK,
    listens=("housing.security", "civil.household", "vital.death"),
    rule="rent_arrears",
)
def rent_arrears(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per contract with so many billing periods overdue after relief and outside an agreed deferral.

    Rent is overdue from the day after `due_on`, deferred rent from the end of the deferral. Rent paid in full on a
    later day was overdue until then; paid in full without a day counts as paid in time. A tenant who left owes here
    for the periods begun before; where nobody lives any more there is nobody to visit. `since` is the first day of the
    unbroken stretch with that many periods overdue, under this rule. Measure: periods.
    """
    findings = Findings.covering(household, on, policy, _FEED)
    today = on.toordinal()
    if not any_of(household, Rent) or not staying(household, today):
        return findings
    rule = policy.rule("rent_arrears", household.responsible_area)
    for contract, periods in sorted(_periods(household).items()):
        days = sorted({day for each in periods for day in (each.overdue_from, each.settled_on) if day is not None})
        findings.recheck(next((date.fromordinal(day) for day in days if day > today), None))
        since = None
        for day in (each for each in days if each <= today):
            enough = sum(each.overdue(day) for each in periods) >= rule.number("periods")
            since = (since or day) if enough else None
        if since is not None:
            overdue = [each for each in periods if each.overdue(today)]
            findings.add(_breach(household, contract, overdue, max(since, rule.since.toordinal()), rule))
    return findings


def _periods(household: Household) -> dict[str, list[_Period]]:
    """Billing periods by contract that are or were overdue."""
    by_period: dict[tuple[str, int], list[Rent]] = defaultdict(list)
    for tenant in residents(household):
        for rent in household.rents(tenant, day_to=left_on(household, tenant)):
            by_period[rent.contract, rent.day].append(rent)
    found: dict[str, list[_Period]] = defaultdict(list)
    for (contract, _), records in sorted(by_period.items()):
        period = _period(records)
        if period is not None:
            found[contract].append(period)
    return found


def _period(records: list[Rent]) -> _Period | None:
    bill = next((each for each in records if each.item == "bill"), None)
    if bill is None:
        return None
    due_fen = bill.amount_fen - sum(each.amount_fen for each in records if each.item == "relief")
    deferred = max((each.until or 0 for each in records if each.item == "deferral"), default=0)
    overdue_from = max(bill.due_on + 1, deferred)
    if bill.paid_fen < due_fen:
        return _Period(bill, due_fen - bill.paid_fen, overdue_from, None)
    late = due_fen > 0 and bill.until is not None and bill.until > overdue_from
    return _Period(bill, due_fen, overdue_from, bill.until) if late else None


def _breach(household: Household, contract: str, overdue: list[_Period], since: int, rule: Rule) -> Breach:
    line = rule.mark("periods")
    open_fen = sum(each.open_fen for each in overdue)
    return Breach(
        cause=contract,
        subject="HOUSEHOLD",
        since=date.fromordinal(since),
        severity=severity(rule.steps("bands"), len(overdue)),
        measure=len(overdue),
        unit="periods",
        threshold=line,
        reason=(
            f"公租房租金{len(overdue)}个账期到期未缴，扣除减免后共{yuan(open_fen)}，不在缓缴期内"
            f"（满{line.value}个账期提示，{line.cited}）"
        ),
        evidence=tuple(
            EvidenceItem(each.bill.key, _FEED, each.bill.source, each.bill.day, each.open_fen) for each in overdue
        ),
        person=_tenant(household, overdue),
    )


def _tenant(household: Household, overdue: list[_Period]) -> str | None:
    """The member who signed, so that the breach goes along when that person moves."""
    keys = {each.bill.key for each in overdue}
    tenants = (person for person in residents(household) if keys & {each.key for each in household.rents(person)})
    return next(tenants, None)
