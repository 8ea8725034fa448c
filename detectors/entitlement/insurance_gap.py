"""INSURANCE-GAP 医保断保: somebody with a scheme has no medical insurance on record for the year, or it stopped.

A household detector on the enrolments of a medical year. It knows local insurance only: who is insured in another
province shows as not insured, and every sentence asks to check that first. Long treatment it sees from the yearly total
of what somebody bore, not from each bill. It enrols nobody; who may be subsidised is told to the medical insurance
bureau by an officer.
"""

from datetime import date
from typing import NamedTuple

from detectors.calendar import day_text, months_later
from detectors.certificates import SEVERE, severe
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.holdings import insured_span
from detectors.lacking import held, member_on, turns
from detectors.people import staying
from detectors.quiet import never_registered, unless_registered
from detectors.registry import Family, detector
from detectors.spans import Stretch, ends, inside, next_edge, unbroken
from detectors.words import who
from households.ledger import Household, Member
from households.residence import memberships_of
from households.standing import disabilities, year_total
from policy.parameters import Line, Policy, Rule
from schemas.facts import first_day, month_of
from schemas.facts_living import Enrolment, YearTotal
from schemas.facts_standing import Disability
from schemas.feeds.medical import Plan
from schemas.labels import yuan

_FEED = "medical.enrolment"


class _Year(NamedTuple):
    """A person's insurance of one medical year.

    `opens`: when having no record at all begins to count, `waited`: the months whose files that needs; `stopped_months`
    later counts what ended.
    """

    spans: list[Stretch]
    opens: int
    waited: range
    stopped_months: int

    def last_end(self, day: int) -> int | None:
        """The day on which insurance of the year ended last, up to a day."""
        return max((each.after for each in self.spans if each.after <= day), default=None)

    def counts_from(self, day: int) -> int:
        """The day from which not being insured on this day would count."""
        ended = self.last_end(day)
        return self.opens if ended is None else months_later(ended, self.stopped_months)

    def needed(self, day: int) -> range:
        """The months in whose files another record could have come."""
        ended = self.last_end(day)
        return self.waited if ended is None else range(month_of(ended), month_of(self.counts_from(day)))

    def edges(self) -> set[int]:
        """Days on which the answer may differ from the day before."""
        return {self.opens, *ends(self.spans), *(months_later(each.after, self.stopped_months) for each in self.spans)}


class _Gap(NamedTuple):
    """Somebody not insured: when that counts from and when it began, what is on record of this year and the last.

    `limit`: the days from `began` after which it counts, `ended`: whether because insurance stopped.
    """

    member: Member
    year: int
    since: int
    began: int
    limit: int
    ended: bool
    enrolments: list[Enrolment]


