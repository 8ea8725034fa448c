"""Everything behind one revision of an alert, gathered once: what a terminal, a page and a program show of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from detectors.registry import DETECTORS, Detector, load_detectors
from households import codec
from lidm.timeline import Timeline, timeline
from policy.areas import NATIONAL, AreaUnknown
from policy.bundle import Bundle
from policy.parameters import PolicyMissing, Rule
from schemas.alerts import Alert
from schemas.errors import DataError, Stop
from schemas.shadows import is_shadow, rule_of, run_of
from sinks.household_log import Extent, blocks_of, extents
from sinks.reads import cases_of, revisions
from sinks.store import AlertStore
from streams.rebuild import LoggedBlock
from streams.replay import Covered, Difference, OwnBlock, Replay, differences, own_blocks, policy_of, replay

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sources:
    """Where a reader goes on: rule, parameters, readable cases; paths below the repository."""

    rule: str | None
    parameters: str | None
    cases: str | None
    detector_now: str | None
    policy_now: str


@dataclass(frozen=True)
class DatedLine:
    """The rule or standard that sets the line, with its dates, as the policy of then has it."""

    name: str
    label: str
    area: str
    area_name: str
    since: date
    until: date | None
    signed_by: str | None
    note: str | None
    still_valid_on: date
    as_then: bool


@dataclass(frozen=True)
class Verdict:
    """What folding the log again came to. `same`: None when there was nothing to fold; `why` says so, or what
    differed, in Chinese; `place`: generation, partition and offset of the block the alert followed from."""

    same: bool | None
    why: tuple[str, ...]
    differences: tuple[Difference, ...]
    place: tuple[str, int, int] | None


@dataclass(frozen=True)
class Explanation:
    """One revision of an alert and all that leads to it. `place`: the name of the area that answers for the family."""

    alert: Alert
    place: str
    revisions: tuple[Alert, ...]
    cases: tuple[str, ...]
    sources: Sources
    line: DatedLine | None
    story: Timeline
    covered: tuple[Covered, ...]
    verdict: Verdict

    @property
    def run(self) -> str:
        """The shadow run that said it, to nobody; "" for an alert."""
        return run_of(self.alert.detector)

    @property
    def replay_command(self) -> str:
        """What to type to see the same come out again."""
        return f"lidm explain {self.alert.alert_id} --revision {self.alert.revision} --replay"

    @property
    def versions(self) -> dict[str, str | None]:
        """Everything the answer depends on besides the records."""
        return {
            "detector": f"{self.alert.detector}@{self.alert.detector_version}",
            "detector_now": self.sources.detector_now,
            "policy": self.alert.threshold.policy,
            "policy_now": self.sources.policy_now,
            "codec": str(codec.CODEC_VERSION),
            "fold": str(codec.FOLD_VERSION),
        }

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        verdict = {
            "same": self.verdict.same,
            "why": list(self.verdict.why),
            "differences": [each._asdict() for each in self.verdict.differences],
            "place": self.verdict.place,
            "command": self.replay_command,
        }
        return {
            "alert": self.alert.model_dump(mode="json"),
            "revisions": [each.model_dump(mode="json") for each in self.revisions],
            "shadow_run": self.run or None,
            "sources": asdict(self.sources),
            "cases": list(self.cases),
            "line": _plain(asdict(self.line)) if self.line else None,
            "timeline": {
                "entries": [_plain(asdict(each)) for each in self.story.entries],
                "left_out": self.story.left_out,
                "repeated": self.story.repeated,
            },
            "coverage": [each._asdict() for each in self.covered],
            "versions": self.versions,
            "replay": verdict,
        }


def explain(store: AlertStore, alert_id: str, revision: int | None, policy_dir: Path) -> Explanation:
    """Gathers it. Raises CallError or DataError when there is no such alert or revision."""
    history = revisions(store, alert_id, shadows=True)
    alert = history[-1] if revision is None else next((a for a in history if a.revision == revision), None)
    if alert is None:
        raise DataError(f"预警{history[-1].alert_id}没有第{revision}次修订，只有1至{history[-1].revision}")
    detector = load_detectors().get(rule_of(alert.detector))
    feeds = {*detector.listens, *detector.absence} if detector else {each.feed for each in alert.evidence}
    log = extents(store, alert.household)
    blocks, verdict, folded = _folded(store, log, alert, feeds)
    now = Bundle.load(policy_dir)
    then = policy_of(blocks, alert.threshold.policy) or (now if now.short == alert.threshold.policy else None)
    areas = _chain(then or now, alert)
    reached = folded.reached.block if folded and folded.reached else None
    return Explanation(
        alert=alert,
        place=(then or now).areas.name(areas[0]) if areas[0] in (then or now).areas else areas[0],
        revisions=tuple(history),
        cases=tuple(cases_of(store, alert.alert_id)),
        sources=sources_of(alert, now, policy_dir),
        line=_dated(then or now, detector, alert, as_then=then is not None),
        story=timeline(blocks, alert, history, feeds, areas, reached),
        covered=folded.covered if folded else (),
        verdict=verdict,
    )


def sources_of(alert: Alert, bundle: Bundle, policy_dir: Path) -> Sources:
    """The files behind an alert, as they lie here now."""
    load_detectors()
    detector = DETECTORS.get(rule_of(alert.detector))
    if detector is None:
        return Sources(None, None, None, None, bundle.short)
    rule = ROOT / Path(*detector.evaluate.__module__.split(".")).with_suffix(".py")
    area = alert.areas.responsible if alert.areas else NATIONAL
    try:
        owner = bundle.on(alert.on).rule(detector.rule, area).area
        folder = "national" if owner == NATIONAL else owner
        parameters: Path | None = policy_dir / folder / str(detector.family.value) / f"{detector.rule}.yaml"
    except (PolicyMissing, LookupError):
        parameters = None
    cases = rule.with_suffix(".cases.yaml")
    shown = _below(parameters) if parameters else None
    return Sources(_below(rule), shown, _below(cases), detector.version, bundle.short)


def _folded(
    store: AlertStore, log: list[Extent], alert: Alert, feeds: set[str]
) -> tuple[list[OwnBlock], Verdict, Replay | None]:
    """The household's blocks, and what folding them came to."""
    archived = (LoggedBlock(*each) for each in blocks_of(store, alert.household, log))
    try:
        blocks = list(own_blocks(archived, alert.household))
        folded = replay(blocks, alert.alert_id, alert.revision, feeds, shadow=is_shadow(alert.detector))
    except Stop as error:
        return [], Verdict(None, (str(error),), (), None), None
    return blocks, verdict_of(alert, folded, blocks, log), folded


