"""DISAB-SUBSIDY-GAP 两补未享: a certificate and a scheme that bring a disability subsidy, and no file shows it paid.

A household detector on certificates, schemes and payments. It offers and enrols nobody: whether to apply is the
person's to decide, and a signed refusal is respected for as long as the place says. What somebody is entitled to it
reads from certificate, scheme and policy alone; whether long-term care is needed no file tells, so an officer checks.
"""

from datetime import date
from typing import NamedTuple

from detectors.calendar import day_text, month_text, months_later
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.lacking import answered, held, known_part, look_again, member_on, month_span, reach, turns
from detectors.people import staying
from detectors.quiet import none_of, unless_told
from detectors.registry import Family, detector
from detectors.spans import Stretch, ends, inside, unbroken
from detectors.words import who
from households.ledger import Household, Member
from households.standing import disabilities
from policy.parameters import Policy, Rule
from schemas.facts import Benefit, month_of
from schemas.facts_standing import Disability
from schemas.feeds.disability import DisabilityCategory, DisabilityLevel
from schemas.labels import yuan

_PAID = "civil.benefit"
_LABELS = {"LIVING": "困难残疾人生活补贴", "CARE": "重度残疾人护理补贴"}


class _Subsidy(NamedTuple):
    """One of the two: which levels bring it, which schemes (none: any), which payments are it, fen a month."""

    name: str
    levels: frozenset[str]
    levels_mind: frozenset[str]
    schemes: frozenset[str]
    codes: frozenset[str]
    month_fen: int


class _Terms(NamedTuple):
    """The rule as this detector reads it."""

    subsidies: tuple[_Subsidy, ...]
    mind: frozenset[str]
    excluded: frozenset[str]
    other_payers: frozenset[str]
    household: bool
    items: frozenset[str]
    settled_by: frozenset[str]
    settled_months: int
    within: int


class _Gap(NamedTuple):
    """A subsidy not on record: the stretch the files tell of, and the day from which it counts."""

    subsidy: _Subsidy
    began: int
    after: int
    since: int


def _terms(rule: Rule) -> _Terms:
    subsidies = tuple(
        _Subsidy(
            name,
            frozenset(rule.words(f"{name.lower()}_levels")),
            frozenset(rule.words(f"{name.lower()}_levels_mind")),
            frozenset(rule.words(f"{name.lower()}_schemes")),
            frozenset(rule.words(f"{name.lower()}_codes")),
            rule.amounts("month")[name],
        )
        for name in _LABELS
    )
    return _Terms(
        subsidies,
        frozenset(rule.words("mind_categories")),
        frozenset(rule.words("excluded_schemes")),
        frozenset(rule.words("other_payer_codes")),
        rule.word("scheme_of") == "household",
        frozenset(rule.words("referral_items")),
        frozenset(rule.words("settled_by")),
        rule.number("settled_months"),
        rule.number("within_days"),
    )


