"""PACKAGE-GAP 幸福清单缺项: an item of the local catalogue somebody here may have, and no file shows that they do.

A household detector over the catalogue of the place (`items`, policy data, dated). An item counts as missing only where
the record that would show it has complete files; an item nobody's file shows is listed as unknown. Whoever is insured
by an employer, or was answered by the department, is not missing it; who is not insured at all is INSURANCE-GAP's. The
list is for handing over and explaining, whether to take an item up is the family's to decide.
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from detectors.findings import Breach, EvidenceItem, Findings, evidence_days
from detectors.holdings import Holding, Records, holding_of, shown_until
from detectors.lacking import answered, connected, held, in_force, known_part, look_again, reach, turns
from detectors.people import residents, staying
from detectors.quiet import never_registered, unless_registered
from detectors.registry import Family, detector
from detectors.spans import Stretch, ends, inside, unbroken
from detectors.words import who
from households.ledger import HOUSEHOLD, Household, Member
from households.queries import EVER
from households.residence import rank
from policy.catalogue import Item, items_of
from policy.parameters import Policy, Rule, severity
from schemas.facts import Membership


class _Terms(NamedTuple):
    """The rule as this detector reads it."""

    items: tuple[Item, ...]
    settled_by: frozenset[str]
    settled_months: int
    within: int


class _Want(NamedTuple):
    """An item for one member, or for the household together (None): whoever lived here may have received it."""

    item: Item
    member: Member | None
    people: tuple[str, ...]

    @property
    def name(self) -> str:
        """As the list says it."""
        return f"{self.item.label}（{who(self.member.relation)}）" if self.member is not None else self.item.label


class _Gap(NamedTuple):
    """An item not on record: the day from which that counts, and what makes the family eligible."""

    want: _Want
    since: int
    evidence: tuple[EvidenceItem, ...]


def _terms(rule: Rule) -> _Terms:
    settled = frozenset(rule.words("settled_by"))
    return _Terms(items_of(rule), settled, rule.number("settled_months"), rule.number("within_days"))


@detector(
    code="PACKAGE-GAP",
    version="1.2.0",
    family=Family.ENTITLEMENT,
    listens=(
        "civil.household", "civil.benefit", "medical.enrolment", "housing.security", "education.aid",
        "education.enrolment", "referral.feedback", "vital.death",
    ),
    rule="package_gap",
    absence=("civil.benefit", "medical.enrolment", "housing.security", "education.aid"),
    quiet=unless_registered,
    trial=True,
)  # fmt: skip
def package_gap(household: Household, on: date, policy: Policy) -> Findings:
    """One breach per household with the items it lacks beyond the allowed days, each in complete files.

    The days begin when somebody becomes eligible, when the item comes into the catalogue, or after the last period for
    which it was on record. `since` is the first day on which any of today's missing items counts. Measure: items.
    """
    if never_registered(household):
        return Findings()
    rule = policy.rule("package_gap", household.responsible_area)
    terms, today = rule.read(_terms), on.toordinal()
    chain = policy.areas.chain(household.responsible_area, on)
    feeds = sorted({feed for item in terms.items if (feed := item.feed) is not None})
    known = connected(household, chain, feeds)
    findings = Findings.covering(household, on, policy, *known)
    for feed in feeds:
        if feed not in known:
            findings.unseen(feed)
    findings.recheck(policy.next_change("package_gap", household.responsible_area))
    looking = _Looking(household, terms, rule, chain, today, findings)
    wants = _wants(household, today, terms)
    missing = [gap for want in wants if (gap := looking.missing(want)) is not None]
    if len(missing) >= rule.number("items"):
        findings.add(_breach(looking, wants, missing))
    return findings


def _wants(household: Household, today: int, terms: _Terms) -> list[_Want]:
    members, everybody = staying(household, today), tuple(residents(household))
    told = {each.scheme for member in household.head.members for each in member.statuses}
    wants = []
    for item in (each for each in terms.items if each.schemes & told):
        if item.each:
            wants += [_Want(item, each, (each.person,)) for each in members]
        elif members:
            wants.append(_Want(item, None, everybody))
    return wants


@dataclass(frozen=True)
class _Looking:
    """One household on one day."""

    household: Household
    terms: _Terms
    rule: Rule
    chain: tuple[str, ...]
    today: int
    findings: Findings

    @cached_property
    def records(self) -> Records:
        """What was read so far."""
        return Records(self.household)

    @cached_property
    def turns(self) -> set[int]:
        """Days on which who lives here or holds a scheme may differ."""
        return turns(self.household)

    def missing(self, want: _Want) -> _Gap | None:
        """The item, where it counts as missing; asks to look again on every day on which that may change."""
        feed, within, today = want.item.feed, self.within(want.item), self.today
        reached = reach(self.household, self.chain, feed) if feed is not None else EVER
        if feed is None or shown_until(self.records, want.people, want.item, today) + within >= reached:
            return None
        holding = holding_of(self.records, want.people, want.member, want.item)
        if not holding.may:
            return None
        settled = self._settled(want)

        def lacking(day: int) -> bool:
            return not inside(holding.has, day) and not inside(settled, day) and self.may(want, holding, day)

        days = {*ends(holding.may), *ends(holding.has), *ends(settled), *self.turns}
        began = unbroken(days, lacking, today)
        since = None if began is None else self._counts_from(want.item, feed, began)
        self.findings.recheck(look_again(days, today, within, reached, shown=since is not None))
        return _Gap(want, since, self._evidence(want, holding, feed, since)) if since is not None else None

    def may(self, want: _Want, holding: Holding, day: int) -> bool:
        """Whether the item applies on a day to somebody who holds a scheme it is for."""
        return inside(holding.may, day) and bool(held(self._then(want, day), day) & want.item.schemes)

    def column(self, want: _Want) -> str | None:
        """Of an item that is not missing: on record, unknown because no file shows it, or not a matter here."""
        holding = holding_of(self.records, want.people, want.member, want.item)
        if not self.may(want, holding, self.today):
            return None
        feed = want.item.feed
        if feed is None or not connected(self.household, self.chain, (feed,)):
            return "尚无数据、不能判断"
        return "已有记录" if inside(holding.has, self.today) else None

    def _settled(self, want: _Want) -> list[Stretch]:
        terms, labels = self.terms, frozenset((want.item.label,))
        return answered(self.household, want.people, labels, terms.settled_by, terms.settled_months)

    def within(self, item: Item) -> int:
        """The days without a record after which an item counts."""
        return self.terms.within if item.within_days is None else item.within_days

    def _counts_from(self, item: Item, feed: str, began: int) -> int | None:
        """The day from which an item not on record since `began` counts as missing; None while it does not."""
        known = known_part(self.household, self.chain, feed, began)
        if known is None:
            return None
        since = known.first + self.within(item)
        if since >= known.after:
            return None
        if since > self.today:
            self.findings.recheck(date.fromordinal(since))
            return None
        return max(since, self.rule.since.toordinal())

    def _then(self, want: _Want, day: int) -> list[Member]:
        return [each for each in staying(self.household, day) if each.person in want.people]

    def _evidence(self, want: _Want, holding: Holding, feed: str, since: int) -> tuple[EvidenceItem, ...]:
        """The item of the catalogue, what makes it apply, and the registration that gives the scheme."""
        held_by = [
            each
            for each in self.household.head.members
            if each.person in want.people and not each.gone and _holds(each, want.item, self.today)
        ]
        registered = max(held_by, key=rank, default=None)
        name = want.item.code if want.member is None else f"{want.item.code}|{want.member.person}"
        lacked = EvidenceItem(name, feed, self.rule.document.title, since, 0)
        shown = [lacked, *holding.evidence(self.today)]
        if registered is not None:
            shown.append(EvidenceItem(registered.key, Membership.feed, registered.source, registered.day, 1))
        return tuple(shown)


def _holds(member: Membership, item: Item, day: int) -> bool:
    return any(each.scheme in item.schemes for each in in_force(member.statuses, day))


def _allowed(looking: _Looking, lacked: list[_Want]) -> str:
    """The days allowed, item by item where they differ."""
    days = {each.item.label: looking.within(each.item) for each in lacked}
    if len(set(days.values())) == 1:
        return f"满{looking.within(lacked[0].item)}天"
    return "、".join(f"{label}满{count}天" for label, count in days.items())


def _breach(looking: _Looking, wants: list[_Want], missing: list[_Gap]) -> Breach:
    rule, lacked = looking.rule, [gap.want for gap in missing]
    line = rule.mark("items")
    columns: dict[str, list[str]] = {"有资格而未见享受记录的": [each.name for each in lacked]}
    for want in wants:
        word = looking.column(want) if want not in lacked else None
        if word is not None:
            columns.setdefault(word, []).append(want.name)
    shown = "；".join(f"{word}{len(names)}项：{'、'.join(names)}" for word, names in columns.items())
    return Breach(
        cause=HOUSEHOLD,
        subject="HOUSEHOLD",
        since=date.fromordinal(sorted(each.since for each in missing)[line.value - 1]),
        severity=severity(rule.steps("bands"), len(missing)),
        measure=len(missing),
        unit="items",
        threshold=line,
        reason=(
            f"幸福清单{shown}。请送达清单时逐项核对，是否办理由家庭决定"
            f"（{_allowed(looking, lacked)}未见记录提示，{line.cited}）"
        ),
        evidence=evidence_days({item for each in missing for item in each.evidence}),
    )
