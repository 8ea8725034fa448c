"""DUPLICATE-CONFLICT 重复冲突享受: records say two things that exclude each other.

A household and link detector. Of one ledger: two schemes that exclude each other, held or paid together; one scheme
recognised by two offices at once; temporary aid of two places in one month. Across households (`detectors.conflicts`):
a person on record in two of them; one account of unrelated ones, which comes back as a fact. Two payments of one
scheme and month are one fact, so a second paying place shows only where it recognised or approved by itself. The month
of a change between schemes is no conflict. It asks both offices to look and stops nothing.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from detectors.calendar import month_text, months_later
from detectors.conflicts import Ask, Conflict, NameOf, account_shared, crossings, spans_nothing, two_homes
from detectors.findings import Breach, EvidenceItem, Findings, evidence_days
from detectors.lacking import in_force, member_on, turns
from detectors.people import residents, staying
from detectors.registry import Family, detector
from detectors.spans import answered_since, next_edge
from detectors.words import who
from households.ledger import HOUSEHOLD, Household, Member
from policy.parameters import Pairs, Policy, Rule
from policy.schemes import Schemes
from schemas.facts import Benefit, Membership, Status, first_day, month_of
from schemas.facts_contact import TempAid
from schemas.labels import yuan

_PAID = "civil.benefit"


class _Terms(NamedTuple):
    """The rule as this detector reads it."""

    pairs: Pairs
    codes: tuple[str, ...]
    months: int
    overlap: int
    stands: int
    homes: int
    unrelated: int


class _Question(NamedTuple):
    """A cause, whose it is, what is asked of a day, the line and its unit."""

    cause: str
    relation: str
    ask: Ask
    line: str = "months"
    unit: str = "months"


def _terms(rule: Rule) -> _Terms:
    pairs = rule.pairs("pairs")
    codes = tuple(sorted({code for pair in pairs for code in pair}))
    numbers = map(rule.number, ("months", "overlap_days", "stands_months", "homes_days", "unrelated"))
    return _Terms(pairs, codes, *numbers)


def _nothing_double(on: date, policy: Policy, area: str) -> Callable[[Household], bool]:
    """Whether nobody holds two schemes, no two excluding ones were ever paid here, nobody lived elsewhere, no aid."""
    terms = policy.rule("duplicate_conflict", area).read(_terms)

    def sure(household: Household) -> bool:
        if any(len(member.statuses) > 1 for member in household.head.members) or not spans_nothing(household):
            return False
        paid = _paid_codes(household, terms.codes)
        if any(
            paid >> terms.codes.index(one) & 1 and paid >> terms.codes.index(other) & 1 for one, other in terms.pairs
        ):
            return False
        return not any(household.pages.may_hold_kind(name, TempAid) for name in household.pages)

    return sure


def _paid_codes(household: Household, codes: tuple[str, ...]) -> int:
    """Which of these codes stand in any record of a payment, one bit each; kept per page until the page changes."""
    found = 0
    for name, page in household.pages.items():
        memo = household.page_memo.setdefault(name, {})
        kept = memo.get((Benefit, codes))
        if kept is None:
            told = {fact.scheme for facts in page.values() for fact in facts if isinstance(fact, Benefit)}
            kept = memo[Benefit, codes] = sum(1 << place for place, code in enumerate(codes) if code in told)
        found |= kept
    return found


@detector(
    code="DUPLICATE-CONFLICT",
    version="1.1.0",
    family=Family.REVIEW,
    listens=("civil.household", _PAID, "civil.temp_aid", "vital.death", "link.account"),
    rule="duplicate_conflict",
    quiet=_nothing_double,
    trial=True,
)
def duplicate_conflict(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per person and pair of schemes, per person and scheme of two offices, per household for temporary aid,
    per person on record in two households, per person whose account is shared.

    Payments count by the month they are for, refunds and months of change do not; schemes held together count when
    they overlap for longer than a change takes, and so do two households. `since`: the first day of the unbroken
    stretch. Measure: months, at least one; days of two homes; households of one account.
    """
    findings = Findings.covering(household, on, policy, _PAID)
    area, today = household.responsible_area, on.toordinal()
    if _nothing_double(on, policy, area)(household):
        return findings
    rule = policy.rule("duplicate_conflict", area)
    terms = rule.read(_terms)
    edges = turns(household) | _changes(household, terms) | crossings(household, terms.homes)
    findings.recheck(next_edge(edges, today))
    for question in _questions(household, terms, policy, today):
        conflict = question.ask(today)
        if conflict is not None:
            since = answered_since(edges, question.ask, today)
            findings.add(_breach(question, conflict, max(since or today, rule.since.toordinal()), rule))
    return findings