@detector(
    code="DISAB-SUBSIDY-GAP",
    version="1.1.0",
    family=Family.ENTITLEMENT,
    listens=("disability.certificate", "civil.benefit", "civil.household", "referral.feedback", "vital.death"),
    rule="disability_subsidy_gap",
    absence=(_PAID,),
    quiet=unless_told(Disability),
    trial=True,
)
def disability_subsidy_gap(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per person who lacks a subsidy for longer than the place allows, inside complete payment files.

    Entitled is who holds a certificate of the levels and a scheme of the place, holds none that excludes, is paid no
    other allowance for the same, and got no answer that settles it. A renewed certificate under which payment goes on
    is no gap; payment that stopped while everything else stayed is one. `since`: the day the allowed days are over.
    Higher once back-pay no longer reaches the first day. Measure: days without a record, as far as files are complete.
    """
    findings = Findings.covering(household, on, policy, "disability.certificate", _PAID)
    if none_of(household, (Disability,)):
        return findings
    rule = policy.rule("disability_subsidy_gap", household.responsible_area)
    chain = policy.areas.chain(household.responsible_area, on)
    terms, today = rule.read(_terms), on.toordinal()
    for member in staying(household, today):
        if not household.of_kind(Disability, member.person):
            continue
        looked = (_gap(household, member.person, each, terms, rule, chain, today, findings) for each in terms.subsidies)
        gaps = [gap for gap in looked if gap is not None]
        if gaps:
            findings.add(_breach(household, member, gaps, terms, today, rule))
            late = _late_from(gaps, rule)
            findings.recheck(date.fromordinal(late) if late > today else None)
    return findings


def _gap(
    household: Household, person: str, subsidy: _Subsidy, terms: _Terms, rule: Rule, chain: tuple[str, ...],
    today: int, findings: Findings,
) -> _Gap | None:  # fmt: skip
    """The subsidy's gap today; asks to look again on every day on which the answer may turn."""
    shown = _shown(household, person, subsidy, terms)
    settled = answered(household, (person,), terms.items, terms.settled_by, terms.settled_months)

    def lacking(day: int) -> bool:
        return not inside(shown, day) and not inside(settled, day) and _entitled(household, person, subsidy, terms, day)

    days = {*ends(shown), *ends(settled), *_edges(household, person)}
    began = unbroken(days, lacking, today)
    known = None if began is None else known_part(household, chain, _PAID, began)
    since = None if known is None or known.first + terms.within >= known.after else known.first + terms.within
    told, reached = since is not None and since <= today, reach(household, chain, _PAID)
    findings.recheck(look_again(days, today, terms.within, reached, shown=told))
    if known is None or since is None:
        return None
    if since > today:
        findings.recheck(date.fromordinal(since))
        return None
    return _Gap(subsidy, known.first, known.after, max(since, rule.since.toordinal()))


def _shown(household: Household, person: str, subsidy: _Subsidy, terms: _Terms) -> list[Stretch]:
    """Months in which the subsidy, or another allowance for the same need, was paid."""
    codes = subsidy.codes | terms.other_payers
    return [
        month_span(each.month) for each in household.benefits(person) if each.scheme in codes and each.amount_fen > 0
    ]


def _entitled(household: Household, person: str, subsidy: _Subsidy, terms: _Terms, day: int) -> bool:
    certificates = disabilities(household, person, day)
    member = member_on(household, person, day) if any(_brings(each, subsidy, terms) for each in certificates) else None
    if member is None or held([member], day) & terms.excluded:
        return False
    people = staying(household, day) if terms.household else [member]
    return not subsidy.schemes or bool(held(people, day) & subsidy.schemes)


def _brings(certificate: Disability, subsidy: _Subsidy, terms: _Terms) -> bool:
    levels = subsidy.levels_mind if certificate.category in terms.mind else subsidy.levels
    return str(certificate.level) in levels


def _edges(household: Household, person: str) -> set[int]:
    """Days on which a certificate, a membership, a life or a scheme begins or ends."""
    found = turns(household)
    for each in household.of_kind(Disability, person):
        found |= {day for day in (each.day, each.expires, each.until) if day is not None}
    return found


def _late_from(gaps: list[_Gap], rule: Rule) -> int:
    """The day from which back-pay no longer reaches the first day without a record."""
    return months_later(min(each.began for each in gaps), rule.number("back_pay_months"))


def _breach(household: Household, member: Member, gaps: list[_Gap], terms: _Terms, today: int, rule: Rule) -> Breach:
    first = min(gaps, key=lambda each: (each.since, each.began))
    certificates = _bringing(household, member.person, gaps, terms)
    line, late = rule.mark("within_days"), _late_from(gaps, rule)
    back = f"补发以{rule.number('back_pay_months')}个月为限"
    urgency = f"{back}，已过{day_text(late)}" if today >= late else f"{back}，{day_text(late)}前办理可全部补发"
    return Breach(
        cause=member.person,
        subject=member.relation,
        since=date.fromordinal(first.since),
        severity=rule.number("severity_late" if today >= late else "severity"),
        measure=_days(first, today),
        unit="days",
        threshold=line,
        reason=(
            f"{who(member.relation)}持{'、'.join(map(_certificate, certificates))}，按身份可享{_lacked(gaps, today)}"
            f"（发放数据到{month_text(month_of(first.after - 1))}）；"
            f"{urgency}，请上门说明并核实护理需要，是否申领由本人决定（满{line.value}天提示，{line.cited}）"
        ),
        evidence=(*_certified(certificates), *_last_paid(household, member.person, gaps)),
        person=member.person,
    )


def _bringing(household: Household, person: str, gaps: list[_Gap], terms: _Terms) -> list[Disability]:
    """The certificates that bring what is lacked, each once."""
    found = {
        each.key: each
        for gap in gaps
        for each in disabilities(household, person, gap.since)
        if _brings(each, gap.subsidy, terms)
    }
    return list(found.values())


def _certificate(shown: Disability) -> str:
    kind = f"{DisabilityCategory[shown.category].label}{DisabilityLevel[f'L{shown.level}'].label}"
    return f"{kind}残疾人证（{day_text(shown.day)}核发）"


def _lacked(gaps: list[_Gap], today: int) -> str:
    """What is not on record, since when and for how long; what is lacked equally long in one phrase."""
    named: dict[str, list[str]] = {}
    for each in gaps:
        told = f"自{day_text(each.began)}起{_days(each, today)}天没有发放记录"
        named.setdefault(told, []).append(f"{_LABELS[each.subsidy.name]}（每月{yuan(each.subsidy.month_fen)}）")
    apart = "，" if len(named) == 1 else ""
    return "；".join(f"{'、'.join(names)}{apart}{told}" for told, names in named.items())


def _days(gap: _Gap, today: int) -> int:
    return min(gap.after, today + 1) - gap.began


def _certified(certificates: list[Disability]) -> list[EvidenceItem]:
    return [EvidenceItem(each.key, Disability.feed, each.source, each.day, each.level) for each in certificates]


def _last_paid(household: Household, person: str, gaps: list[_Gap]) -> list[EvidenceItem]:
    """The last payment before each gap, where there was one."""
    found = []
    for gap in gaps:
        paid = [each for each in household.benefits(person) if _is_last(each, gap)]
        found += [EvidenceItem(each.key, _PAID, each.source, each.day, each.amount_fen) for each in paid[-1:]]
    return found


def _is_last(paid: Benefit, gap: _Gap) -> bool:
    return paid.scheme in gap.subsidy.codes and paid.amount_fen > 0 and paid.day < gap.began
