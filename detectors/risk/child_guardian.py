"""CHILD-GUARDIAN 监护缺失儿童: no parent of a child is there to look after it, as far as registers tell.

A household detector on deaths, custody, certificates and kinship. Of a parent it tells what kind of state it is, never
more. Parents are those the register names; where it names fewer than two, also those the household's own relations
suggest, and the sentence says so; where these suggest none the answer waits for the register. Serious illness, which
counts as well, is told by no feed; a parent whose facts lie in another household is only known to be away. It appoints
nobody and decides no support.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from detectors.calendar import birthday, months_later
from detectors.certificates import SEVERE, severe
from detectors.findings import Breach, EvidenceItem, Findings, evidence_days
from detectors.lacking import held
from detectors.people import belonging, edges, living, next_birthday, staying, under
from detectors.quiet import none_of, unless_told
from detectors.registry import Family, detector
from detectors.spans import Stretch, ends, inside, next_edge
from detectors.words import who
from households.ledger import Household, Member
from households.queries import FOREVER
from policy.parameters import Policy, Rule
from schemas.facts import AnyFact, Death, Membership, first_day
from schemas.facts_standing import Custody, Disability, FamilyChange
from schemas.feeds.justice import CustodyCategory
from schemas.labels import Relation

_KINDS = (Death, Custody, Disability)
_AT_HOME = {CustodyCategory.REVOKED}
"""States in which somebody may well live at home."""
_SUGGESTED: Mapping[str, tuple[Relation, ...]] = {
    Relation.CHILD: (Relation.HEAD, Relation.SPOUSE),
    Relation.HEAD: (Relation.PARENT,),
    Relation.SIBLING: (Relation.PARENT,),
    Relation.GRANDCHILD: (Relation.CHILD, Relation.OTHER),
}
"""Whose relation to the head makes them parents of a child; of a grandchild they may as well be aunts and uncles."""
_OLDER = (Relation.HEAD, Relation.SPOUSE, Relation.PARENT, Relation.GRANDPARENT)
"""Who would be told as the parents of a child, or as its grandparents, if they were."""
_YOUNGEST = 15
"""Who is less older than this is taken for nobody's parent."""


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

    def uncared(self, least: int) -> bool:
        """Whether no parent is there to care, and of at least so many a register says why."""
        return sum(bool(each.states) for each in self.parents) >= least and not any(each.here for each in self.parents)


