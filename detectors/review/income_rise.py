"""INCOME-RISE 收入上升: what a helped household is known to earn per head has been above its line for months.

A household rule of the review family: it asks an officer to look, whether a gradual exit (渐退期) or an incentive to
work applies, and stops nothing. It never takes an average for a month: besides the window, every one of the last
months must be above the line by records of that month alone, so a lump, a back payment or a sum of several months
cannot do it. Costs of going to work are taken off first. Unknown months count as nothing earned. It looks at no
property and at nobody who holds no scheme.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from detectors.calendar import month_text
from detectors.findings import Breach, Findings
from detectors.income import RULE, Account
from detectors.income_book import CLOSING, LISTENS, Book
from detectors.income_monthly import Monthly, told_of
from detectors.people import living, tier
from detectors.registry import Family, detector
from households.ledger import HOUSEHOLD, Household, Member
from policy.parameters import Line, Policy, Rule
from policy.schemes import Schemes
from schemas.labels import yuan

_DIBIAN = "dibian_income_limit"


class _Terms(NamedTuple):
    """The rule: how many months in a row and who is meant; `own`: the line of 低保, in hundredths of the standard."""

    months: int
    dibao: frozenset[str]
    dibian: frozenset[str]
    own: Line

    @classmethod
    def of(cls, rule: Rule) -> "_Terms":
        return cls(
            rule.number("months"),
            frozenset(rule.words("dibao")),
            frozenset(rule.words("dibian")),
            rule.mark("dibao_line"),
        )

    def means(self, members: Iterable[Member], day: int, schemes: Schemes) -> bool:
        """Whether somebody of the household holds a scheme with a line."""
        return not (self.dibao | self.dibian).isdisjoint(tier(each, day, schemes) for each in members)

    def line(self, members: Sequence[Member], day: int, schemes: Schemes, dibian: Line) -> Line | None:
        """The line of the household in hundredths of the standard, None where nobody is meant.

        Where not everybody holds 低保 it was granted to a person of its own (单人户), and the household is judged by
        the line of 低边, which is a standard of the place.
        """
        if not self.means(members, day, schemes):
            return None
        return self.own if {tier(each, day, schemes) for each in members} <= self.dibao else dibian


def _nobody_meant(on: date, policy: Policy, area: str) -> Callable[[Household], bool]:
    """Whether nobody of the household holds a scheme with a line."""
    terms, today, schemes = policy.rule("income_rise", area).read(_Terms.of), on.toordinal(), policy.schemes_of(area)
    return lambda household: not terms.means(living(household, today), today, schemes)


@detector(
    code="INCOME-RISE",
    version="1.1.0",
    family=Family.REVIEW,
    listens=LISTENS,
    rule="income_rise",
    absence=CLOSING,
    standards=("dibao_month", _DIBIAN, RULE),
    quiet=_nobody_meant,
    trial=True,
)
def income_rise(household: Household, on: date, policy: Policy) -> Findings:
    """A breach when known income per head is above the household's line in so many successive months.

    Both the window and each of the months by itself. Certain from below: what nobody told is left out. Measure: fen
    per head and month of the newest window.
    """
    today = on.toordinal()
    if household.declared_on(today) is None:
        return Findings()
    rule = policy.rule("income_rise", household.responsible_area)
    limit, terms = policy.rule(_DIBIAN, household.responsible_area), rule.read(_Terms.of)
    monthly, dibian = Monthly.of(household, on, policy, rule, limit), limit.mark("amount")
    schemes = policy.schemes_of(household.responsible_area)
    if not terms.means(living(household, today), today, schemes):
        return Findings()
    findings = Findings.covering(household, on, policy, *monthly.terms.closes)
    if household.head.waiting:
        return findings
    book = monthly.recent(terms.months)
    monthly.look_again(book, findings)
    members, month = book.counted(today), book.newest(today)
    if month is None:
        monthly.lacking([], findings)
        return findings
    line = terms.line(members, today, schemes, dibian)
    if line is None or told_of(household, members, month) * 100 <= line.value * monthly.level.value * len(members):
        return findings

    def holds(deep: Book, day: int) -> bool:
        then = terms.line(deep.counted(day), day, schemes, dibian)
        return then is not None and _above(deep.accounts(day, terms.months), then.value, monthly.level.value)

    accounts = book.accounts(today, terms.months)
    if _above(accounts, line.value, monthly.level.value):
        findings.add(_breach(monthly, accounts, line, monthly.since(terms.months, holds), rule))
    return findings


def _above(accounts: list[Account], multiple: int, level: int) -> bool:
    """Whether every window, and the last month of each by itself, is above the line."""
    return bool(accounts and multiple) and all(
        each.at_least * 100 > multiple * level * each.shares
        and each.earned(each.last) * 100 > multiple * level * len(each.members)
        for each in accounts
    )


def _breach(monthly: Monthly, accounts: list[Account], of_standard: Line, since: date, rule: Rule) -> Breach:
    newest, people = accounts[0], len(accounts[0].members)
    multiple = of_standard.value
    line = Line(multiple * monthly.level.value // 100, rule.label, of_standard.document, rule.policy)
    measure = newest.at_least // newest.shares
    months = "、".join(
        f"{month_text(each.last)}{yuan(each.earned(each.last) // people)}" for each in reversed(accounts)
    )
    return Breach(
        cause=HOUSEHOLD,
        subject="HOUSEHOLD",
        since=since,
        severity=rule.number("severity"),
        measure=measure,
        unit="fen",
        threshold=line,
        reason=(
            f"{month_text(newest.first)}至{month_text(newest.last)}全家{people}人人均每月已知收入{yuan(measure)}，"
            f"最近{len(accounts)}个月逐月人均{months}，均高于{yuan(line.value)}（低保标准{yuan(monthly.level.value)}的"
            f"{multiple / 100:g}倍，{monthly.level.cited}，{line.cited}）；{newest.statement()}；"
            f"请上门了解就业增收情况，先看是否适用渐退期和就业成本扣减，听取家庭意见，不据此停发"
        ),
        evidence=newest.evidence(),
    )
