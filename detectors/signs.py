"""What a household's ledger shows of need, counted on a day: each sign a number, its sentence, the records behind it.

A sign looks only at what is on record and, where the law asks for it, allowed to be looked at. `lacks` names feeds
whose complete files do not reach the day: then the number may be higher, and none is no proof of no need. Amounts are
fen, days ordinals; nothing here has a line, those are the place's (`need_profile`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, NamedTuple

from detectors.burden import Counting, charges, inside, rolling_year
from detectors.certificates import SEVERE, severe
from detectors.findings import EvidenceItem, Insufficient, evidence_days
from detectors.people import at_least, living, under
from detectors.words import who
from households.ledger import Household, Member
from households.residence import rank
from households.standing import authorised, disabilities, properties
from policy.areas import AreaUnknown
from policy.needs import NEEDS
from policy.parameters import Policy, PolicyMissing, Rule
from schemas.facts import Bill, Employment, Fact, Membership
from schemas.facts_contact import Listed
from schemas.facts_standing import Authorisation, Disability, Property
from schemas.feeds.disability import DisabilityLevel
from schemas.feeds.real_estate import PropertyUse
from schemas.labels import EmploymentKind, Visit, yuan

MONTHS = 12
_MEANS = "MEANS"
_HOMES = frozenset({PropertyUse.HOME, PropertyUse.RESETTLEMENT})


class Measured(NamedTuple):
    """A sign on a day. `value` None: cannot be told."""

    value: int | None
    says: str
    evidence: tuple[EvidenceItem, ...] = ()
    lacks: tuple[Insufficient, ...] = ()


@dataclass(frozen=True)
class Ledger:
    """One household on one day, by the values of the place."""

    household: Household
    on: date
    policy: Policy

    @property
    def today(self) -> int:
        """The day as ordinal."""
        return self.on.toordinal()

    @property
    def area(self) -> str:
        """Whose values count."""
        return self.household.responsible_area

    @cached_property
    def rule(self) -> Rule:
        """The place's list of dimensions. Raises PolicyMissing."""
        return self.policy.rule(NEEDS, self.area)

    @cached_property
    def severe(self) -> Rule:
        """Which certificates count as severe. Raises PolicyMissing."""
        return self.policy.rule(SEVERE, self.area)

    @cached_property
    def chain(self) -> tuple[str, ...]:
        """The area and all above it."""
        try:
            return self.policy.areas.chain(self.area, self.on)
        except AreaUnknown:
            return ()

    @cached_property
    def members(self) -> list[Member]:
        """Who lives here."""
        return living(self.household, self.today)

    def gaps(self, *feeds: str) -> tuple[Insufficient, ...]:
        """Those of the feeds whose complete files do not reach the day, with the last month they cover."""
        coverage = self.household.coverage
        late = dict(coverage.missing(feeds, self.chain, self.on))
        return tuple(
            Insufficient(each, late.get(each))
            for each in feeds
            if each in late or coverage.last_closed(each, self.chain) is None
        )

    def registered(self, people: Iterable[str]) -> tuple[EvidenceItem, ...]:
        """The registrations that say these people live here."""
        told = [
            max((each for each in self.household.head.members if each.person == person and each.covers(self.today)),
                key=rank, default=None)
            for person in people
        ]  # fmt: skip
        return _items((each, 1) for each in told if each is not None)


def _items(facts: Iterable[tuple[Fact, int]]) -> tuple[EvidenceItem, ...]:
    return evidence_days(EvidenceItem(each.key, each.feed, each.source, each.day, value) for each, value in facts)


def _severe(told: Ledger, person: str) -> list[Disability]:
    return [each for each in disabilities(told.household, person, told.today) if severe(each, told.severe)]


