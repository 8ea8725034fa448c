"""CHILD-GUARDIAN 监护缺失儿童: no parent of a child is there to look after it, as far as registers tell.

A household detector on deaths, custody, certificates and kinship. Of a parent it tells what kind of state it is, never
more. Parents are those the register names; where it names fewer than two, also those the household's own relations
suggest, and the sentence says so. Serious illness, which counts as well, is told by no feed; a parent whose facts lie
in another household is only known to be away. It appoints nobody and decides no support.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from detectors.calendar import months_later
from detectors.certificates import severe
from detectors.findings import Breach, EvidenceItem, Findings, evidence_days
from detectors.people import belonging, edges, living, next_birthday, staying, under
from detectors.quiet import none_of, unless_told
from detectors.registry import Family, detector
from detectors.words import who
from households.ledger import Household, Member
from households.queries import FOREVER
from policy.parameters import Policy, Rule
from schemas.facts import AnyFact, Death
from schemas.facts_standing import Custody, Disability, FamilyChange
from schemas.feeds.justice import CustodyCategory
from schemas.labels import Relation

_KINDS = (Death, Custody, Disability)
_AT_HOME = {CustodyCategory.REVOKED}
"""States in which somebody may well live at home."""


class _State(NamedTuple):
    """A parent cannot care, half-open [first, after); from `counts` on it has lasted, or will last, long enough."""

    first: int
    after: int
    counts: int
    fact: AnyFact


class _Parent(NamedTuple):
    """A parent on a day: the states in force; `here`: at home and in none."""

    person: str
    states: tuple[_State, ...]
    here: bool


class _Child(NamedTuple):
    """A child on a day and its parents; `named`: whether the register names them."""

    member: Member
    parents: tuple[_Parent, ...]
    named: bool

    @property
    def uncared(self) -> bool:
        """Whether no parent is there to care, and of at least one a register says why."""
        return any(each.states for each in self.parents) and not any(each.here for each in self.parents)


@detector(
    code="CHILD-GUARDIAN",
    version="1.0.0",
    family=Family.RISK,
    listens=("vital.death", "justice.custody", "disability.certificate", "household.change", "civil.household"),
    rule="child_guardian",
    quiet=unless_told(*_KINDS),
    trial=True,
)
def child_guardian(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per child with no parent at home and able, one of them dead, kept away, severely disabled or revoked.

    Early while a state may yet end within the months the place sets, or while of another parent nothing is known;
    higher when all parents are known to be unable, highest when no adult is at home. Silent for a child whose scheme
    already stands for its care. Parents away for work are in no state. `since` is the first day of the unbroken
    stretch. Measure: parents in such a state. Unknown age of somebody's child: `Insufficient`.
    """
    findings = Findings.covering(household, on, policy, "vital.death")
    if none_of(household, _KINDS):
        return findings
    rule = policy.rule("child_guardian", household.responsible_area)
    today, age = on.toordinal(), rule.number("child_under")
    states = {person: _states(household, person, rule) for person in _everybody(household)}
    turns = {day for several in states.values() for each in several for day in each[:3]}
    turns |= {stay.day for stays in household.head.stubs.values() for stay in stays}
    for member in staying(household, today):
        if member.born is None and member.relation in (Relation.CHILD, Relation.GRANDCHILD):
            findings.lacks("civil.household", None)
        if not under(member, age, today):
            continue
        since = _since(household, member, states, turns, today, rule)
        child = _child(household, member.person, states, today, rule)
        if since is not None and child is not None:
            findings.add(_breach(household, child, states, since, today, rule))
            findings.recheck(*(next_birthday(each, (age,), today) for each in household.members_on(today)))
        findings.recheck(next_birthday(member, (age,), today))
    findings.recheck(*(date.fromordinal(day) for day in turns if today < day < FOREVER))
    return findings


def _everybody(household: Household) -> set[str]:
    """Everybody whose facts may lie here."""
    return {each.person for each in household.head.members} | set(household.head.lasting)


def _states(household: Household, person: str, rule: Rule) -> list[_State]:
    """Every state of somebody that keeps a parent from caring."""
    months = rule.number("months")
    found = [_State(each.day, FOREVER, each.day, each) for each in household.deaths(person)]
    for spell in household.of_kind(Custody, person):
        long = months_later(spell.day, months)
        lasting = spell.category == CustodyCategory.REVOKED or (spell.expected_to or 0) >= long
        found.append(_State(spell.day, spell.until or FOREVER, spell.day if lasting else long, spell))
    certificates = household.of_kind(Disability, person)
    for each in certificates:
        later = [other.day for other in certificates if other.category == each.category and other.day > each.day]
        ends = [end for end in (each.expires, each.until, *later) if end is not None]
        if severe(each, rule):
            found.append(_State(each.day, min(ends, default=FOREVER), each.day, each))
    return [each for each in found if each.first < each.after]