def verdict_of(alert: Alert, folded: Replay, blocks: Sequence[OwnBlock], log: Sequence[Extent]) -> Verdict:
    """Whether the replay came to the same revision with the same content, and why not."""
    cut = [
        f"归档的台账日志不完整：{each.generation}代分区{each.partition}只有{each.first}至{each.last}号中的{each.blocks}条"
        for each in log
        if not each.whole
    ]
    if not any(each.records and _names(each, alert.household) for each in blocks):
        return Verdict(None, (*cut, "归档里没有这一户的台账日志，不能重放"), (), None)
    if folded.reached is None:
        return Verdict(False, (*_never(alert, folded), *cut), (), None)
    block = folded.reached.block
    place = (block.generation, block.partition, block.offset)
    differ = tuple(differences(alert, folded.reached))
    why = [f"{each.field}：当时{each.then}，重放得{each.again}" for each in differ]
    return Verdict(not differ, (*why, *cut) if differ else (), differ, place)


def _never(alert: Alert, folded: Replay) -> list[str]:
    """What the replay said instead of the revision it should have."""
    same = [each.alert for each in folded.said if each.alert.alert_id == alert.alert_id]
    if same:
        return [f"重放只得出这条预警的第1至{same[-1].revision}次修订，没有第{alert.revision}次"]
    others = [each.alert for each in folded.said if each.alert.detector == alert.detector]
    said = [f"重放没有得出编号{alert.alert_id}"]
    if others:
        found = "、".join(dict.fromkeys(f"{each.alert_id}（自{each.since}起）" for each in others))
        said.append(f"同一规则对这一户得出的是{found}")
    detector = DETECTORS.get(rule_of(alert.detector))
    if detector is None or detector.version != alert.detector_version:
        said.append(f"规则当时是{alert.detector_version}版，本机是{detector.version if detector else '没有'}")
    return said


def _names(block: OwnBlock, household: str) -> bool:
    return any(each.household == household for each in block.records)


def _dated(bundle: Bundle, detector: Detector | None, alert: Alert, *, as_then: bool) -> DatedLine | None:
    """The parameter whose document the alert names; the rule's own one first."""
    if detector is None or alert.areas is None:
        return None
    policy, area = bundle.on(alert.on), alert.areas.responsible
    found = [rule for name in (*detector.parameters, *detector.optional) if (rule := policy.known(name, area))]
    rule = next((each for each in found if each.document == alert.threshold.document), None)
    return _line_of(bundle, rule, as_then=as_then) if rule else None


def _line_of(bundle: Bundle, rule: Rule, *, as_then: bool) -> DatedLine:
    return DatedLine(
        name=rule.name,
        label=rule.label,
        area=rule.area,
        area_name=bundle.areas.name(rule.area),
        since=rule.since,
        until=rule.until,
        signed_by=rule.signed_by,
        note=rule.note,
        still_valid_on=bundle.still_valid_on(rule.area, rule.name),
        as_then=as_then,
    )


def _chain(bundle: Bundle, alert: Alert) -> tuple[str, ...]:
    area = alert.areas.responsible if alert.areas else NATIONAL
    try:
        return bundle.areas.chain(area, alert.on)
    except AreaUnknown:
        return (area,)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _below(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
