"""DISASTER-ACCIDENT 灾害事故: a disaster, fire or traffic accident hurt somebody of the household or took the home.

A household detector on what the emergency services and the traffic police confirmed of the person, not of an address;
one breach per incident, whoever was hit. That an incident struck the area, or an address, counts until somebody here is
confirmed, hit or unhurt; a hotline call about a sudden emergency until an incident explains it. It asks nothing about
liability and decides no aid: help comes first, papers later.
"""

from collections import Counter, defaultdict
from datetime import date
from typing import NamedTuple

from detectors.calendar import day_text
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import belonging, residents, staying
from detectors.quiet import none_of, unless_told
from detectors.registry import Family, detector
from detectors.words import who
from households.incidents import lived_in
from households.ledger import Household, Member
from households.residence import covered
from policy.areas import AreaTree, AreaUnknown
from policy.parameters import Line, Policy, Rule
from schemas.fact import Fact
from schemas.facts_contact import Accident, AreaIncident, Incident, Ticket
from schemas.feeds.emergency import Home, IncidentSort
from schemas.labels import Hardship, Injury, Insured

_KINDS = (Incident, Accident, AreaIncident, Ticket)
_HOMELESS = {Home.UNFIT, Home.DESTROYED}


class _Hit(NamedTuple):
    """What one incident did to one person, and how much it weighs: 0 when it asks for nothing."""

    person: str
    relation: str
    fact: Incident | Accident
    weight: int