def _questions(household: Household, terms: _Terms, policy: Policy, today: int) -> list[_Question]:
    found: list[_Question] = []
    schemes, named = policy.schemes, _named(policy)
    for member in staying(household, today):
        person, relation = member.person, member.relation
        for pair in terms.pairs:
            asked = _pair(household, member, pair, terms, schemes)
            found.append(_Question(f"{person}/{'+'.join(pair)}", relation, asked))
        for scheme in sorted({each.scheme for each in _told(household, person)}):
            found.append(_Question(f"{person}/{scheme}", relation, _offices(household, member, scheme, terms, schemes)))
        homes = two_homes(household, member, terms.homes, named)
        found.append(_Question(f"{person}/two_homes", relation, homes, "homes_days", "days"))
        shared = account_shared(household, person, terms.unrelated, named)
        found.append(_Question(f"{person}/account", relation, shared, "unrelated", "households"))
    found.append(_Question(f"{HOUSEHOLD}/temp_aid", "HOUSEHOLD", _places(household, terms)))
    return found


def _named(policy: Policy) -> NameOf:
    def named(area: str) -> str:
        return policy.areas.name(area) if area in policy.areas else area

    return named


def _pair(household: Household, member: Member, pair: tuple[str, str], terms: _Terms, schemes: Schemes) -> Ask:
    """Two schemes that exclude each other: paid for one month, or held together."""
    names = "和".join(schemes.label(code) for code in pair)
    paid = {code: {each.month: each for each in _paid(household, member.person, code)} for code in pair}
    changing = _months_of_change(household, member.person, pair)
    both = sorted((paid[pair[0]].keys() & paid[pair[1]].keys()) - changing)

    def ask(day: int) -> Conflict | None:
        months = tuple(month for month in both if _fresh(month, day, terms))
        if len(months) >= terms.months:
            twice = [paid[code][month] for month in months for code in pair]
            sums = "、".join(f"{schemes.label(each.scheme)}{yuan(each.amount_fen)}" for each in twice[-2:])
            says = f"{month_text(months[0])}起有{len(months)}个月同时有{names}的发放记录（最近一月{sums}）"
            return Conflict(max(1, len(months)), says, tuple(map(_payment, twice)))
        held = _together(
            _statuses(household, member.person, day), day, terms, lambda a, b: {a.scheme, b.scheme} == {*pair}
        )
        return (
            None if held is None else Conflict(1, f"同时登记有{names}两种身份", _registration(household, member, day))
        )

    return ask


def _offices(household: Household, member: Member, scheme: str, terms: _Terms, schemes: Schemes) -> Ask:
    """One scheme recognised by two offices at once."""

    def twice(one: Status, other: Status) -> bool:
        return one.scheme == other.scheme == scheme and one.source != other.source

    def ask(day: int) -> Conflict | None:
        held = _together(_statuses(household, member.person, day), day, terms, twice)
        if held is None:
            return None
        says = f"的{schemes.label(scheme)}同时有两处认定（{held[0].source}、{held[1].source}）"
        return Conflict(1, says, _registration(household, member, day))

    return ask


