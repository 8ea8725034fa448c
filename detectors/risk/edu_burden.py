"""EDU-BURDEN 因学负担: schooling beyond the compulsory years costs more than the line, or a poor student has no aid.

A household detector on fees, aid and enrolment. Fees of compulsory years are a choice and never counted; whether a
school was chosen for its price no feed says, so high tuition only asks to be checked. Leaving school is DROPOUT's.
"""

from datetime import date

from detectors.calendar import month_text, school_year
from detectors.findings import Breach, EvidenceItem, Findings, evidence_days
from detectors.lacking import in_force
from detectors.people import belonging, edges, staying, unbroken_from
from detectors.quiet import none_of, unless_told
from detectors.registry import Family, detector
from detectors.words import who
from households.ledger import Household, Member
from policy.parameters import Policy, Rule, severity
from schemas.facts import first_day, month_of
from schemas.facts_living import SchoolAid, SchoolFee, Schooling
from schemas.feeds.education import FeeItem, Stage
from schemas.labels import yuan

_KINDS = (SchoolFee, Schooling)


@detector(
    code="EDU-BURDEN",
    version="1.0.0",
    family=Family.RISK,
    listens=("education.fee", "education.aid", "education.enrolment", "civil.household", "vital.death"),
    rule="edu_burden",
    absence=("education.aid",),
    quiet=unless_told(*_KINDS),
    trial=True,
)
def edu_burden(household: Household, on: date, policy: Policy) -> Findings:
    """Per student a breach for what a school year costs (`/cost`) and one for no aid at all (`/no_aid`).

    Cost: fees of the stages the place names, less aid paid out, within the school year of the day (1 September to 31
    August), above the line; fen; `since` is the first day of the unbroken stretch. No aid: enrolled in college and
    holding a scheme the place names for so many months of closed aid files, without any aid for the school year;
    months. Both end with the school year.
    """
    findings = Findings.covering(household, on, policy, "education.fee", "education.aid")
    if none_of(household, _KINDS):
        return findings
    rule = policy.rule("edu_burden", household.responsible_area)
    today = on.toordinal()
    year = school_year(today)
    chain = policy.areas.chain(household.responsible_area, on)
    for member in staying(household, today):
        cost = _cost(household, member, year, today, rule)
        if cost is not None:
            findings.add(cost)
        waits = _waits(household, member.person, today, chain, rule)
        findings.recheck(*(date.fromordinal(day) for day in waits if day > today))
        if any(day <= today for day in waits):
            findings.add(_unaided(household, member, today, chain, rule))
        if household.of_kind(Schooling, member.person) or cost is not None:
            findings.recheck(date(year + 1, 9, 1))
    return findings


# ---- what a school year costs
def _cost(household: Household, member: Member, year: int, today: int, rule: Rule) -> Breach | None:
    """The breach of a school year that costs more than the line after aid."""
    stages, counted = rule.words("stages"), rule.words("aid_deducted")
    fees = [
        each
        for each in household.of_kind(SchoolFee, member.person, day_to=today + 1)
        if each.school_year == year and each.stage in stages
    ]
    aid = [
        each
        for each in household.of_kind(SchoolAid, member.person, day_to=today + 1)
        if each.school_year == year and each.aid in counted
    ]
    line = rule.mark("line")
    net, since = 0, None
    for day in sorted({each.day for each in (*fees, *aid)}):
        net += sum(each.amount_fen for each in fees if each.day == day)
        net -= sum(each.amount_fen for each in aid if each.day == day)
        charged = any(each.day <= day for each in fees)  # aid taken back is no fee
        since = (since or day) if charged and net > line.value else None
    if since is None:
        return None
    paid, helped = sum(each.amount_fen for each in fees), sum(each.amount_fen for each in aid)
    tuition = sum(each.amount_fen for each in fees if each.item == FeeItem.TUITION)
    check = f"，其中学费{yuan(tuition)}，请先核实是否自主择校" if tuition >= rule.number("tuition_to_check") else ""
    stage = Stage[fees[-1].stage].label
    return Breach(
        cause=f"{member.person}/cost",
        subject=member.relation,
        since=date.fromordinal(since),
        severity=severity(rule.steps("bands"), net * 100 // line.value if line.value else net),
        measure=net,
        unit="fen",
        threshold=line,
        reason=(
            f"{who(member.relation)}{year}—{year + 1}学年{stage}缴费{yuan(paid)}，扣除资助{yuan(helped)}后"
            f"家庭负担{yuan(net)}{check}，超过因学负担线{yuan(line.value)}（{line.cited}）"
        ),
        evidence=evidence_days(
            (
                *(EvidenceItem(each.key, SchoolFee.feed, each.source, each.day, each.amount_fen) for each in fees),
                *(EvidenceItem(each.key, SchoolAid.feed, each.source, each.day, -each.amount_fen) for each in aid),
            )
        ),
    )


# ---- no aid
def _waits(household: Household, person: str, today: int, chain: tuple[str, ...], rule: Rule) -> list[int]:
    """Per enrolment and scheme in force on a day: the day after the last closed month that should have brought aid.

    Empty when aid is on record, when some month is not closed, or when nothing is to be expected.
    """
    year, wait = school_year(today), rule.number("aid_months")
    if any(
        each.school_year == year and each.amount_fen > 0
        for each in household.of_kind(SchoolAid, person, day_to=today + 1)
    ):
        return []
    begins = month_of(date(year, 9, 1).toordinal())
    days = []
    for spell in _spells(household, person, today):
        for status_since in _held(household, person, today, rule):
            start = max(begins, month_of(spell.day), month_of(status_since))
            closed = all(
                household.coverage.closed("education.aid", month, chain) for month in range(start, start + wait)
            )
            if closed and start + wait < begins + 12:
                days.append(first_day(start + wait))
    return days


def _spells(household: Household, person: str, day: int) -> list[Schooling]:
    return [
        each
        for each in household.of_kind(Schooling, person)
        if each.stage == Stage.COLLEGE and each.day <= day and (each.until is None or day < each.until)
    ]


def _held(household: Household, person: str, day: int, rule: Rule) -> list[int]:
    """Since when somebody has held each of the schemes that aid is meant for."""
    schemes = rule.words("aid_schemes")
    return [
        status.since
        for member in belonging(household, day)
        if member.person == person
        for status in in_force(member.statuses, day)
        if status.scheme in schemes
    ]


def _unaided(household: Household, member: Member, today: int, chain: tuple[str, ...], rule: Rule) -> Breach:
    def waited(day: int) -> bool:
        return any(each <= day for each in _waits(household, member.person, day, chain, rule))

    first = min(_waits(household, member.person, today, chain, rule))
    since = unbroken_from([first, *edges(household, first, today)], waited, today)
    line = rule.mark("aid_months")
    spells = _spells(household, member.person, today)
    return Breach(
        cause=f"{member.person}/no_aid",
        subject=member.relation,
        since=date.fromordinal(since),
        severity=rule.number("severity_unaided"),
        measure=line.value,
        unit="months",
        threshold=line,
        reason=(
            f"{who(member.relation)}正在接受高等教育并有救助身份，到{month_text(month_of(since) - 1)}"
            f"连续{line.value}个月的资助数据里没有本学年的资助记录，请核实是否需要协助申请（{line.cited}）"
        ),
        evidence=tuple(EvidenceItem(each.key, Schooling.feed, each.source, each.day, 0) for each in spells),
    )
