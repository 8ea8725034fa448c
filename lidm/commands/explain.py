"""`lidm explain ALERT`: from an alert to its inputs, its line, its document, its rule, its parameters and its cases."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from detectors.registry import DETECTORS, load_detectors
from lidm.alert_text import amount, document, evidence_value, gap, state, subject
from lidm.settings import load_settings
from lidm.stores import reading
from lidm.tables import table
from policy.areas import NATIONAL
from policy.bundle import Bundle
from policy.parameters import PolicyMissing
from schemas.alerts import Alert
from schemas.labels import FamilyLabel
from sinks.reads import cases_of, revisions

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Sources:
    """Where a reader goes on: rule, parameters, readable cases; paths below the repository."""

    rule: str | None
    parameters: str | None
    cases: str | None
    detector_now: str | None
    policy_now: str


@click.command()
@click.argument("alert_id", metavar="预警编号")
@click.option("--revision", type=int, default=None, help="第几次修订（默认最新）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def command(alert_id: str, revision: int | None, as_json: bool) -> None:
    """一条预警的来龙去脉；编号可只写开头。"""
    settings = load_settings()
    with reading(settings) as store:
        history = revisions(store, alert_id)
        case_ids = cases_of(store, history[0].alert_id)
    alert = next((each for each in history if each.revision == revision), history[-1])
    sources = sources_of(alert, Bundle.load(settings.policy_dir), settings.policy_dir)
    if as_json:
        body = {"alert": alert.model_dump(mode="json"), "sources": asdict(sources), "cases": case_ids}
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    click.echo(explanation(alert, sources, case_ids))


def sources_of(alert: Alert, bundle: Bundle, policy_dir: Path) -> Sources:
    """The files behind an alert, as they lie here now."""
    load_detectors()
    detector = DETECTORS.get(alert.detector)
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
    return Sources(
        _below(rule), _below(parameters) if parameters else None, _below(cases), detector.version, bundle.short
    )


def explanation(alert: Alert, sources: Sources, case_ids: list[str]) -> str:
    """Everything a reader needs to check the alert by hand."""
    evidence = [
        (str(item.day), evidence_value(item.feed, item.value), item.feed, item.source, item.key)
        for item in alert.evidence
    ]
    missing = [f"  {gap(each)}" for each in alert.coverage]
    lines = [
        alert.reason,
        "",
        f"预警  {alert.alert_id} 第 {alert.revision} 次  {state(alert)}  {alert.on}",
        f"对象  {alert.household}  {subject(alert)}  {FamilyLabel[alert.family].label}  {alert.severity}级",
        f"事由  {alert.cause}  自 {alert.since} 起",
        f"测得  {amount(alert.measure, alert.unit)}",
        f"界线  {amount(alert.threshold.value, alert.unit)}  {document(alert)}",
        "依据",
        table(("日期", "值", "数据", "来源", "主键"), evidence),
        *(["缺少的数据（未计入，不等于没有）", *missing] if missing else []),
        "",
        f"规则  {alert.detector}@{alert.detector_version}{_now(alert.detector_version, sources.detector_now)}",
        f"      {sources.rule or '本机没有这个检测器'}",
        f"参数  版本 {alert.threshold.policy}{_now(alert.threshold.policy, sources.policy_now)}",
        f"      {sources.parameters or '本机没有这个地区的参数'}",
        f"样例  {sources.cases or '—'}",
        f"自测  lidm detectors test {alert.detector}",
        *(f"个案  lidm case show {case}" for case in case_ids),
    ]
    return "\n".join(lines)


def _now(then: str, now: str | None) -> str:
    return "" if now in (then, None) else f"（本机现为 {now}）"


def _below(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