@detector(
    code="INSURANCE-GAP",
    version="1.1.0",
    family=Family.ENTITLEMENT,
    listens=(
        _FEED, "civil.household", "vital.death", "employment.status", "medical.year_total", "disability.certificate",
    ),
    rule="insurance_gap",
    standards=(SEVERE,),
    absence=(_FEED,),
    quiet=unless_registered,
    trial=True,
)  # fmt: skip
def insurance_gap(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per person with a scheme and medical year in which no insurance is in force.

    Nothing on record of the year counts once the collection period is over; insurance that ended counts so many months
    later. Both need complete files of the months in which a record could have come. A newborn has a window, insurance
    known to begin within the waiting period is insurance, who serves in the army is insured there. Next year is a new
    question. `since`: the first day on which it counted. Measure: days not insured this year by then.
    """
    if never_registered(household):
        return Findings()
    findings = Findings.covering(household, on, policy, _FEED)
    rule = policy.rule("insurance_gap", household.responsible_area)
    chain = policy.areas.chain(household.responsible_area, on)
    today = on.toordinal()
    findings.recheck(date(on.year + 1, 1, 1))
    for member in staying(household, today):
        gap = _gap(household, member, rule, chain, today, findings)
        if gap is not None:
            findings.add(_breach(household, gap, rule, policy.rule(SEVERE, household.responsible_area)))
    return findings


def _gap(
    household: Household, member: Member, rule: Rule, chain: tuple[str, ...], today: int, findings: Findings
) -> _Gap | None:
    """The person's gap today; asks to look again on every day on which the answer may turn."""
    number = date.fromordinal(today).year
    told = [each for each in household.of_kind(Enrolment, member.person) if each.year in (number - 1, number)]
    year = _year(household, member, [each for each in told if each.year == number], rule, number)
    schemes, excused = frozenset(rule.words("schemes")), _excused(household, member.person, rule)

    def uninsured(day: int) -> bool:
        if day < year.counts_from(day) or inside(year.spans, day) or inside(excused, day):
            return False
        then = member_on(household, member.person, day)
        return then is not None and bool(held([then], day) & schemes)

    days = {*year.edges(), *ends(excused), *turns(household)}
    findings.recheck(next_edge(days, today))
    since = unbroken(days, uninsured, today)
    if since is None or not all(household.coverage.closed(_FEED, month, chain) for month in year.needed(since)):
        return None
    ended = year.last_end(since)
    began = ended or max(date(number, 1, 1).toordinal(), member.born or 0)
    limit = year.counts_from(since) - began
    return _Gap(member, number, max(since, rule.since.toordinal()), began, limit, ended is not None, told)


def _year(household: Household, member: Member, mine: list[Enrolment], rule: Rule, number: int) -> _Year:
    """What is on record, and when its lack counts: after the collection, a newborn's window, time to be registered."""
    spans = [Stretch(each.day - rule.number("waiting_days"), insured_span(each).after) for each in mine]
    last = date(number, 1, 1).year * 12 + rule.number("collection_ends_month")
    opens, waited = first_day(last), range(last - rule.number("collection_months"), last)
    if member.born is not None and (window := member.born + rule.number("newborn_days")) > opens:
        opens, waited = window, range(month_of(member.born), month_of(window))
    joined = month_of(min(each.day for each in memberships_of(household.head, member.person)))
    settled = first_day(joined + rule.number("settling_months"))
    if settled > opens:
        opens, waited = settled, range(joined, month_of(settled))
    return _Year(spans, opens, waited, rule.number("stopped_months"))


def _excused(household: Household, person: str, rule: Rule) -> list[Stretch]:
    by = rule.words("excused_by")
    far = date.max.toordinal()
    return [
        Stretch(each.day, far if each.until is None else each.until)
        for each in household.employments(person)
        if each.kind in by
    ]


def _in_treatment(household: Household, gap: _Gap, rule: Rule) -> YearTotal | None:
    """The newest yearly total, of this year or the last, that shows long treatment."""
    totals = (year_total(household, gap.member.person, year) for year in (gap.year, gap.year - 1))
    return next((each for each in totals if each is not None and each.borne_fen >= rule.number("treatment_line")), None)


def _breach(household: Household, gap: _Gap, rule: Rule, standard: Rule) -> Breach:
    treated = _in_treatment(household, gap, rule)
    on_day = disabilities(household, gap.member.person, gap.since)
    certified = [each for each in on_day if severe(each, standard)]
    of_year = [each for each in gap.enrolments if each.year == gap.year]
    line = Line(gap.limit, rule.label, rule.document, rule.policy)
    due = f"终止满{rule.number('stopped_months')}个月提示" if gap.ended else f"{day_text(gap.began + gap.limit)}起提示"
    notes = [f"上一次年度累计个人负担{yuan(treated.borne_fen)}"] if treated is not None else []
    notes += ["持重度残疾人证"] if certified else []
    return Breach(
        cause=f"{gap.member.person}/{gap.year}",
        subject=gap.member.relation,
        since=date.fromordinal(gap.since),
        severity=rule.number("severity_ill" if notes else "severity"),
        measure=gap.since - gap.began,
        unit="days",
        threshold=line,
        reason=(
            f"{who(gap.member.relation)}{_told(of_year, gap.year)}，到{day_text(gap.since)}没有其他参保记录"
            f"{''.join(f'，{note}' for note in notes)}；请先核实是否在外地参保或随单位参保，"
            f"属于资助对象的协助办理资助参保（{due}，{line.cited}）"
        ),
        evidence=(
            *(EvidenceItem(each.key, _FEED, each.source, each.day, each.year) for each in gap.enrolments),
            *(EvidenceItem(each.key, Disability.feed, each.source, each.day, each.level) for each in certified),
            *((EvidenceItem(treated.key, YearTotal.feed, treated.source, treated.day, treated.borne_fen),)
              if treated is not None else ()),
        ),
    )  # fmt: skip


def _told(of_year: list[Enrolment], year: int) -> str:
    if not of_year:
        return f"没有{year}年度医保参保记录"
    last = max(of_year, key=lambda each: insured_span(each).after)
    return f"{year}年度{Plan[last.plan].label}待遇于{day_text(insured_span(last).after)}终止"
