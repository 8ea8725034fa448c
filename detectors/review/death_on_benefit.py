"""DEATH-ON-BENEFIT 去世后发放核实: a benefit is on record for a month after the month in which the person died."""

from datetime import date

from detectors.calendar import month_text
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import anybody_died, member_at_death, residents
from detectors.registry import Family, detector
from detectors.words import who
from households.ledger import Household
from policy.parameters import Policy, Rule
from schemas.facts import Benefit, Death, first_day
from schemas.labels import Relation, ReportedBy


@detector(
    code="DEATH-ON-BENEFIT",
    version="1.1.0",
    family=Family.REVIEW,
    listens=("vital.death", "civil.benefit", "civil.household"),
    rule="death_on_benefit",
)
def death_on_benefit(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per person with a benefit month after the month of death; it asks for a check and stops nothing.

    One kind of source is a report to be checked (待核实), two independent ones confirm each other and raise the
    severity. Where sources differ on the day, the latest counts, in the family's favour. Help that belongs to the home
    and goes on for those who stay, as the place lists it, is nobody's benefit. `since` is the first day of the first
    such month. Measure: benefit months; the amounts are only listed.
    """
    findings = Findings.covering(household, on, policy, "vital.death", "civil.benefit")
    if not anybody_died(household):
        return findings
    rule = policy.rule("death_on_benefit", household.responsible_area)
    today, left_out = on.toordinal(), rule.words("left_out")
    for person, reports in _reports(household, today).items():
        month_of_death = max(each.month for each in reports)
        paid = [
            each
            for each in household.benefits(person)
            if each.amount_fen > 0 and each.month > month_of_death and each.day <= today and each.scheme not in left_out
        ]
        if len({each.month for each in paid}) >= rule.number("months"):
            findings.add(_breach(household, person, reports, paid, rule))
    return findings


def _reports(household: Household, today: int) -> dict[str, list[Death]]:
    """Reports of deaths up to today, by person."""
    found = {}
    for person in residents(household):
        known = [each for each in household.deaths(person) if each.day <= today]
        if known:
            found[person] = known
    return found


def _breach(household: Household, person: str, known: list[Death], paid: list[Benefit], rule: Rule) -> Breach:
    sources = sorted({ReportedBy[each.reported_by].label for each in known})
    confirmed = len(sources) >= rule.number("confirming_sources")
    months = sorted({each.month for each in paid})
    member = member_at_death(household, person, min(each.day for each in known))
    relation = member.relation if member is not None else Relation.OTHER.value
    first = date.fromordinal(first_day(months[rule.number("months") - 1]))
    line = rule.mark("months")
    basis = f"{'、'.join(sources)}{'相互印证' if confirmed else '一个来源，待核实'}"
    return Breach(
        cause=person,
        subject=relation,
        since=max(first, rule.since),
        severity=rule.number("severity_confirmed" if confirmed else "severity"),
        measure=len(months),
        unit="months",
        threshold=line,
        reason=(
            f"{who(relation)}有去世登记（{basis}），{month_text(months[0])}起仍有{len(months)}个月待遇发放记录，"
            f"请复核发放信息并关心家属（{line.cited}）"
        ),
        evidence=(
            *(EvidenceItem(each.key, Death.feed, each.source, each.day, 1) for each in known),
            *(EvidenceItem(each.key, Benefit.feed, each.source, each.day, each.amount_fen) for each in paid),
        ),
        person=person,
    )