@detector(
    code="DISASTER-ACCIDENT",
    version="1.2.0",
    family=Family.RISK,
    listens=(
        "emergency.incident", "incident.area", "traffic.accident", "hotline.ticket", "civil.household", "vital.death",
    ),
    rule="disaster_accident",
    quiet=unless_told(*_KINDS),
    trial=True,
)
def disaster_accident(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per incident that hurt so many people here or took their home, while anybody is left to help.

    Highest for death, serious injury and a home nobody can live in; a fully insured home weighs less, a fully insured
    scratch nothing. `since` is the day it hit so many; it stands for the days the place sets, then a case or nobody
    has it. Measure: people hit. An incident of the area (or of an address) is a breach of the same cause, from its day
    on, while somebody stays who was on record there and nobody here is confirmed under its number: then what is
    confirmed decides. Measure: those people. A call about an emergency (`<ticket>`) weighs less, is enough by itself
    and ends when an incident near its day is known that is a breach. These feeds tell events and close no month, so
    silence is never called `Insufficient`.
    """
    findings = Findings.covering(household, on, policy)
    if none_of(household, _KINDS):
        return findings
    rule = policy.rule("disaster_accident", household.responsible_area)
    today = on.toordinal()
    if not staying(household, today):
        return findings
    stands, people = rule.number("stands_days"), max(1, rule.number("people"))
    days: list[int] = []
    for number, of_incident in sorted(_hits(household, today, rule).items()):
        weighty = [each for each in of_incident if each.weight]
        if len(weighty) < people:
            continue
        days += [each.fact.day for each in weighty]
        since = sorted(each.fact.day for each in weighty)[people - 1]
        if today < since + stands:
            findings.add(_breach(number, weighty, since, rule))
            findings.recheck(date.fromordinal(since + stands))
    for number, struck in sorted(_struck(household, today, policy.areas).items()):
        since = min(each.day for each in struck)
        if today < since + stands and number not in _confirmed(household):
            findings.add(_to_be_seen(number, struck, since, rule, policy.areas))
            findings.recheck(date.fromordinal(since + stands))
    for member, ticket in _calls(household, today):
        if today < ticket.day + stands and not any(abs(day - ticket.day) <= rule.number("told_days") for day in days):
            findings.add(_told(member, ticket, rule))
            findings.recheck(date.fromordinal(ticket.day + stands))
    return findings


def _hits(household: Household, today: int, rule: Rule) -> dict[str, list[_Hit]]:
    """What incidents up to today did to people of this household, by incident number; the dead among them."""
    here = {each.person: each.relation for each in belonging(household, today)}
    found: dict[str, list[_Hit]] = defaultdict(list)
    for person in residents(household):
        told: list[Incident | Accident] = [*household.of_kind(Incident, person)]
        told += household.of_kind(Accident, person)
        for fact in (each for each in told if each.day <= today):
            relation = here.get(person) or _relation_then(household, person, fact.day)
            if relation is not None:
                found[_number(fact)].append(_Hit(person, relation, fact, _weight(fact, rule)))
    return found


def _relation_then(household: Household, person: str, day: int) -> str | None:
    """The relation of somebody whose membership a roster ended with the incident."""
    then = (*household.members_on(day), *household.members_on(day - 1))
    return next((each.relation for each in then if each.person == person), None)


def _weight(fact: Incident | Accident, rule: Rule) -> int:
    if fact.injury in (Injury.SERIOUS, Injury.DEAD):
        return rule.number("severity")
    insured = fact.insured == Insured.FULLY
    if isinstance(fact, Incident) and fact.home in _HOMELESS:
        return rule.number("severity_insured" if insured else "severity")
    harmed = fact.injury == Injury.MINOR
    if isinstance(fact, Incident):
        harmed = harmed or fact.home == Home.DAMAGED or (fact.loss_fen or 0) >= rule.number("loss")
    return rule.number("severity_minor") if harmed and not insured else 0


def _calls(household: Household, today: int) -> list[tuple[Member, Ticket]]:
    """Calls about a sudden emergency, whoever made them: a ticket is about the person in need."""
    return [
        (member, each)
        for member in staying(household, today)
        for each in household.of_kind(Ticket, member.person, day_to=today + 1)
        if each.category == Hardship.DISASTER
    ]


def _struck(household: Household, today: int, areas: AreaTree) -> dict[str, list[AreaIncident]]:
    """Incidents of an area or an address, by number, with what people told who stay here of the day."""
    staying_here = {each.person for each in staying(household, today)}
    found: dict[str, list[AreaIncident]] = defaultdict(list)
    for person in sorted(staying_here):
        for fact in household.of_kind(AreaIncident, person, day_to=today + 1):
            if _was_there(household, person, fact, areas):
                found[_number(fact)].append(fact)
    return found


def _was_there(household: Household, person: str, fact: AreaIncident, areas: AreaTree) -> bool:
    """By what is known now of where this household lived; whoever came since was told where they lived then."""
    if fact.named or not covered(household.head, person, fact.day):
        return True

    def chain(area: str, day: int) -> tuple[str, ...]:
        try:
            return areas.chain(area, date.fromordinal(day))
        except AreaUnknown:
            return (area,)

    return lived_in(household, fact.area, fact.day, chain)


def _confirmed(household: Household) -> set[str]:
    """Numbers under which somebody of this household is known to be hit, or not to be."""
    found: set[str] = set()
    for person in residents(household):
        found |= {_number(each) for kind in (Incident, Accident) for each in household.of_kind(kind, person)}
    return found


def _number(fact: Fact) -> str:
    return fact.key.rpartition("|")[0]


def _breach(number: str, hits: list[_Hit], since: int, rule: Rule) -> Breach:
    facts = [each.fact for each in hits]
    sorts = sorted({IncidentSort[each.sort].label if isinstance(each, Incident) else "交通事故" for each in facts})
    homes = {each.home for each in facts if isinstance(each, Incident)}
    own = len(hits) == 1 and not homes - {Home.INTACT}
    line = rule.mark("people")
    insured = any(each.insured == Insured.FULLY for each in facts)
    return Breach(
        cause=number,
        subject=hits[0].relation if own else "HOUSEHOLD",
        since=date.fromordinal(since),
        severity=max(each.weight for each in hits),
        measure=len(hits),
        unit="people",
        threshold=line,
        reason=(
            f"{day_text(since)}{'、'.join(sorts)}，{who(hits[0].relation) if own else f'家中{len(hits)}人'}受影响"
            f"（{_harm(facts)}）{'，登记有足额保险赔付，请核实实际缺口' if insured else ''}，"
            f"请先行救助，手续后补（{line.cited}）"
        ),
        evidence=tuple(
            EvidenceItem(each.key, each.feed, each.source, each.day, getattr(each, "loss_fen", None) or 0)
            for each in facts
        ),
        person=hits[0].person if own else None,
    )


def _to_be_seen(number: str, struck: list[AreaIncident], since: int, rule: Rule, areas: AreaTree) -> Breach:
    line = Line(1, rule.label, rule.document, rule.policy)
    what = f"{day_text(since)}{IncidentSort[struck[0].sort].label}"
    if any(each.named for each in struck):
        where, ask = "报告的受灾地址与本户相符、人员待核实", "请尽快入户核实"
    else:
        where, ask = f"影响{_name(struck[0].area, areas)}", "请按排查清单入户核实受灾情况"
    return Breach(
        cause=number,
        subject="HOUSEHOLD",
        since=date.fromordinal(since),
        severity=rule.number("severity_area"),
        measure=len(struck),
        unit="people",
        threshold=line,
        reason=f"{what}{where}，当日在册{len(struck)}人，{ask}（{line.cited}）",
        evidence=tuple(EvidenceItem(each.key, each.feed, each.source, each.day, 1) for each in struck),
    )


def _name(area: str, areas: AreaTree) -> str:
    return areas.name(area) if area in areas else "当时所在地"


def _harm(facts: list[Incident | Accident]) -> str:
    """Injuries with their numbers, then what became of the home."""
    injured = Counter(each.injury for each in facts if each.injury != Injury.NONE)
    words = [f"{injury.label}{injured[injury]}人" for injury in reversed(Injury) if injured[injury]]
    homes = {each.home for each in facts if isinstance(each, Incident)}
    worst = next((home for home in reversed(Home) if home in homes and home != Home.INTACT), None)
    if worst is not None:
        words.append(f"住房{worst.label}")
    return "、".join(words) or "财产损失较大"


def _told(member: Member, ticket: Ticket, rule: Rule) -> Breach:
    line = Line(1, rule.label, rule.document, rule.policy)
    return Breach(
        cause=ticket.key,
        subject=member.relation,
        since=date.fromordinal(ticket.day),
        severity=rule.number("severity_told"),
        measure=1,
        unit="people",
        threshold=line,
        reason=(
            f"{day_text(ticket.day)}热线登记突发急难求助1次，还没有收到应急、消防或交警的登记，"
            f"请尽快联系核实（{line.cited}）"
        ),
        evidence=(EvidenceItem(ticket.key, ticket.feed, ticket.source, ticket.day, 1),),
        person=member.person,
    )