def _places(household: Household, terms: _Terms) -> Ask:
    """Temporary aid of two places in one month."""
    by_month: dict[int, list[TempAid]] = {}
    for person in residents(household):
        for each in household.of_kind(TempAid, person):
            if each.amount_fen > 0:
                by_month.setdefault(each.month, []).append(each)
    double = {month: aids for month, aids in sorted(by_month.items()) if len({each.area for each in aids}) > 1}

    def ask(day: int) -> Conflict | None:
        counted = {m: [each for each in double[m] if each.day <= day] for m in double if _fresh(m, day, terms)}
        months = tuple(m for m, aids in counted.items() if len({each.area for each in aids}) > 1)
        if not months:
            return None
        aids = [each for month in months for each in counted[month]]
        shown = (EvidenceItem(each.key, TempAid.feed, each.source, each.day, each.amount_fen) for each in aids)
        return Conflict(len(months), f"{month_text(months[0])}有两个地方各批了临时救助", evidence_days(shown))

    return ask


def _fresh(month: int, day: int, terms: _Terms) -> bool:
    return first_day(month) <= day < months_later(first_day(month), terms.stands)


def _paid(household: Household, person: str, code: str) -> list[Benefit]:
    return [each for each in household.benefits(person) if each.scheme == code and each.amount_fen > 0]


def _told(household: Household, person: str) -> list[Status]:
    return [each for member in household.head.members if member.person == person for each in member.statuses]


def _statuses(household: Household, person: str, day: int) -> tuple[Status, ...]:
    then = member_on(household, person, day)
    return then.statuses if then is not None else ()


def _months_of_change(household: Household, person: str, pair: tuple[str, str]) -> set[int]:
    """Months in which one of two schemes began or ended."""
    told = [each for each in _told(household, person) if each.scheme in pair]
    ended = [day for each in told if each.until is not None for day in (each.until - 1, each.until)]
    return {month_of(day) for day in (*(each.since for each in told), *ended)}


def _together(
    statuses: tuple[Status, ...], day: int, terms: _Terms, clash: Callable[[Status, Status], bool]
) -> tuple[Status, Status] | None:
    """The first two that clash on a day, held together for longer than a change takes."""
    now = in_force(statuses, day)
    for place, one in enumerate(now):
        for other in now[place + 1 :]:
            if clash(one, other) and max(one.since, other.since) + terms.overlap <= day:
                return one, other
    return None


def _changes(household: Household, terms: _Terms) -> set[int]:
    """Days on which a conflict may begin or be forgotten."""
    found = {each.since + terms.overlap for member in household.head.members for each in member.statuses}
    for month in {each.month for each in household.benefits()}:
        found |= {first_day(month), months_later(first_day(month), terms.stands)}
    for aid in household.of_kind(TempAid):
        found |= {aid.day, months_later(first_day(aid.month), terms.stands)}
    return found


def _payment(paid: Benefit) -> EvidenceItem:
    return EvidenceItem(paid.key, _PAID, paid.source, paid.day, paid.amount_fen)


def _registration(household: Household, member: Member, day: int) -> tuple[EvidenceItem, ...]:
    told = [each for each in household.head.members if each.person == member.person and each.covers(day)]
    return tuple(EvidenceItem(each.key, Membership.feed, each.source, each.day, 1) for each in told)


def _breach(question: _Question, conflict: Conflict, since: int, rule: Rule) -> Breach:
    line = rule.mark(question.line)
    return Breach(
        cause=question.cause,
        subject=question.relation,
        since=date.fromordinal(since),
        severity=rule.number("severity"),
        measure=conflict.measure,
        unit=question.unit,
        threshold=line,
        reason=(
            f"{who(question.relation)}{conflict.says}，可能是转换衔接、迁移途中、代领或登记有误，"
            f"请相关经办共同核对以哪一项为准，核对期间待遇不变（{line.cited}）"
        ),
        evidence=conflict.evidence,
    )