def _dependants(told: Ledger) -> Measured:
    """Minors, the old and severely disabled, in percent of the members."""
    child, elder = told.rule.number("child_under"), told.rule.number("elder_from")
    certified = {each.person: _severe(told, each.person) for each in told.members}
    counted = [
        each
        for each in told.members
        if under(each, child, told.today) or at_least(each, elder, told.today) or certified[each.person]
    ]
    if not told.members:
        return Measured(None, "没有在世的家庭成员")
    percent = len(counted) * 100 // len(told.members)
    unsure = [each for each in told.members if each not in counted]
    lacks = told.gaps(Disability.feed) if unsure else ()
    if any(each.born is None for each in unsure):
        lacks = (Insufficient(Membership.feed, None), *lacks)
    facts = [(fact, fact.level) for each in counted for fact in certified[each.person]]
    says = f"全家{len(told.members)}人中{len(counted)}人是未成年人、老人或重度残疾人，占{percent}%"
    evidence = evidence_days((*told.registered(each.person for each in counted), *_items(facts)))
    return Measured(percent, says, evidence, lacks)


def _elders_only(told: Ledger) -> Measured:
    """How many live here, where all of them are old."""
    elder = told.rule.number("elder_from")
    old = [each for each in told.members if at_least(each, elder, told.today)]
    unknown = [each for each in told.members if each.born is None]
    if unknown and len(old) + len(unknown) == len(told.members):
        return Measured(None, f"{len(unknown)}人出生日期没有登记", (), (Insufficient(Membership.feed, None),))
    if not old or len(old) < len(told.members):
        return Measured(0, f"家中不是只有{elder}岁以上老人")
    alone = "独自生活" if len(old) == 1 else "一起生活，没有年轻成员"
    return Measured(len(old), f"{len(old)}位{elder}岁以上老人{alone}", told.registered(each.person for each in old))


def _disabled(told: Ledger) -> Measured:
    """Members with a certificate that says severe."""
    found = [(member, fact) for member in told.members for fact in _severe(told, member.person)]
    people = {member.person for member, _ in found}
    names = "、".join(f"{who(member.relation)}{DisabilityLevel[f'L{fact.level}'].label}" for member, fact in found)
    says = f"重度残疾{len(people)}人（{names}）" if found else "没有重度残疾证"
    return Measured(len(people), says, _items((fact, fact.level) for _, fact in found), told.gaps(Disability.feed))


def _inpatient(told: Ledger) -> Measured:
    """Stays in hospital within twelve months, by their bills."""
    window = rolling_year(told.today)
    bills = [
        each
        for member in told.members
        for each in told.household.bills(member.person, window.first, window.after)
        if each.visit == Visit.INPATIENT and each.total_fen > 0
    ]
    says = f"近{MONTHS}个月住院结算{len(bills)}次"
    return Measured(len(bills), says, _items((each, each.total_fen) for each in bills), told.gaps(Bill.feed))


def _income(told: Ledger) -> Measured:
    """Assessed income per head, in percent of the local standard."""
    declared, people = told.household.declared_on(told.today), len(told.members)
    if declared is None or declared.monthly_income_fen is None or not people:
        return Measured(None, "没有核定收入", (), (Insufficient(Membership.feed, None),))
    level = told.policy.standard("dibao_month", told.area)
    income, standard = declared.monthly_income_fen, max(1, level.value)
    percent = income * 100 // (standard * people)
    told_by = [each for each in told.household.head.members if each.declared is declared]
    says = (
        f"核定家庭月收入{yuan(income)}（{declared.income_document}），{people}人人均{yuan(income // people)}，"
        f"是低保标准{yuan(level.value)}的{percent}%（{level.cited}）"
    )
    return Measured(percent, says, _items((each, income) for each in told_by))


def _unemployed(told: Ledger) -> Measured:
    """Members registered as unemployed."""
    found = [
        (member, each)
        for member in told.members
        for each in told.household.employments(member.person)
        if each.kind == EmploymentKind.UNEMPLOYED
        and each.day <= told.today
        and (each.until is None or told.today < each.until)
    ]
    people = dict.fromkeys(member.person for member, _ in found)
    names = "、".join(who(member.relation) for member in told.members if member.person in people)
    says = f"登记失业{len(people)}人（{names}）" if found else "没有登记失业的成员"
    return Measured(len(people), says, _items((each, 1) for _, each in found), told.gaps(Employment.feed))


