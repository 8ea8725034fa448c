"""RIGID-RATIO 刚性支出占比: treatment and plain living take too large a part of what a declared household earns."""

from datetime import date
from typing import NamedTuple

from detectors.burden import (
    Charge,
    Counting,
    above_since,
    at_most,
    charges,
    evidence,
    inside,
    next_change,
    rolling_year,
)
from detectors.findings import Breach, Findings
from detectors.people import earliest, edges, living
from detectors.registry import Family, detector
from households.ledger import HOUSEHOLD, Household
from policy.parameters import Policy, Rule
from schemas.labels import yuan

_MONTHS = 12
_UNSEEN = ("education.fee", "disability.rehabilitation")
_HIGHEST = 999


class _Account(NamedTuple):
    """The two columns, fen in twelve months, and the ratio in percent they are held against."""

    people: int
    living: int
    income: int
    ratio: int
    document: str

    @property
    def needed(self) -> int:
        """The medical burden at which the ratio is reached; living alone never reaches it."""
        return max(1, -(-self.ratio * self.income // 100) - self.living)

    def percent(self, medical: int) -> int:
        """Spending in percent of income, rounded down."""
        return min(_HIGHEST, (medical + self.living) * 100 // self.income) if self.income else _HIGHEST


@detector(
    code="RIGID-RATIO",
    version="1.0.0",
    family=Family.RISK,
    listens=("medical.settlement", "medical.reimbursement", "civil.household", "vital.death"),
    rule="rigid_ratio",
    standards=("dibao_month",),
    optional=("disposable_income_year",),
)
def rigid_ratio(household: Household, on: date, policy: Policy) -> Findings:
    """A breach when (medical burden of 12 months + living at L) / assessed income of 12 months reaches the local ratio.

    Only for declared households, because only those have an assessed income (核定收入); without one: `Insufficient`.
    L is the local 低保 standard per living member. Low income alone is no breach: somebody must have paid for
    treatment. A household at or above the mean disposable income per person, where the place publishes it, is not
    meant. Education and rehabilitation are spending of the rule that no feed brings yet; every breach says so.
    """
    declared = household.declared_on(on)
    if declared is None:
        return Findings()
    findings = Findings.covering(household, on, policy, "medical.settlement")
    area, today = declared.responsible_area, on.toordinal()
    findings.recheck(policy.next_change("dibao_month", area))
    if declared.monthly_income_fen is None:
        findings.lacks("civil.household", None)
        return findings
    rule = policy.rule("rigid_ratio", area)
    account = _account(household, today, policy, rule, area)
    if account is None:
        return findings
    window, counting = rolling_year(today), rule.read(Counting.of)
    if at_most(household, window.first, counting) < account.needed:
        return findings
    found = charges(household, _people(household, today), counting)
    above = above_since(found, window, account.needed)
    findings.recheck(next_change(found, window))
    if above is not None:
        since = _since(household, found, above, today, policy, rule, area)
        findings.add(_breach(inside(found, window), since, account, rule))
        for feed in _UNSEEN:
            findings.unseen(feed)
    return findings


def _account(household: Household, day: int, policy: Policy, rule: Rule, area: str) -> _Account | None:
    """The account on a day; None without an income, without anybody living, or when income is not low at all."""
    declared = household.declared_on(day)
    people = len(living(household, day))
    if declared is None or declared.monthly_income_fen is None or not people:
        return None
    income = declared.monthly_income_fen * _MONTHS
    mean = policy.known("disposable_income_year", area)  # a place that does not publish it judges by the ratio alone
    if mean is not None and income >= mean.number("amount") * people:
        return None
    need = policy.standard("dibao_month", area).value * people * _MONTHS
    return _Account(people, need, income, rule.number("ratio"), declared.income_document)


def _since(
    household: Household, found: list[Charge], above: int, today: int, policy: Policy, rule: Rule, area: str
) -> int:
    """The first day of the stretch on which the household, as it was then, reached the ratio."""

    def reached(day: int) -> bool:
        account = _account(household, day, policy, rule, area)
        if account is None:
            return False
        then = _people(household, day)
        charged = found if then == now else charges(household, then, counting)
        return above_since(charged, rolling_year(day), account.needed) is not None

    now, counting = _people(household, today), rule.read(Counting.of)
    first = max(above, rule.since.toordinal(), policy.rule("dibao_month", area).since.toordinal())
    return earliest([first, *edges(household, first, today)], reached, today)


def _people(household: Household, day: int) -> list[str]:
    return [member.person for member in household.members_on(day)]


def _breach(counted: list[Charge], since: int, account: _Account, rule: Rule) -> Breach:
    medical = sum(each.fen for each in counted)
    line = rule.mark("ratio")
    return Breach(
        cause=HOUSEHOLD,
        subject="HOUSEHOLD",
        since=date.fromordinal(since),
        severity=rule.number("severity"),
        measure=account.percent(medical),
        unit="percent",
        threshold=line,
        reason=(
            f"全家近12个月医疗个人负担{yuan(medical)}，加上{account.people}人按低保标准计的生活支出{yuan(account.living)}，"
            f"占核定收入{yuan(account.income)}（{account.document}）的{account.percent(medical)}%，"
            f"达到刚性支出占比线{line.value}%（{line.cited}）；教育、康复支出尚无数据，未计入"
        ),
        evidence=evidence(counted),
    )
