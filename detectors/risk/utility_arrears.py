"""UTILITY-ARREARS 水电气欠费: bills of water, light or gas stay unpaid over several billing months, or a notice is out.

A household detector on bills of accounts somebody of the household lives behind. A home let or empty does not count.
Using far less electricity than a year before only supports: alone it says nothing, because people travel, lie in
hospital or put up a roof of cells. It compares a meter with itself and looks at nobody next door.
"""

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import left_on, residents, staying
from detectors.registry import Family, Sure, detector
from detectors.spans import Span, ends, holding, next_edge, unbroken_since
from households.ledger import HOUSEHOLD, Household
from households.queries import page_of
from policy.parameters import Policy, Rule, severity
from schemas.facts import AnyFact, first_day, month_of
from schemas.facts_living import UtilityBill, UtilityUse
from schemas.feeds.utility import Utility
from schemas.labels import yuan

_FEED = "utility.bill"


class _Open(NamedTuple):
    """What is open of a billing month; `cut_off`: it counts because a notice is out."""

    bill: UtilityBill
    cut_off: bool


class _Drop(NamedTuple):
    """A meter's newest complete month and those it was compared with, newest first, each before its baseline."""

    uses: tuple[UtilityUse, ...]
    percent: int


def _unpaid(fact: AnyFact) -> int:
    """What is open of a bill for a home somebody lives in; 0 for everything else."""
    if fact.__class__ is not UtilityBill or fact.gone or not fact.lives_there:
        return 0
    return max(0, fact.amount_fen - fact.paid_fen)


def _may_owe(household: Household, oldest: str) -> bool:
    """Whether any bill of these half-years is open; known per page, because meters are read every day."""
    for name in household.pages:
        if name >= oldest and household.pages.may_hold_kind(name, UtilityBill):
            memo = household.page_memo.setdefault(name, {})
            if _unpaid not in memo:
                memo[_unpaid] = household.pages.sum(name, _unpaid)
            if memo[_unpaid]:
                return True
    return False


def _oldest(on: date, rule: Rule) -> str:
    """The half-year of the oldest bill that counts on a day."""
    return page_of(first_day(month_of(on.toordinal()) - rule.number("looks_back_months")))


def _owes_nothing(on: date, policy: Policy, area: str) -> Sure:
    oldest = _oldest(on, policy.rule("utility_arrears", area))

    def sure(household: Household) -> bool:
        return not _may_owe(household, oldest)

    return sure


@detector(
    code="UTILITY-ARREARS",
    version="1.1.0",
    family=Family.RISK,
    listens=("utility.bill", "utility.usage", "civil.household", "vital.death"),
    rule="utility_arrears",
    quiet=_owes_nothing,
    trial=True,
)
def utility_arrears(household: Household, on: date, policy: Policy) -> Findings:
    """One breach for the household while an account has the billing months overdue, or a notice of being cut off.

    Overdue from the day after `due_on`; a bill counts for the months the place looks back. No feed tells the day of
    payment, so what was paid in full counts as paid in time. `since` is the first day of the unbroken stretch.
    Measure: months open on the account with most of them, or notices. One level more while electricity stays, for two
    complete months, under a share of the same months a year before.
    """
    findings = Findings.covering(household, on, policy, _FEED)
    rule = policy.rule("utility_arrears", household.responsible_area)
    today = on.toordinal()
    if not _may_owe(household, _oldest(on, rule)) or not staying(household, today):
        return findings
    spans = _spans(household, rule)
    findings.recheck(next_edge(ends(spans), today))
    since = unbroken_since(spans, today, lambda items: _in_arrears(items, rule))
    if since is not None:
        drop = _drop(household, today, rule)
        findings.add(_breach(holding(spans, today), drop, since, rule))
        findings.recheck(date.fromordinal(first_day(month_of(today) + 1)))
    return findings