def _no_home(told: Ledger) -> Measured:
    """1 where every adult allows the register to be looked at and none has a home there."""
    child = told.rule.number("child_under")
    adults = [each.person for each in told.members if not under(each, child, told.today)]
    allowing = [each for each in adults if authorised(told.household, each, _MEANS, told.today)]
    homes = [
        each for person in allowing for each in properties(told.household, person, told.today) if each.use in _HOMES
    ]
    if homes:
        return Measured(0, "名下有住房", _items((each, each.share_percent) for each in homes))
    if not adults or len(allowing) < len(adults):
        says = f"{len(adults)}名成年人中{len(allowing)}人授权查询财产，不足以判断"
        return Measured(None, says, (), (Insufficient(Authorisation.feed, None),))
    if lacks := told.gaps(Property.feed):
        return Measured(None, "不动产登记数据没有收齐，不能说没有住房", (), lacks)
    signed = [
        each
        for person in adults
        for each in told.household.of_kind(Authorisation, person)
        if each.scope == _MEANS and each.holds(told.today)
    ]
    return Measured(1, f"{len(adults)}名成年人均已授权查询，名下没有住房登记", _items((each, 1) for each in signed))


def _treatment(told: Ledger) -> Measured:
    """Personal burden of treatment in twelve months, in percent of plain living at the local standard."""
    people, level = len(told.members), told.policy.standard("dibao_month", told.area)
    if not people:
        return Measured(None, "没有在世的家庭成员")
    counting = told.policy.rule("rigid_ratio", told.area).read(Counting.of)
    everybody = [each.person for each in told.household.members_on(told.today)]
    found = inside(charges(told.household, everybody, counting), rolling_year(told.today))
    fen, plain = max(0, sum(each.fen for each in found)), max(1, level.value * people * MONTHS)
    says = (
        f"近{MONTHS}个月全家医疗个人负担{yuan(fen)}，相当于{people}人按低保标准生活支出{yuan(plain)}的"
        f"{fen * 100 // plain}%（{level.cited}）"
    )
    evidence = _items((each.fact, each.fen) for each in found)
    return Measured(fen * 100 // plain, says, evidence, told.gaps(Bill.feed))


def _listed(told: Ledger) -> Measured:
    """How often departments put somebody on a list of hardship within twelve months."""
    window = rolling_year(told.today)
    found = [
        each
        for member in told.members
        for each in told.household.of_kind(Listed, member.person, window.first, window.after)
    ]
    says = f"近{MONTHS}个月被部门列入困难名单{len(found)}次" if found else f"近{MONTHS}个月没有部门名单"
    return Measured(len(found), says, _items((each, 1) for each in found), told.gaps(Listed.feed))


_MEASURES: Final[Mapping[str, Callable[[Ledger], Measured]]] = {
    "DEPENDANTS": _dependants,
    "DISABLED": _disabled,
    "ELDERS_ONLY": _elders_only,
    "INCOME": _income,
    "INPATIENT": _inpatient,
    "LISTED": _listed,
    "NO_HOME": _no_home,
    "TREATMENT": _treatment,
    "UNEMPLOYED": _unemployed,
}
SIGN_LABELS: Final[Mapping[str, str]] = {
    "DEPENDANTS": "需要供养照料的成员",
    "DISABLED": "重度残疾",
    "ELDERS_ONLY": "只有老人",
    "INCOME": "核定人均收入",
    "INPATIENT": "住院",
    "LISTED": "部门困难名单",
    "NO_HOME": "没有自有住房",
    "TREATMENT": "医疗负担",
    "UNEMPLOYED": "登记失业",
}


def measure(sign: str, told: Ledger) -> Measured:
    """A sign of the list (`policy.needs.SIGNS`); not to be told where a value it counts with is missing."""
    try:
        return _MEASURES[sign](told)
    except PolicyMissing as missing:
        return Measured(None, f"没有可用的参数“{missing.name}”", (), (Insufficient(missing.name, None),))