@detector(
    code="CHILD-GUARDIAN",
    version="1.1.0",
    family=Family.RISK,
    listens=(
        "vital.death", "justice.custody", "disability.certificate", "household.change", "civil.household",
        "civil.benefit",
    ),
    rule="child_guardian",
    standards=(SEVERE,),
    quiet=unless_told(*_KINDS),
    trial=True,
)  # fmt: skip
def child_guardian(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per child with no parent at home and able, one of them dead, kept away, severely disabled or revoked.

    Early while a state may yet end within the months the place sets, or while of another parent nothing is known;
    higher when all parents are known to be unable, highest when no adult is at home. Silent for a child whose scheme,
    or a benefit of late, already stands for its care. Parents away for work are in no state. `since` is the first day
    of the unbroken stretch. Measure: parents in such a state. Unknown age of somebody's child, or somebody in such a
    state who may or may not be a parent: `Insufficient`.
    """
    findings = Findings.covering(household, on, policy, "vital.death")
    if none_of(household, _KINDS):
        return findings
    rule = policy.rule("child_guardian", household.responsible_area)
    today, age = on.toordinal(), rule.number("child_under")
    standard = policy.rule(SEVERE, household.responsible_area)
    states = {person: _states(household, person, rule, standard) for person in _everybody(household)}
    turns = {day for several in states.values() for each in several for day in each[:3]}
    turns |= {stay.day for stays in household.head.stubs.values() for stay in stays}
    for member in staying(household, today):
        if member.born is None and member.relation in (Relation.CHILD, Relation.GRANDCHILD):
            findings.lacks("civil.household", None)
        if not under(member, age, today):
            continue
        since = _since(household, member, states, turns, today, rule)
        child = _child(household, member.person, states, today, rule)
        if child is not None and _unclear(household, child, states, today):
            findings.lacks(FamilyChange.feed, None)
        if since is not None and child is not None:
            findings.add(_breach(household, child, states, since, today, rule))
            findings.recheck(*(next_birthday(each, (age,), today) for each in household.members_on(today)))
        findings.recheck(
            next_birthday(member, (age,), today), next_edge(ends(_covered(household, member, rule)), today)
        )
    findings.recheck(*(date.fromordinal(day) for day in turns if today < day < FOREVER))
    return findings


def _everybody(household: Household) -> set[str]:
    """Everybody whose facts may lie here."""
    return {each.person for each in household.head.members} | set(household.head.lasting)


def _states(household: Household, person: str, rule: Rule, standard: Rule) -> list[_State]:
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
        if severe(each, standard):
            found.append(_State(each.day, min(ends, default=FOREVER), each.day, each))
    return [each for each in found if each.first < each.after]


def _since(
    household: Household, member: Member, states: dict[str, list[_State]], turns: set[int], today: int, rule: Rule
) -> int | None:
    """The first day of the unbroken stretch, up to today, in which the child is uncared for."""
    days = {*turns, *edges(household, 0, today), member.born or 0, *ends(_covered(household, member, rule))}
    days |= {each.day for each in household.of_kind(FamilyChange)}
    since, least = None, max(1, rule.number("parents"))
    for day in sorted(each for each in days if 0 < each <= today):
        child = _child(household, member.person, states, day, rule)
        since = (since or day) if child is not None and child.uncared(least) else None
    return since


def _child(household: Household, person: str, states: dict[str, list[_State]], day: int, rule: Rule) -> _Child | None:
    """The child as of a day; None when not born, not of this household, or cared for by a scheme."""
    member = next((each for each in belonging(household, day) if each.person == person), None)
    if member is None or member.born is None or day < member.born:
        return None
    if held([member], day) & frozenset(rule.words("covered_by")) or inside(_covered(household, member, rule), day):
        return None
    named = _named(household, person, day)
    guessed = set() if len(named) > 1 else _by_relation(household, member, day)
    home = {each.person for each in household.members_on(day)}
    parents = []
    for parent in sorted((named | guessed) - {person}):
        now = _now(states, parent, day)
        here = parent in home and not now
        uncle = member.relation == Relation.GRANDCHILD and parent not in named and not now and (named or not here)
        if not uncle:
            parents.append(_Parent(parent, now, here))
    return _Child(member, tuple(parents), len(named) > 1)


def _now(states: dict[str, list[_State]], person: str, day: int) -> tuple[_State, ...]:
    return tuple(each for each in states.get(person, ()) if each.first <= day < each.after)


def _covered(household: Household, child: Member, rule: Rule) -> list[Stretch]:
    """When a benefit stands for the child's care: its month and those the place allows until the next."""
    codes, months = rule.words("covered_by"), rule.number("covered_months")
    return [
        Stretch(first_day(each.month), first_day(each.month + months))
        for each in household.benefits(child.person)
        if each.scheme in codes and each.amount_fen > 0
    ]


def _unclear(household: Household, child: _Child, states: dict[str, list[_State]], day: int) -> bool:
    """Whether somebody old enough is in such a state, while neither register nor relations say who the parents are."""
    if child.named or child.member.relation in _SUGGESTED or any(each.here for each in child.parents):
        return False
    others = (each for each in household.head.members if each.relation not in _OLDER)
    return any(_elder(each, child.member, day) and _now(states, each.person, day) for each in others)


def _elder(stay: Membership, child: Member, day: int) -> bool:
    """Whether somebody who lived here up to a day is old enough to be the child's parent, as far as known."""
    if stay.gone or stay.day > day or stay.person == child.person:
        return False
    return stay.born is None or child.born is None or birthday(stay.born, _YOUNGEST) <= child.born


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
    wanted = _SUGGESTED.get(child.relation, ())
    stays = (each for each in household.head.members if each.relation in wanted)
    loose = child.relation == Relation.GRANDCHILD
    there = (each for each in stays if each.day <= day and not each.gone)
    return {each.person for each in there if not loose or _elder(each, child, day)}


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
