"""HELP-SEEKING 多次求助: people asked for help, or somebody near saw their need, or temporary aid was needed again.

A household detector on calls, leads, own requests and temporary aid. It counts, and reads no word anybody said: the
feeds bring categories only. Asking often is a reason to look closely at what is needed, never a remark on who asks.
"""

from datetime import date
from typing import NamedTuple

from detectors.calendar import anniversary, day_text
from detectors.findings import Breach, EvidenceItem, Findings, evidence_days
from detectors.people import staying
from detectors.quiet import none_of, unless_told
from detectors.registry import Family, detector
from detectors.spans import Span, ends, holding, next_edge, unbroken_since
from households.ledger import HOUSEHOLD, Household, Member
from policy.parameters import Policy, Rule, severity
from schemas.facts_contact import Lead, SelfReport, TempAid, Ticket
from schemas.labels import Hardship, yuan

_KINDS = (Ticket, Lead, SelfReport, TempAid)


class _Contact(NamedTuple):
    """A call, a lead or a request; `told`: somebody asked in person or saw it, of which fewer are enough."""

    person: str
    fact: Ticket | Lead | SelfReport
    told: bool

    @property
    def matter(self) -> tuple[str, str, int]:
        """Several calls of a person about one thing on one day are one."""
        return (self.person, self.fact.category, self.fact.day)


@detector(
    code="HELP-SEEKING",
    version="1.1.0",
    family=Family.RISK,
    listens=("hotline.ticket", "grid.lead", "self.report", "civil.temp_aid", "civil.household", "vital.death"),
    rule="help_seeking",
    quiet=unless_told(*_KINDS),
    trial=True,
)
def help_seeking(household: Household, on: date, policy: Policy) -> Findings:
    """A breach for being asked (`household/asked`) and one for repeated temporary aid (`household/aid`).

    Asked: so many requests of one's own or leads are enough, otherwise so many calls about people here, whoever made
    them, within the days the place sets. Aid: so many grants within twelve months. `since` is the first
    day of the unbroken stretch. Measure: contacts, or grants. Calls, leads and requests close no month; a missing
    file of temporary aid makes the answer `Insufficient`.
    """
    findings = Findings.covering(household, on, policy, "civil.temp_aid")
    if none_of(household, _KINDS):
        return findings
    rule = policy.rule("help_seeking", household.responsible_area)
    today = on.toordinal()
    members = staying(household, today)
    asked = _contacts(household, members, rule)
    since = unbroken_since(asked, today, lambda items: _enough(items, rule))
    findings.recheck(next_edge(ends(asked), today))
    if since is not None:
        findings.add(_asked(holding(asked, today), since, rule))
    aided = _aid(household, members)
    since = unbroken_since(aided, today, lambda items: len(items) >= rule.number("aids"))
    findings.recheck(next_edge(ends(aided), today))
    if since is not None:
        findings.add(_aided(holding(aided, today), since, rule))
    return findings


def _contacts(household: Household, members: list[Member], rule: Rule) -> list[Span[_Contact]]:
    """Every contact, counting from its day for the days of the window."""
    found: list[_Contact] = []
    for member in members:
        person = member.person
        found += [_Contact(person, each, told=False) for each in household.of_kind(Ticket, person)]
        found += [_Contact(person, each, told=True) for each in household.of_kind(Lead, person)]
        found += [_Contact(person, each, told=True) for each in household.of_kind(SelfReport, person)]
    window = rule.number("window_days")
    return [Span(each.fact.day, each.fact.day + window, each) for each in found]


def _enough(items: list[_Contact], rule: Rule) -> bool:
    return _told(items) >= rule.number("reports") or _count(items) >= rule.number("contacts")


def _told(items: list[_Contact]) -> int:
    return sum(each.told for each in items)


def _count(items: list[_Contact]) -> int:
    return len({each.matter for each in items})


def _aid(household: Household, members: list[Member]) -> list[Span[TempAid]]:
    """Every grant, counting for twelve months."""
    return [
        Span(each.day, anniversary(each.day), each)
        for member in members
        for each in household.of_kind(TempAid, member.person)
        if each.amount_fen > 0
    ]


def _asked(items: list[_Contact], since: int, rule: Rule) -> Breach:
    told, count = _told(items), _count(items)
    line = rule.mark("reports" if told >= rule.number("reports") else "contacts")
    needs = "、".join(label.label for label in Hardship if any(each.fact.category == label for each in items))
    last = max(each.fact.day for each in items)
    return Breach(
        cause=f"{HOUSEHOLD}/asked",
        subject="HOUSEHOLD",
        since=date.fromordinal(since),
        severity=severity(rule.steps("bands"), count),
        measure=count,
        unit="contacts",
        threshold=line,
        reason=(
            f"近{rule.number('window_days')}天内有{count}次求助或发现线索（{needs}，最近{day_text(last)}"
            f"{f'，其中本人提出或基层发现{told}次' if told else ''}），请做一次综合需求评估（{line.cited}）"
        ),
        evidence=evidence_days(
            EvidenceItem(each.fact.key, each.fact.feed, each.fact.source, each.fact.day, 1) for each in items
        ),
    )


def _aided(items: list[TempAid], since: int, rule: Rule) -> Breach:
    line = rule.mark("aids")
    return Breach(
        cause=f"{HOUSEHOLD}/aid",
        subject="HOUSEHOLD",
        since=date.fromordinal(since),
        severity=severity(rule.steps("aid_bands"), len(items)),
        measure=len(items),
        unit="grants",
        threshold=line,
        reason=(
            f"近12个月获得临时救助{len(items)}次，共{yuan(sum(each.amount_fen for each in items))}，"
            f"困难可能不是一时的，请评估是否符合低保、低保边缘等长期救助（满{line.value}次提示，{line.cited}）"
        ),
        evidence=evidence_days(
            EvidenceItem(each.key, TempAid.feed, each.source, each.day, each.amount_fen) for each in items
        ),
    )
