"""NEW-DISABILITY 新增重残: a severe disability is newly certified, or a certificate runs out and no newer one is known.

A household detector on the certificates of the disability registry. What is severe, how long news stands and how early
an end is told are policy. It renews nothing and claims no subsidy, and its sentence names no category of disability.
"""

from datetime import date

from detectors.calendar import day_text, months_later
from detectors.certificates import SEVERE, severe, severe_line
from detectors.findings import Breach, EvidenceItem, Findings
from detectors.people import at_least, next_birthday, staying, under
from detectors.quiet import none_of, unless_told
from detectors.registry import Family, detector
from detectors.words import who
from households.ledger import Household, Member
from households.standing import disabilities
from policy.parameters import Policy, Rule
from schemas.facts_standing import Disability
from schemas.feeds.disability import CertificateAction, DisabilityLevel
from schemas.labels import Relation

_FEED = "disability.certificate"


@detector(
    code="NEW-DISABILITY",
    version="1.0.0",
    family=Family.RISK,
    listens=("disability.certificate", "civil.household", "vital.death"),
    rule="new_disability",
    standards=(SEVERE,),
    quiet=unless_told(Disability),
    trial=True,
)
def new_disability(household: Household, on: date, policy: Policy) -> Findings:
    """Per person a breach for a disability newly severe (`/new`) and one for a certificate running out (`/expiry`).

    New is what no earlier certificate said: a renewal, a lower level and a second certificate of somebody already
    severe are not. It stands for the months the place sets, while still severe; `since` is the day of issue, measure
    the level. An end is told the days before that the place sets and for some days after, unless a newer certificate
    of any category is known; measure: days. Higher where nobody of working age is there to care.
    """
    findings = Findings.covering(household, on, policy, _FEED)
    if none_of(household, (Disability,)):
        return findings
    rule = policy.rule("new_disability", household.responsible_area)
    standard = policy.rule(SEVERE, household.responsible_area)
    today = on.toordinal()
    members = staying(household, today)
    ages = (rule.number("adult_from"), rule.number("elder_from"))
    for member in members:
        told = sorted(household.of_kind(Disability, member.person, day_to=today + 1), key=lambda each: each.key)
        told.sort(key=lambda each: each.day)
        news = _news(household, member, told, today, rule, standard)
        if news is not None:
            findings.add(_new_breach(member, news, told, members, today, rule, standard))
            findings.recheck(date.fromordinal(_news_until(news, rule)))
            findings.recheck(*(next_birthday(each, ages, today) for each in members))
        if told and told[-1].expires is not None and not _cancelled(told[-1], today):
            since, until = _expiring(told[-1], told[-1].expires, rule)
            findings.recheck(*(date.fromordinal(day) for day in (since, until) if day > today))
            if since <= today < until:
                findings.add(_expiry_breach(member, told[-1], told[-1].expires, since, rule))
    return findings


def _news(
    household: Household, member: Member, told: list[Disability], today: int, rule: Rule, standard: Rule
) -> Disability | None:
    """The newest certificate that said something new and severe, while it is news and the person still severe."""
    grave = [each for each in told if severe(each, standard) and _began(each)]
    fresh = [each for each in grave if _first_said(each, told, rule, standard)]
    if not fresh or today >= _news_until(fresh[-1], rule):
        return None
    now = disabilities(household, member.person, today)
    return fresh[-1] if any(severe(each, standard) for each in now) else None


def _news_until(certificate: Disability, rule: Rule) -> int:
    return months_later(certificate.day, rule.number("stands_months"))


def _began(certificate: Disability) -> bool:
    """Whether it was ever in force."""
    return all(end is None or certificate.day < end for end in (certificate.expires, certificate.until))


def _cancelled(certificate: Disability, today: int) -> bool:
    return certificate.until is not None and certificate.until <= today


def _first_said(certificate: Disability, told: list[Disability], rule: Rule, standard: Rule) -> bool:
    """Whether nothing earlier was severe. A renewal continues what was, however long ago and even when unknown."""
    earlier = {each.category: each for each in told if each.day < certificate.day}
    if certificate.action == CertificateAction.RENEW:
        return bool(earlier) and not any(severe(each, standard) for each in earlier.values())
    gap = rule.number("renewal_gap_days")
    return not any(severe(each, standard) and _ended(each) + gap >= certificate.day for each in earlier.values())


def _ended(certificate: Disability) -> int:
    ends = [end for end in (certificate.expires, certificate.until) if end is not None]
    return min(ends, default=date.max.toordinal())


def _expiring(certificate: Disability, expires: int, rule: Rule) -> tuple[int, int]:
    """From which day its end is told, and until when."""
    return max(certificate.day, expires - rule.number("notice_days")), expires + rule.number("after_expiry_days")


def _alone(member: Member, members: list[Member], today: int, rule: Rule) -> bool:
    """Whether nobody else of working age lives here, or only one adult at all; unknown ages count as able."""
    adult, old = rule.number("adult_from"), rule.number("elder_from")
    adults = [each for each in members if not under(each, adult, today)]
    able = [each for each in adults if each.person != member.person and not at_least(each, old, today)]
    return not able or len(adults) == 1


def _new_breach(
    member: Member,
    news: Disability,
    told: list[Disability],
    members: list[Member],
    today: int,
    rule: Rule,
    standard: Rule,
) -> Breach:
    alone = _alone(member, members, today, rule)
    line = standard.mark(severe_line(news, standard))
    unsure = news.action == CertificateAction.CHANGE and told[0] is news
    carer = f"，登记的照料人是本人的{Relation[news.carer].label}" if news.carer else ""
    return Breach(
        cause=f"{member.person}/new",
        subject=member.relation,
        since=date.fromordinal(news.day),
        severity=rule.number("severity_alone" if alone else "severity"),
        measure=news.level,
        unit="level",
        threshold=line,
        reason=(
            f"{who(member.relation)}{day_text(news.day)}残疾评定为{DisabilityLevel[f'L{news.level}'].label}"
            f"（{CertificateAction[news.action].label}）{'，此前等级没有记录，请先核实是否新达到' if unsure else ''}"
            f"{carer}{'，家中没有其他可照料的劳动年龄成年人' if alone else ''}，请核实照料和补贴需要"
            f"（{line.value}级及以上提示，{line.cited}）"
        ),
        evidence=tuple(EvidenceItem(each.key, _FEED, each.source, each.day, each.level) for each in told),
    )


def _expiry_breach(member: Member, certificate: Disability, expires: int, since: int, rule: Rule) -> Breach:
    line = rule.mark("notice_days")
    return Breach(
        cause=f"{member.person}/expiry",
        subject=member.relation,
        since=date.fromordinal(since),
        severity=rule.number("severity_expiring"),
        measure=expires - since,
        unit="days",
        threshold=line,
        reason=(
            f"{who(member.relation)}的残疾证有效期到{day_text(expires)}，还没有换领记录，"
            f"到期后相关补贴可能中断，请提醒并协助换领（提前{line.value}天提示，{line.cited}）"
        ),
        evidence=(
            EvidenceItem(certificate.key, _FEED, certificate.source, certificate.day, expires - certificate.day),
        ),
    )