def _since(
    household: Household, member: Member, states: dict[str, list[_State]], turns: set[int], today: int, rule: Rule
) -> int | None:
    """The first day of the unbroken stretch, up to today, in which the child is uncared for."""
    days = {*turns, *edges(household, 0, today), member.born or 0}
    days |= {each.day for each in household.of_kind(FamilyChange)}
    since = None
    for day in sorted(each for each in days if 0 < each <= today):
        child = _child(household, member.person, states, day, rule)
        since = (since or day) if child is not None and child.uncared else None
    return since


def _child(household: Household, person: str, states: dict[str, list[_State]], day: int, rule: Rule) -> _Child | None:
    """The child as of a day; None when not born, not of this household, or cared for by a scheme."""
    member = next((each for each in belonging(household, day) if each.person == person), None)
    if member is None or member.born is None or day < member.born:
        return None
    covered = rule.words("covered_by")
    for status in member.statuses:
        if status.scheme in covered and status.since <= day and (status.until is None or day < status.until):
            return None
    named = _named(household, person, day)
    guessed = set() if len(named) > 1 else _by_relation(household, member, day)
    home = {each.person for each in household.members_on(day)}
    parents = []
    for parent in sorted((named | guessed) - {person}):
        now = tuple(each for each in states.get(parent, ()) if each.first <= day < each.after)
        parents.append(_Parent(parent, now, parent in home and not now))
    return _Child(member, tuple(parents), len(named) > 1)


def _named(household: Household, person: str, day: int) -> set[str]:
    """The parents the register names, from either side."""
    found = set()
    for each in household.of_kind(FamilyChange, day_to=day + 1):
        subject = each.key.rpartition("|")[2]
        if subject == person and each.relation == Relation.PARENT and each.relative is not None:
            found.add(each.relative)
        if each.relative == person and each.relation == Relation.CHILD:
            found.add(subject)
    return found


def _by_relation(household: Household, child: Member, day: int) -> set[str]:
    """The parents the household's own relations suggest, among all who lived here up to a day."""
    wanted: Iterable[str] = ()
    if child.relation == Relation.CHILD:
        wanted = (Relation.HEAD, Relation.SPOUSE)
    elif child.relation == Relation.HEAD:
        wanted = (Relation.PARENT,)
    stays = (each for each in household.head.members if each.day <= day and not each.gone)
    return {each.person for each in stays if each.relation in wanted}


def _alone(household: Household, states: dict[str, list[_State]], today: int, rule: Rule) -> bool:
    """Whether no adult is at home: nobody of age, or of unknown age, who is not kept away."""
    for each in living(household, today):
        now = (state.fact for state in states.get(each.person, ()) if state.first <= today < state.after)
        kept = any(isinstance(fact, Custody) and fact.category not in _AT_HOME for fact in now)
        if not kept and not under(each, rule.number("child_under"), today):
            return False
    return True


def _breach(
    household: Household, child: _Child, states: dict[str, list[_State]], since: int, today: int, rule: Rule
) -> Breach:
    alone = _alone(household, states, today, rule)
    unable = [each for each in child.parents if any(state.counts <= today for state in each.states)]
    settled = len(unable) == len(child.parents) > 1
    level = rule.number("severity_alone" if alone else "severity" if settled else "severity_early")
    line = rule.mark("parents")
    told = [state.fact for each in child.parents for state in each.states]
    return Breach(
        cause=child.member.person,
        subject=child.member.relation,
        since=date.fromordinal(since),
        severity=level,
        measure=sum(bool(each.states) for each in child.parents),
        unit="parents",
        threshold=line,
        reason=(
            f"{who(child.member.relation)}未满{rule.number('child_under')}周岁，父母中{_what(child.parents)}"
            f"{'，家中没有成年人照料' if alone else ''}"
            f"{'' if child.named else '，父母关系按户内登记推定，请先核实'}"
            f"{'' if settled else '，是否长期无法照料还不确定，请先关注'}"
            f"；请核实监护和照料，已确定监护人的请登记（{line.cited}）"
        ),
        evidence=evidence_days(EvidenceItem(each.key, each.feed, each.source, each.day, 1) for each in told),
        person=child.member.person,
    )


def _what(parents: tuple[_Parent, ...]) -> str:
    """How many are in which kind of state; each parent is told once, by the weightiest."""
    kinds = [{state.fact.__class__ for state in each.states} for each in parents]
    dead = sum(Death in each for each in kinds)
    kept = sum(Custody in each and Death not in each for each in kinds)
    disabled = sum(Disability in each and not {Death, Custody} & each for each in kinds)
    away = sum(not each for each in kinds)
    told = (
        (dead, "去世"), (kept, "登记有无法履行监护的状态"), (disabled, "重度残疾"), (away, "不在户内、情况不明"),
    )  # fmt: skip
    return "、".join(f"{count}人{word}" for count, word in told if count)
