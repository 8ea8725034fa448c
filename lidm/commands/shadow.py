"""`lidm detectors shadow`: rules that only watch beside the live ones, and how what they say differs."""

import csv
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path

import click
import zstandard

from detectors.registry import Detector, candidates, running
from lidm import control_records
from lidm.backtest.report import NOWHERE
from lidm.commands.detectors import SHADOW_HELP
from lidm.free_text import REASON
from lidm.settings import Settings, load_settings
from lidm.shadow.compare import Comparison, Named, Side, compare
from lidm.shadow.page import page
from lidm.shadow.runs import ShadowRun, runs_of
from lidm.shadow.words import CHANGES, head, text
from lidm.stores import reading
from lidm.written import named, private_file, write_page
from policy.bundle import Bundle
from policy.drafts import Draft
from schemas.errors import CallError, DataError, Unreachable
from schemas.records import ShadowBody, ShadowRecord
from schemas.shadows import NAME, rule_of, shadow_code
from sinks.household_log import reached, shadows
from sinks.shadows import Stand, live_stands, shadow_stands
from sinks.store import AlertStore

_FILE = click.Path(dir_okay=False, path_type=Path)
_AT = click.DateTime()


@click.group("shadow", help=SHADOW_HELP)
def group() -> None:
    """See the help."""


@group.command()
@click.argument("name", metavar="名称")
@click.option("--area", required=True, metavar="区划代码", help="在哪里试运行（含下级）")
@click.option("--rule", "codes", multiple=True, metavar="规则代码",
              help="哪些规则；有草案而不写，就是读到不同参数的规则")
@click.option("--policy", "folder", type=click.Path(path_type=Path), help="参数草案目录；不写用现行参数")
@click.option("--reason", required=True, type=REASON, metavar="理由", help="试什么，留在记录里")
@click.option("--at", type=_AT, default=None, help="模拟时钟下的时刻（北京时间）")
def start(
    name: str, area: str, codes: tuple[str, ...], folder: Path | None, reason: str, at: datetime | None
) -> None:  # fmt: skip
    """开始试运行；名称只用一次，例如 line-2027。"""
    settings = load_settings()
    bundle = Bundle.load(settings.policy_dir)
    if not NAME.fullmatch(name):
        raise CallError("名称用小写字母、数字和短横，最长 24 位")
    if area not in bundle.areas:
        raise CallError(f"区划代码{area}不在areas.yaml里")
    draft = Bundle.load(folder) if folder is not None else None
    rules = _rules(settings, codes, draft, bundle)
    known = _known(settings)
    if known is not None and name in known:
        raise DataError(f"已有叫{name}的试运行，名称只用一次")
    told = (draft.hash, zstandard.compress(draft.canonical())) if draft is not None else ("", b"")
    body = ShadowBody(name, "start", area, rules, *told, settings.actor, reason.strip(), control_records.PACE)
    partitions = _append(settings, body, at)
    click.echo(f"试运行{name}开始：{'、'.join(rules)}，{bundle.areas.name(area)}，写入{partitions}个分区")


@group.command()
@click.argument("name", metavar="名称")
@click.option("--reason", required=True, type=REASON, metavar="理由", help="看到了什么，留在记录里")
@click.option("--at", type=_AT, default=None, help="模拟时钟下的时刻（北京时间）")
def stop(name: str, reason: str, at: datetime | None) -> None:
    """结束试运行：它的情形从台账里去掉，已归档的预警和差别报告留着。"""
    settings = load_settings()
    known = _known(settings)
    if known is not None and (name not in known or known[name].until is not None):
        raise DataError(f"没有叫{name}而且还在进行的试运行（刚开始的要等归档）")
    body = ShadowBody(name, "stop", "", (), "", b"", settings.actor, reason.strip(), control_records.PACE)
    click.echo(f"试运行{name}结束，写入{_append(settings, body, at)}个分区")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_(as_json: bool) -> None:
    """有过哪些试运行。"""
    with reading(load_settings()) as store:
        found = list(runs_of(shadows(store)).values())
    if as_json:
        click.echo(json.dumps([each.as_json() for each in found], ensure_ascii=False))
        return
    for each in found:
        click.echo(head(each))
    if not found:
        click.echo("没有试运行")