def _spans(household: Household, rule: Rule) -> list[Span[_Open]]:
    """When open bills count, each from the day it is overdue and from the day of its notice."""
    spans: list[Span[_Open]] = []
    for person in residents(household):
        for bill in household.of_kind(UtilityBill, person, day_to=left_on(household, person)):
            if not bill.lives_there or bill.amount_fen - bill.paid_fen < rule.number("smallest"):
                continue
            after = first_day(bill.month + rule.number("looks_back_months"))
            spans.append(Span(bill.due_on + 1, after, _Open(bill, False)))
            if bill.notice_on is not None:
                spans.append(Span(bill.notice_on, after, _Open(bill, True)))
    return [each for each in spans if each.first < each.after]


def _months(items: list[_Open]) -> int:
    """Overdue months of the account with most of them."""
    by_account: dict[tuple[str, str], int] = defaultdict(int)
    for each in items:
        by_account[each.bill.utility, each.bill.account] += not each.cut_off
    return max(by_account.values(), default=0)


def _notices(items: list[_Open]) -> int:
    return sum(each.cut_off for each in items)


def _in_arrears(items: list[_Open], rule: Rule) -> bool:
    return _months(items) >= rule.number("periods") or _notices(items) >= rule.number("notices")


def _drop(household: Household, today: int, rule: Rule) -> _Drop | None:
    """The first electricity meter that fell under the share of its own baseline in each of the newest months."""
    meters: dict[str, dict[int, UtilityUse]] = defaultdict(dict)
    for person in residents(household):
        for use in household.of_kind(UtilityUse, person):
            complete = use.as_of == first_day(use.month + 1) - 1
            if use.utility == Utility.ELECTRICITY and complete and use.as_of < today:
                meters[use.meter][use.month] = use
    wanted, line = rule.number("drop_months"), rule.number("drop_percent")
    for _, months in sorted(meters.items()):
        newest = max(months)
        compared = [(months.get(newest - back), months.get(newest - back - 12)) for back in range(wanted)]
        pairs = [(now, then) for now, then in compared if now is not None and then is not None and then.quantity > 0]
        low = [pair for pair in pairs if pair[0].quantity * 100 < pair[1].quantity * line]
        if newest >= month_of(today) - rule.number("drop_age_months") and len(low) == wanted > 0:
            share = max(now.quantity * 100 // then.quantity for now, then in low)
            return _Drop(tuple(use for pair in low for use in pair), share)
    return None


def _hint(drop: _Drop | None) -> str:
    """Why to ring before anybody calls at the door."""
    if drop is None:
        return ""
    how = f"只有去年同月的{drop.percent}%" if drop.percent else "几乎为零"
    return f"；近月用电{how}，可能外出或住院，请先电话联系"


def _breach(items: list[_Open], drop: _Drop | None, since: int, rule: Rule) -> Breach:
    months, notices = _months(items), _notices(items)
    by_months = months >= rule.number("periods")
    line = rule.mark("periods" if by_months else "notices")
    bills = {each.bill.key: each.bill for each in items}
    total = sum(each.amount_fen - each.paid_fen for each in bills.values())
    sorts = "、".join(f"{each.label}费" for each in Utility if any(b.utility == each for b in bills.values()))
    level = severity(rule.steps("bands"), months) + (drop is not None)
    return Breach(
        cause=HOUSEHOLD,
        subject="HOUSEHOLD",
        since=date.fromordinal(since),
        severity=min(level, 4),
        measure=months if by_months else notices,
        unit="periods" if by_months else "notices",
        threshold=line,
        reason=(
            f"{sorts}共{len(bills)}笔到期未缴，合计{yuan(total)}，同一户号最多{months}个账期"
            f"{'，已发停供通知' if notices else ''}{_hint(drop)}"
            f"（满{rule.number('periods')}个账期或收到停供通知提示，{line.cited}）"
        ),
        evidence=(
            *(
                EvidenceItem(each.key, _FEED, each.source, each.day, each.amount_fen - each.paid_fen)
                for _, each in sorted(bills.items(), key=lambda pair: (pair[1].day, pair[0]))
            ),
            *(
                EvidenceItem(each.key, UtilityUse.feed, each.source, each.day, each.quantity)
                for each in (drop.uses if drop is not None else ())
            ),
        ),
    )
