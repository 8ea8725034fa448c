"""Household income in the legal sense: what each member earned in which month, what is left out, line by line.

What `detectors.income_book` reads is added up here, for INCOME-LINE and INCOME-RISE. Amounts are fen, months numbers
(`year * 12 + month - 1`), a window is a row of whole months. Income counts in the month it was earned. One sum told for
several months counts where all of them lie in the window and is never divided: where they do not, those months are
unknown. Every account has two ends: what was earned at least (known, after exclusions and deductions) and at most (with
receipts whose costs nobody told).

Social assistance and aid to pupils are never income, so their feeds are not read. No feed brings farm income, alimony,
unemployment benefit or help from relatives: a place says with `silent_month` what a month without any record means.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from detectors.findings import EvidenceItem, evidence_days
from detectors.words import who
from households.ledger import Member
from policy.parameters import Rule
from schemas.facts import AnyFact, Contribution
from schemas.facts_living import Fund, Income, Pension
from schemas.feeds.tax import IncomeKind
from schemas.labels import yuan

RULE = "household_income"
WAGES = {
    Contribution.feed: "工资（按社保缴费基数）",
    Fund.feed: "工资（按公积金缴存基数）",
    Income.feed: "工资薪金（个税）",
}
PENSION = "养老金"
BASIC_PENSION, JOB_COST, POST = "居民基础养老金", "必要就业成本", "公益性岗位工资"
NOT_COUNTED, COSTS_UNKNOWN = "按规定", "成本不明的"


class Terms(NamedTuple):
    """How a place counts income: the window, what counts as wages, what is excluded, deducted or not known."""

    months: int
    wages_by: tuple[str, ...]
    excluded: frozenset[str]
    costs_unknown: frozenset[str]
    job_cost_fen: int
    post_excluded: int
    not_counted: frozenset[str]
    untold: frozenset[str]
    silence_is_unknown: bool
    closes: tuple[str, ...]
    earns_from: int

    @classmethod
    def of(cls, rule: Rule) -> "Terms":
        """Read from the keys of `household_income`."""
        return cls(
            int(rule.word("window_months")),
            rule.words("wages_by"),
            frozenset(rule.words("excluded")),
            frozenset(rule.words("costs_unknown")),
            rule.number("job_cost_month"),
            rule.number("post_wage_excluded"),
            frozenset(rule.words("not_counted")),
            frozenset(rule.words("untold")),
            rule.word("silent_month") == "unknown",
            rule.words("closes"),
            rule.number("earns_from"),
        )


class Line(NamedTuple):
    """One line of the arithmetic: what a fact told of a member for the months `first` to `last`, in fen.

    `less`: (rule, fen) excluded or deducted; `counted`: the rest, income for certain. `ceiling`: what is known only as
    receipts, part of the upper end alone.
    """

    person: str
    source: str
    first: int
    last: int
    told: int
    counted: int
    less: tuple[tuple[str, int], ...]
    ceiling: int
    fact: AnyFact


class Gap(NamedTuple):
    """A member's month of which income is unknown, and the feed that would tell it."""

    person: str
    month: int
    feed: str


class Account(NamedTuple):
    """The income of some members in the months `first` to `last`. `silent`: months over without any record, by member.

    `at_least`: known income after exclusions and deductions. `at_most`: the same with receipts whose costs are not
    known; it says something only where there are no `gaps`.
    """

    members: tuple[Member, ...]
    first: int
    last: int
    lines: tuple[Line, ...]
    gaps: tuple[Gap, ...]
    silent: tuple[tuple[str, int], ...]
    at_least: int
    at_most: int

    @property
    def shares(self) -> int:
        """Members times months: what the income is divided by."""
        return len(self.members) * (self.last - self.first + 1)

    def earned(self, month: int) -> int:
        """What was told of one month by itself and counts; sums of several months tell nothing of one."""
        return sum([each.counted for each in self.lines if each.first == each.last == month])

    def evidence(self) -> tuple[EvidenceItem, ...]:
        """The facts behind it, each with what of it counts: the values add up to `at_least`."""
        items = (
            EvidenceItem(each.fact.key, each.fact.feed, each.fact.source, each.fact.day, each.counted)
            for each in self.lines
        )
        return evidence_days(items)

    def statement(self) -> str:
        """Member by member and source by source: relation, months, amount, the rules that left something out."""
        parts = [part for member in self.members for part in _of_member(self, member)]
        return "；".join(parts)


def in_order(lines: Iterable[Line]) -> list[Line]:
    """Single months before sums and larger amounts first, whatever the order in which they were told."""
    return sorted(lines, key=lambda each: (each.last - each.first, each.first, each.source, -each.told, each.fact.key))


