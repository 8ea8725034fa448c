"""INCOME-LINE 人均收入跨线: what the household earned per head stays below a multiple of the local standard.

A household rule, for declared households alone. Source: the multiples of the standard in the notice of the ministry
and the plans of places; what counts as income is `household_income` of the place. It does not impute income, looks at
no property, does not deduct treatment (RIGID-RATIO asks for that) and decides nothing: it says that applying for a
scheme, or for a higher one, should be offered.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from detectors.calendar import month_text
from detectors.findings import Breach, Findings
from detectors.income import RULE, Account
from detectors.income_book import CLOSING, LISTENS, Book
from detectors.income_monthly import Monthly, surely_earned
from detectors.people import living, tier
from detectors.registry import Family, detector
from households.ledger import HOUSEHOLD, Household, Member
from policy.parameters import Line, Policy, Rule, Steps
from policy.schemes import Schemes
from schemas.labels import yuan


class _Terms(NamedTuple):
    """The rule: how many evaluations in a row, the lines from low to high, and who is asked about which of them."""

    evaluations: int
    lines: Steps
    answered: frozenset[str]
    partly: frozenset[str]
    partly_up_to: int

    @classmethod
    def of(cls, rule: Rule) -> "_Terms":
        answered, partly = frozenset(rule.words("answered")), frozenset(rule.words("partly_answered"))
        lines = tuple((rule.number(f"below_{severity}"), severity) for severity in (3, 2, 1))
        return cls(rule.number("evaluations"), lines, answered, partly, rule.number("partly_up_to"))

    def highest(self, members: Sequence[Member], day: int, schemes: Schemes) -> int:
        """The highest line, in hundredths of the standard, that matters to the least helped member; 0: none does."""
        held = {tier(each, day, schemes) for each in members}
        ceilings = [0 if each in self.answered else self.partly_up_to if each in self.partly else None for each in held]
        return max((self.lines[-1][0] if each is None else each for each in ceilings), default=0)


class _Below(NamedTuple):
    """The evaluations, the newest first, and the lowest line all of them are below, in hundredths of the standard."""

    accounts: list[Account]
    multiple: int
    severity: int


def _answered(on: date, policy: Policy, area: str) -> Callable[[Household], bool]:
    """Whether everybody holds a scheme that already answers low income."""
    terms, today, schemes = policy.rule("income_line", area).read(_Terms.of), on.toordinal(), policy.schemes_of(area)
    return lambda household: not terms.highest(living(household, today), today, schemes)


@detector(
    code="INCOME-LINE",
    version="1.0.0",
    family=Family.RISK,
    listens=LISTENS,
    rule="income_line",
    absence=CLOSING,
    standards=("dibao_month", RULE),
    quiet=_answered,
    trial=True,
)
def income_line(household: Household, on: date, policy: Policy) -> Findings:
    """A breach when income per head and month is below a line in so many successive monthly evaluations.

    A line is a multiple of the local standard L; the lowest one passed sets the severity. Who is helped already is
    asked about the lines below the help held. Certain only from above: where a month is unknown, or nobody's income
    is told of at all, `Insufficient`, unless what is known is already enough. Measure: fen per head and month.
    """
    today = on.toordinal()
    if household.declared_on(today) is None:
        return Findings()
    rule = policy.rule("income_line", household.responsible_area)
    monthly, terms = Monthly.of(household, on, policy, rule), rule.read(_Terms.of)
    schemes = policy.schemes_of(household.responsible_area)
    if not terms.highest(living(household, today), today, schemes):
        return Findings()
    findings = Findings.covering(household, on, policy, *monthly.terms.closes)
    if household.head.waiting:
        return findings
    book = monthly.recent(terms.evaluations)
    monthly.look_again(book, findings)
    members, month = book.counted(today), book.newest(today)
    highest = terms.highest(members, today, schemes)
    enough = highest * monthly.level.value * len(members) * monthly.terms.months
    if month is not None and surely_earned(household, members, monthly.terms, month) * 100 >= enough:
        return findings
    accounts = book.accounts(today, terms.evaluations)
    if any(each.at_least * 100 >= enough for each in accounts):
        return findings
    below = _below(accounts, highest, terms, monthly)
    if below is None:
        if highest and not _all_known(accounts):
            monthly.lacking(accounts, findings)
        return findings

    def holds(deep: Book, day: int) -> bool:
        up_to = terms.highest(deep.counted(day), day, schemes)
        return _below(deep.accounts(day, terms.evaluations), up_to, terms, monthly) is not None

    findings.add(_breach(household, monthly, below, monthly.since(terms.evaluations, holds), rule))
    return findings


def _below(accounts: list[Account], highest: int, terms: _Terms, monthly: Monthly) -> _Below | None:
    """What is certain from above: every month known, every evaluation below."""
    if not highest or not _all_known(accounts):
        return None
    for multiple, severity in terms.lines:
        fallen = not any(_reaches(each.at_most, each, multiple, monthly.level.value) for each in accounts)
        if multiple <= highest and fallen:
            return _Below(accounts, multiple, severity)
    return None


def _all_known(accounts: list[Account]) -> bool:
    """Whether there are evaluations, no month of them is unknown and somebody's income is told of in each."""
    return bool(accounts) and all(
        not each.gaps and any(line.counted > 0 or line.ceiling > 0 for line in each.lines) for each in accounts
    )


def _reaches(income: int, account: Account, multiple: int, level: int) -> bool:
    """Whether income per head and month is at or above a multiple of the standard; exact, no rounding."""
    return income * 100 >= multiple * level * account.shares


def _breach(household: Household, monthly: Monthly, below: _Below, since: date, rule: Rule) -> Breach:
    newest = below.accounts[0]
    line = Line(below.multiple * monthly.level.value // 100, rule.label, rule.document, rule.policy)
    each = newest.at_most // newest.shares
    away = len(living(household, monthly.today)) - len(newest.members)
    return Breach(
        cause=HOUSEHOLD,
        subject="HOUSEHOLD",
        since=since,
        severity=below.severity,
        measure=each,
        unit="fen",
        threshold=line,
        reason=(
            f"{month_text(newest.first)}至{month_text(newest.last)}全家{len(newest.members)}人人均每月应计收入{yuan(each)}，"
            f"连续{len(below.accounts)}次月度核算低于{yuan(line.value)}（低保标准{yuan(monthly.level.value)}的"
            f"{below.multiple / 100:g}倍，{monthly.level.cited}，{line.cited}）；{newest.statement()}"
            f"{f'；另有{away}人依规定暂不计入共同生活人口' if away > 0 else ''}"
            f"{_hints(household, monthly, newest)}；救助金和助学金不算收入，请核实后告知可以申请的救助"
        ),
        evidence=newest.evidence(),
    )


def _hints(household: Household, monthly: Monthly, newest: Account) -> str:
    """What an officer has to check, because the records cannot tell."""
    declared = household.declared_on(monthly.today)
    hints = []
    if newest.silent:
        hints.append("没有记录的月份按无收入计，请核实务农、打零工等收入")
    if newest.at_most > newest.at_least:
        hints.append("成本不明的收入按全额计入")
    if monthly.terms.months < 12:
        hints.append(f"只看{monthly.terms.months}个月，请留意季节性收入")
    if declared is not None and declared.monthly_income_fen is not None:
        hints.append(f"核定家庭月收入{yuan(declared.monthly_income_fen)}（{declared.income_document}）")
    return "".join(f"；{each}" for each in hints)
