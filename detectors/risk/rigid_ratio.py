"""RIGID-RATIO 刚性支出占比: treatment, school and plain living take too large a part of a declared income."""

from datetime import date
from functools import cache
from typing import NamedTuple

from detectors.burden import (
    Charge,
    Counting,
    above_since,
    at_most,
    charges,
    evidence,
    fees,
    in_order,
    inside,
    next_change,
    rolling_year,
)
from detectors.calendar import anniversary
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.lacking import connected
from detectors.people import edges, living, registration, tier, unbroken_from
from detectors.registry import Family, detector
from households.ledger import HOUSEHOLD, Household
from households.queries import Measure
from households.residence import rank
from policy.parameters import Policy, Rule
from policy.schemes import Schemes
from schemas.facts import Bill, Membership
from schemas.facts_living import SchoolFee
from schemas.labels import yuan

_MONTHS = 12
_SCHOOL, _REHABILITATION = ("education.fee", "education.aid"), "disability.rehabilitation"
_HIGHEST = 999


class _Terms(NamedTuple):
    """The rule as this detector reads it."""

    counting: Counting
    stages: tuple[str, ...]
    aid: tuple[str, ...]
    measure: Measure
    ratio: int
    smallest: int
    answered: frozenset[str]

    @classmethod
    def of(cls, rule: Rule) -> "_Terms":
        counting, stages = Counting.of(rule), rule.words("fee_stages")
        measure, answered = counting.with_fees(stages), frozenset(rule.words("answered"))
        smallest = rule.number("smallest")
        return cls(counting, stages, rule.words("aid_deducted"), measure, rule.number("ratio"), smallest, answered)


