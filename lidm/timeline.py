"""A household's story with both its times: when something was so, and when we knew. Made of the archived log alone.

A record that tells nothing new (sent twice, or older than what is known) is counted and not told. People are named by
their relation to the head of household, never by a pseudonym.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from households.wholes import EVERYWHERE
from lidm.alert_text import amount, state
from lidm.fact_words import feed_title, said_of, same_content, sort_of
from lidm.people_words import named, plain
from schemas.alerts import Alert
from schemas.calendar import SHANGHAI
from schemas.fact import Fact
from schemas.facts import Membership
from schemas.facts_contact import AreaIncident
from schemas.records import (
    BatchPartRecord,
    FactBody,
    GoliveRecord,
    IncidentRecord,
    PersonRecord,
    PolicyRecord,
    Record,
    RuleRecord,
    ShadowRecord,
    SwitchRecord,
    TransferBody,
)
from schemas.shadows import of_run
from streams.replay import OwnBlock

What = Literal[
    "登记", "更正", "冲销", "先冲销", "随人转入", "整期替换", "启用", "停用", "恢复", "参数", "影子运行", "区域灾害",
    "撤销灾害", "预警",
]  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One thing that happened on `day` and was known at `known_at`; `evidence`: the alert rests on it.

    `then`: known when the alert was raised; the rest came later. `before`: what was believed until then.
    """

    day: date
    known_at: datetime
    what: What
    feed: str
    who: str
    said: str
    before: str
    key: str
    evidence: bool
    then: bool


@dataclass(frozen=True)
class Timeline:
    """Entries in the order they became known. `left_out`: facts of feeds the detector does not read; `repeated`:
    records that told nothing new."""

    entries: tuple[Entry, ...]
    left_out: int
    repeated: int
    people: dict[str, str]

    def plain(self, text: str) -> str:
        """A text with every pseudonym of a person replaced by the relation."""
        return plain(text, self.people)


def timeline(
    blocks: Iterable[OwnBlock],
    alert: Alert,
    revisions: Sequence[Alert],
    feeds: Collection[str],
    areas: Collection[str],
    reached: OwnBlock | None,
) -> Timeline:
    """The story of an alert's household, in feeds the detector reads. `areas`: the household's and those above it.

    `reached`: the block after which the alert was raised, None when unknown: then the alert's clock decides what was
    known.
    """
    teller = _Teller(alert, {*feeds, Membership.feed}, {*areas, EVERYWHERE})
    for block in blocks:
        known = (block.generation, block.offset) <= (reached.generation, reached.offset) if reached else None
        for record in block.records:
            if isinstance(record, PersonRecord):
                teller.take(record, known)
            elif isinstance(record, BatchPartRecord):
                teller.replaced(record, known)
            elif isinstance(record, RuleRecord):
                teller.ruled(record, known)
            elif isinstance(record, ShadowRecord):
                teller.watched(record, known)
            elif isinstance(record, IncidentRecord):
                teller.declared(record, known)
    told = teller.entries + [_spoken(each, alert) for each in revisions]
    told.sort(key=lambda each: (each.known_at, each.what == "预警", each.day, each.feed, each.key))
    people = teller.people()
    entries = tuple(replace(each, who=people.get(each.who, each.who)) for each in told)
    return Timeline(entries, teller.left_out, teller.repeated, people)