@group.command()
@click.argument("name", metavar="名称")
@click.option("--html", "html", type=_FILE, help="写成一个可打印的网页文件")
@click.option("--households", "names", type=_FILE, help="把有变化的户连同理由按代码写成 CSV，只有本人可读")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def report(name: str, html: Path | None, names: Path | None, as_json: bool) -> None:
    """与正式预警的差别：多了哪些户，少了哪些户，按规则、级别、界线、地区，每周多少走访。"""
    settings = load_settings()
    with reading(settings) as store:
        run = runs_of(shadows(store)).get(name)
        if run is None:
            raise DataError(f"没有叫{name}的试运行（刚开始的要等归档）")
        said, changed = _compared(store, run, Bundle.load(settings.policy_dir))
    if html is not None:
        write_page(html, page(said))
    if names is not None:
        _write(names, changed)
    click.echo(json.dumps(said.as_json(), ensure_ascii=False) if as_json else text(said))


def _compared(store: AlertStore, run: ShadowRun, bundle: Bundle) -> tuple[Comparison, list[Named]]:
    known: Mapping[str, Detector] = {**running(("*",)), **candidates()}
    live = {code: known[code].instead_of or code if code in known else code for code in run.detectors}
    labels = {code: known[code].label if code in known else code for code in live.values()}
    until = run.until or reached(store)
    at_ms = int(until.timestamp() * 1000)
    here = partial(_within, area=run.area, bundle=bundle, on=until.date())
    ours = here(live_stands(store, list(labels), at_ms))
    theirs = here(shadow_stands(store, [shadow_code(code, run.name) for code in live], at_ms))
    return compare(
        run,
        until.date(),
        Side(ours, lambda code: code),
        Side(theirs, lambda code: live.get(rule_of(code), code)),
        labels,
        lambda code: bundle.areas.name(code) if code in bundle.areas else code or NOWHERE,
        _notes(run, ours, labels),
    )


def _notes(run: ShadowRun, live: list[Stand], labels: Mapping[str, str]) -> list[str]:
    silent = sorted(set(labels) - {each.detector for each in live})
    found = [f"{'、'.join(silent)} 在这里没有发出过正式预警：新增的都是启用时的存量"] if silent else []
    return found + (["试运行已结束，数字停在结束那一刻"] if run.until else [])


def _within(stands: list[Stand], area: str, bundle: Bundle, on: date) -> list[Stand]:
    inside = {
        each: bundle.areas.within(each, area, on) if each in bundle.areas else each == area
        for each in {stand.area for stand in stands}
    }
    return [each for each in stands if inside[each.area]]


def _known(settings: Settings) -> dict[str, ShadowRun] | None:
    """Every run by name; None where there is no archive to ask."""
    try:
        with reading(settings) as store:
            return runs_of(shadows(store))
    except Unreachable:
        return None


def _rules(settings: Settings, codes: tuple[str, ...], draft: Bundle | None, bundle: Bundle) -> tuple[str, ...]:
    there = {**running(settings.trial), **candidates()}
    unknown = [code for code in codes if code not in there]
    if unknown:
        raise CallError(f"监测环节没有运行{'、'.join(unknown)}：试用的规则先在各 monitor 上设 LIDM_TRIAL_DETECTORS")
    doubled = [code for code in codes if there[code].instead_of in codes]
    if doubled:
        raise CallError(f"{'、'.join(doubled)}是同时写明的另一条规则的候选版本，请分两次试运行")
    if codes:
        return tuple(dict.fromkeys(codes))
    if draft is None:
        raise CallError("请用 --rule 写明哪些规则，或用 --policy 给出参数草案")
    touched = Draft(draft, bundle, "in-force", date.today()).touched(bundle, date.max)
    found = [
        code for code, each in there.items()
        if not each.instead_of and (touched is None or touched.intersection((*each.parameters, *each.optional)))
    ]  # fmt: skip
    if not found:
        raise DataError("草案与现行参数没有规则读得到的差别")
    return tuple(found)


def _append(settings: Settings, body: ShadowBody, at: datetime | None) -> int:
    return control_records.append_everywhere(
        settings, lambda known_at: ShadowRecord("", known_at, "", 0, 0, body), at
    )


def _write(path: Path, changed: list[Named]) -> None:
    with named(path), private_file(path) as file:
        writer = csv.writer(file)
        writer.writerow(["户代码", "规则", "变化", "级别", "责任地区", "自", "理由"])
        for each in changed:
            told = (each.household, each.rule, CHANGES[each.change], each.severity, each.area, each.since, each.reason)
            writer.writerow(told)