def inside(
    wages: Mapping[str, Sequence[Line]], other: Sequence[Line], terms: Terms, first: int, last: int
) -> tuple[list[Line], set[int]]:
    """A person's lines of a window, and its months of which a sum that cannot be divided tells; lines `in_order`.

    Of wages the first kind of record the place names counts for a month, and no other; of overlapping sums of one
    payer the shorter. What a better record says of a month needs no dividing.
    """
    lines: list[Line] = []
    taken: dict[int, str] = {}
    undivided: set[int] = set()
    for feed in terms.wages_by:
        by_payer: dict[str, set[int]] = {}
        for each in wages[feed]:
            if each.last < first or each.first > last:
                continue
            months = set(range(each.first, each.last + 1))
            mine = by_payer.setdefault(_payer(each.fact), set())
            better = {month for month in months if taken.get(month, feed) != feed}
            if each.first < first or each.last > last or better or months & mine:
                undivided |= months - better - mine
                continue
            mine |= months
            lines.append(_costed(each, len(months - taken.keys()), terms))
            taken |= dict.fromkeys(months, feed)
    undivided -= {month for month, feed in taken.items() if feed != Income.feed}
    for each in other:
        if first <= each.first and each.last <= last:
            lines.append(each)
        elif each.last >= first and each.first <= last and (each.counted or each.ceiling):
            undivided |= set(range(each.first, each.last + 1))
    return lines, {month for month in undivided if first <= month <= last}


def wage(person: str, fact: Contribution | Fund | Income, fen: int, terms: Terms) -> Line:
    """Wages as a record tells them; of public posts the share the place leaves out."""
    first = fact.month_from if isinstance(fact, Income) else fact.month
    post = isinstance(fact, Contribution) and fact.employer_kind == "POST"
    share = fen * terms.post_excluded // 100 if post else 0
    less = ((POST, share),) if share else ()
    return Line(person, WAGES[fact.feed], first, fact.month, fen, fen - share, less, 0, fact)


def _costed(line: Line, months: int, terms: Terms) -> Line:
    """The line less the cost of going to work, once a person and month, never below zero."""
    cost = min(max(0, line.counted), months * terms.job_cost_fen)
    return line._replace(counted=line.counted - cost, less=(*line.less, (JOB_COST, cost))) if cost else line


def pension(person: str, fact: Pension, terms: Terms) -> Line:
    """A month's pension; the basic pension of residents apart, where the place leaves it out. A recovery counts."""
    left_out = fact.scheme == "RESIDENT" and "RESIDENT_BASIC_PENSION" in terms.excluded and fact.amount_fen > 0
    basic = fact.basic_fen if left_out else 0
    less, month = ((BASIC_PENSION, basic),) if basic else (), fact.month
    return Line(person, PENSION, month, month, fact.amount_fen, fact.amount_fen - basic, less, 0, fact)


def taxed(person: str, fact: Income, terms: Terms) -> Line:
    """Taxed income other than wages: counted, left out, or receipts whose costs nobody told."""
    less: tuple[tuple[str, int], ...] = ()
    fen, ceiling = fact.amount_fen, 0
    if fact.kind in terms.excluded:
        less = ((NOT_COUNTED, fen),)
    elif fact.kind in terms.costs_unknown:
        less, ceiling = ((COSTS_UNKNOWN, fen),), fen
    source, counted = IncomeKind[fact.kind].label, 0 if less else fen
    return Line(person, source, fact.month_from, fact.month, fen, counted, less, ceiling, fact)


def _payer(fact: AnyFact) -> str:
    """Whose record of wages it is: two of one payer never add up for one month."""
    if isinstance(fact, Income):
        return fact.payer
    return fact.employer if isinstance(fact, Contribution) else fact.key


def _of_member(account: Account, member: Member) -> Iterator[str]:
    own = [each for each in account.lines if each.person == member.person]
    for source in dict.fromkeys(each.source for each in own):
        lines = [each for each in own if each.source == source]
        months = {month for each in lines for month in range(each.first, each.last + 1)}
        less: dict[str, int] = {}
        for name, fen in (pair for each in lines for pair in each.less):
            less[name] = less.get(name, 0) + fen
        left_out = "".join(f"（{name}{yuan(fen)}不计入）" for name, fen in less.items())
        yield f"{who(member.relation)}{source}{len(months)}个月{yuan(sum(each.told for each in lines))}{left_out}"
    for _, months_silent in (each for each in account.silent if each[0] == member.person):
        yield f"{who(member.relation)}{months_silent}个月没有收入记录"