class _Teller:
    """Folds records one by one into what they told."""

    def __init__(self, alert: Alert, feeds: Collection[str], areas: set[str]) -> None:
        self._alert, self._feeds, self._areas = alert, feeds, areas
        self._evidence = {each.key for each in alert.evidence}
        self._newest: dict[tuple[str, str, str], Fact] = {}
        self.entries: list[Entry] = []
        self._policy = ""
        self.left_out = 0
        self.repeated = 0

    def take(self, record: PersonRecord, then: bool | None) -> None:
        """One record; `then`: whether it was folded before the alert, None when only clocks can tell."""
        body = record.body
        known_at, past = self._known(record, then)
        facts = body.facts if isinstance(body, TransferBody) else (body.fact,)
        for fact in facts:
            self._tell(body, fact, known_at, past)

    def replaced(self, record: BatchPartRecord, then: bool | None) -> None:
        """A delivery that stands for a whole month: what was told before and is not in it counts no more."""
        body = record.body
        concerned = not body.areas or not self._areas.isdisjoint(body.areas)
        if body.mode != "replace_period" or body.q or body.feed not in self._feeds or not concerned:
            return
        known_at, past = self._known(record, then)
        source = f"（{body.source}）" if body.source else ""
        said = f"{body.period}整期重报{source}，此前登记而这次没有的不再计算"
        day = date.fromisoformat(f"{body.period[:7]}-01")
        self.entries.append(
            Entry(day, known_at, "整期替换", body.feed, "", said, "", body.batchid, evidence=False, then=past)
        )

    def ruled(self, record: RuleRecord, then: bool | None) -> None:
        """The rule speaks here from now on, or is stopped, or another policy holds: an old fact may tell only now."""
        known_at, past = self._known(record, then)
        what: What = "参数"
        if isinstance(record, PolicyRecord):
            here, said = record.body.hash != self._policy, f"启用参数版本{record.body.hash[:12]}"
            self._policy = record.body.hash
        else:
            here = record.body.area in self._areas and record.body.detector == self._alert.detector
            what, said = _switched(record)
        if here:
            day = known_at.date()
            self.entries.append(Entry(day, known_at, what, "", "", said, "", "", evidence=False, then=past))

    def watched(self, record: ShadowRecord, then: bool | None) -> None:
        """The shadow run that said it begins or ends."""
        body = record.body
        if not of_run(self._alert.detector, body.name):
            return
        known_at, past = self._known(record, then)
        counted = f"，参数版本{body.hash[:12]}" if body.hash else ""
        said = f"影子运行{body.name}{'开始' if body.to == 'start' else '结束'}{counted}，理由：{body.reason}"
        self.entries.append(
            Entry(known_at.date(), known_at, "影子运行", "", "", said, "", "", evidence=False, then=past)
        )

    def declared(self, record: IncidentRecord, then: bool | None) -> None:
        """That the incident the alert is about struck here, or did not; others' records tell nothing of it."""
        body, alert = record.body, self._alert
        if AreaIncident.feed not in self._feeds or body.number != alert.cause:
            return
        known_at, past = self._known(record, then)
        ours = any(each.feed == AreaIncident.feed for each in alert.evidence)
        day, where = known_at.date(), "报告的地址" if body.households else "所登记的区域"
        what: What = "撤销灾害"
        said = f"{body.number}撤销，理由：{body.reason}"
        if body.to == "declare":
            day, what = date.fromordinal(body.day), "区域灾害"
            said = f"{sort_of(body.sort)}{body.number}影响{where}，理由：{body.reason}"
        self.entries.append(
            Entry(day, known_at, what, AreaIncident.feed, "", said, "", body.number, evidence=ours and past, then=past)
        )

    def people(self) -> dict[str, str]:
        """Persons by relation; several of one relation are numbered by age."""
        members: dict[str, Membership] = {}
        for fact in self._newest.values():
            if isinstance(fact, Membership) and not fact.gone and fact.household == self._alert.household:
                held = members.get(fact.person)
                if held is None or held.day < fact.day:
                    members[fact.person] = fact
        found = named(members)
        strangers = sorted({person for person, _, _ in self._newest} - found.keys())
        return found | dict.fromkeys(strangers, "其他人员")

    def _known(self, record: Record, then: bool | None) -> tuple[datetime, bool]:
        known_at = datetime.fromtimestamp(record.known_at / 1000, SHANGHAI)
        return known_at, known_at <= self._alert.known_at if then is None else then

    def _tell(self, body: FactBody | TransferBody, fact: Fact, known_at: datetime, then: bool) -> None:
        place = (body.person, fact.feed, fact.key)
        held = self._newest.get(place)
        if held is not None and (held.version >= fact.version or same_content(held, fact)):
            self._newest[place] = max(held, fact, key=lambda each: each.version)
            self.repeated += 1
            return
        self._newest[place] = fact
        if fact.feed not in self._feeds:
            self.left_out += 1
            return
        moved = isinstance(body, TransferBody) and held is None
        before = "" if held is None or held.gone else f"{date.fromordinal(held.day)} {said_of(held)}"
        self.entries.append(
            Entry(
                day=date.fromordinal(fact.day),
                known_at=known_at,
                what=_what(fact, held, moved),
                feed=fact.feed,
                who=body.person,
                said="" if fact.gone else said_of(fact),
                before=before,
                key=fact.key,
                evidence=fact.key in self._evidence,
                then=then,
            )
        )


def _switched(record: GoliveRecord | SwitchRecord) -> tuple[What, str]:
    """That a rule speaks here, or does not, and why."""
    if isinstance(record, GoliveRecord):
        return "启用", f"规则{record.body.detector}在本地启用，存量每天最多放出{record.body.per_day}件"
    body = record.body
    what: What = "停用" if body.to == "stop" else "恢复"
    return what, f"规则{body.detector}在本地{what}，理由：{body.reason}"


def _what(fact: Fact, held: Fact | None, moved: bool) -> What:
    if fact.gone:
        return "冲销" if held is not None else "先冲销"
    if held is not None and not held.gone:
        return "更正"
    return "随人转入" if moved else "登记"


def _spoken(each: Alert, alert: Alert) -> Entry:
    measured = amount(each.measure, each.unit)
    return Entry(
        day=each.on,
        known_at=each.known_at.astimezone(SHANGHAI),
        what="预警",
        feed="",
        who="",
        said=f"第{each.revision}次 {state(each)}，{each.severity}级，测得{measured}",
        before="",
        key=each.alert_id,
        evidence=False,
        then=each.revision <= alert.revision,
    )


def title_of(entry: Entry) -> str:
    """The feed's Chinese name, `预警` for what we said ourselves."""
    return feed_title(entry.feed) if entry.feed else "本系统"