class _Account(NamedTuple):
    """The two columns, fen in twelve months, and what is needed for a breach."""

    people: int
    living: int
    income: int
    ratio: int
    smallest: int
    document: str

    @property
    def needed(self) -> int:
        """The burden of treatment and school at which the ratio is reached; living alone, or a trifle, never does."""
        return max(self.smallest, -(-self.ratio * self.income // 100) - self.living)

    def percent(self, burden: int) -> int:
        """Spending in percent of income, rounded down; as high as it is shown where there is no income."""
        return min(_HIGHEST, (burden + self.living) * 100 // self.income) if self.income else _HIGHEST


@detector(
    code="RIGID-RATIO",
    version="1.1.1",
    family=Family.RISK,
    listens=("medical.settlement", "medical.reimbursement", *_SCHOOL, "civil.household", "vital.death"),
    rule="rigid_ratio",
    standards=("dibao_month",),
    optional=("disposable_income_year",),
)
def rigid_ratio(household: Household, on: date, policy: Policy) -> Findings:
    """A breach when (treatment + school + living at L) of 12 months / assessed income of them reaches the local ratio.

    Only for declared households, because only those have an assessed income (核定收入); without one: `Insufficient`.
    L is the local 低保 standard per living member; school is fees less aid. Low income alone is no breach: treatment
    and school must come to the smallest sum of the place. Nobody is meant where everybody holds a scheme that answers
    this already, or where income per person is at or above the mean disposable income the place publishes.
    Rehabilitation is spending of the rule that no feed brings; every breach says so, and so of school until it is told.
    """
    declared = household.declared_on(on)
    if declared is None:
        return Findings()
    findings = Findings.covering(household, on, policy, "medical.settlement", once_told=_SCHOOL)
    area, today = declared.responsible_area, on.toordinal()
    findings.recheck(policy.next_change("dibao_month", area))
    rule = policy.rule("rigid_ratio", area)
    terms, schemes = rule.read(_Terms.of), policy.schemes_of(area)
    if declared.monthly_income_fen is None:
        if not _answered(household, today, terms, schemes):
            findings.lacks("civil.household", None)
        return findings
    account = _account(household, today, policy, terms, area)
    window = rolling_year(today)
    if account is None or at_most(household, window.first, terms.measure) < account.needed:
        return findings
    if _answered(household, today, terms, schemes):
        return findings
    found = _burden(household, _people(household, today), terms)
    above = above_since(found, window, account.needed)
    findings.recheck(next_change(found, window))
    if above is not None:
        since = _since(household, found, above, today, policy, rule, area)
        unseen = _unseen(household, found, policy.areas.chain(area, on))
        findings.add(_breach(household, inside(found, window), since, account, today, rule, unseen))
        for feed in unseen:
            findings.unseen(feed)
    return findings


def _unseen(household: Household, found: list[Charge], chain: tuple[str, ...]) -> tuple[str, ...]:
    """The feeds of the rule's spending that nobody publishes here yet; without fees nobody asks for aid."""
    known = connected(household, chain, _SCHOOL)
    fees_told = _SCHOOL[0] in known or any(each.fact.__class__ is SchoolFee for each in found)
    missing = [feed for feed in (_SCHOOL[1:] if fees_told else _SCHOOL[:1]) if feed not in known]
    return (*missing, _REHABILITATION)


def _answered(household: Household, day: int, terms: _Terms, schemes: Schemes) -> bool:
    """Whether everybody who lives here holds a scheme that answers this already."""
    members = living(household, day)
    return bool(members) and all(tier(each, day, schemes) in terms.answered for each in members)


def _account(household: Household, day: int, policy: Policy, terms: _Terms, area: str) -> _Account | None:
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
    return _Account(people, need, income, terms.ratio, terms.smallest, declared.income_document)


def _since(
    household: Household, found: list[Charge], above: int, today: int, policy: Policy, rule: Rule, area: str
) -> int:
    """The first day of the stretch on which the household, as it was then, reached the ratio."""

    def reached(day: int) -> bool:
        account = _account(household, day, policy, terms, area)
        if account is None or _answered(household, day, terms, schemes):
            return False
        then = _people(household, day)
        charged = found if then == now else burden_of(tuple(then))
        return above_since(charged, rolling_year(day), account.needed) is not None

    @cache
    def burden_of(people: tuple[str, ...]) -> list[Charge]:
        return _burden(household, list(people), terms)

    now, terms, schemes = _people(household, today), rule.read(_Terms.of), policy.schemes_of(area)
    first = max(above, rule.since.toordinal(), policy.rule("dibao_month", area).since.toordinal())
    turns = edges(household, first, today)
    if turns:  # others lived here or were helped then: what they paid came and went on days of its own
        paid = {each.day for day in (first, *turns) for each in burden_of(tuple(_people(household, day)))}
        turns = [*turns, *(day for each in paid for day in (each, anniversary(each)) if first < day <= today)]
    return unbroken_from([first, *turns], reached, today)


def _people(household: Household, day: int) -> list[str]:
    return [member.person for member in household.members_on(day)]


def _burden(household: Household, people: list[str], terms: _Terms) -> list[Charge]:
    """What these people paid for treatment and for school."""
    school = fees(household, people, terms.stages, terms.aid)
    treatment = charges(household, people, terms.counting)
    return in_order([*treatment, *school]) if school else treatment


def _breach(
    household: Household,
    counted: list[Charge],
    since: int,
    account: _Account,
    today: int,
    rule: Rule,
    unseen: tuple[str, ...],
) -> Breach:
    burden = sum(each.fen for each in counted)
    line = rule.mark("ratio")
    return Breach(
        cause=HOUSEHOLD,
        subject="HOUSEHOLD",
        since=date.fromordinal(since),
        severity=rule.number("severity"),
        measure=account.percent(burden),
        unit="percent",
        threshold=line,
        reason=(
            f"全家近12个月{_spent(counted)}，加上{account.people}人按低保标准计的生活支出{yuan(account.living)}，"
            f"{_compared(account, burden)}，达到刚性支出占比线{line.value}%（{line.cited}）；"
            f"{'教育、' if _SCHOOL[0] in unseen else ''}康复支出尚无数据，未计入"
        ),
        evidence=(*evidence(counted), *_columns(household, account, today)),
    )


def _spent(counted: list[Charge]) -> str:
    """Treatment and, where there is any, school."""
    medical = sum(each.fen for each in counted if each.fact.__class__ is Bill)
    school = sum(each.fen for each in counted if each.fact.__class__ is SchoolFee)
    return f"医疗个人负担{yuan(medical)}{f'、扣除资助后的教育支出{yuan(school)}' if school else ''}"


def _compared(account: _Account, burden: int) -> str:
    """Held against the income; no percentage where there is none."""
    if not account.income:
        return f"而核定收入为0元（{account.document}），没有收入可以支付"
    return f"占核定收入{yuan(account.income)}（{account.document}）的{account.percent(burden)}%"


def _columns(household: Household, account: _Account, today: int) -> list[EvidenceItem]:
    """The registrations behind both columns: the income declared, and each person's living."""
    here = (registration(household, each.person, today) for each in living(household, today))
    told = [(each, account.living // account.people) for each in here if each is not None]
    declaring = (each for each in household.head.members if each.declared is not None and each.covers(today))
    newest = max(declaring, key=rank)
    shown = [(newest, account.income), *told]
    return [EvidenceItem(each.key, Membership.feed, each.source, each.day, fen) for each, fen in shown]
