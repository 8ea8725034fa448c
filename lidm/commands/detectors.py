"""`lidm detectors`: which rules there are, whether their readable cases hold, when they speak and who stopped them."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click

import detectors
from detectors.casebook import CaseResult, case_files, run_file
from detectors.registry import Detector, load_detectors, running
from lidm.free_text import REASON
from lidm.settings import load_settings
from lidm.stops import Stopped, stops_now
from lidm.tables import table
from policy.bundle import Bundle
from policy.readiness import not_ready
from schemas.errors import CallError, DataError
from schemas.records import GoliveBody, GoliveRecord, SwitchBody, SwitchRecord

DAY = click.DateTime(["%Y-%m-%d"])
STAGES = {"trial": "试用", "in_service": "在用", "candidate": "候选"}
CASES = Path(detectors.__file__).parent


SHADOW_HELP = "试运行：规则的新版本或参数草案在旁边跑，只看差别，不建案。"


class _Rules(click.Group):
    """Loads `shadow` on demand: it reads the store, and the other commands need only the base install."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "shadow"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "shadow":
            return super().get_command(ctx, cmd_name)
        try:
            from lidm.commands.shadow import group
        except ModuleNotFoundError as missing:
            if missing.name and missing.name.split(".")[0] in {"lidm", "schemas", "sinks", "streams"}:
                raise
            raise CallError(f"缺少组件 {missing.name}：请安装 lidm 的 service 扩展") from missing
        return group

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [(name, each.get_short_help_str(limit=60)) for name, each in self.commands.items()]
        with formatter.section("命令"):
            formatter.write_dl(sorted([*own, ("shadow", SHADOW_HELP)]))


@click.group(cls=_Rules)
def command() -> None:
    """规则：目录、自测、试运行、启用、停用。"""


@command.command("list")
@click.option("--area", default=None, help="区划代码：同时看那里的参数能否启用")
@click.option("--on", type=DAY, default=None, help="哪一天（默认今天）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_(area: str | None, on: datetime | None, as_json: bool) -> None:
    """列出全部规则，和在哪里被人停用。"""
    settings = load_settings()
    bundle = Bundle.load(settings.policy_dir) if area else None
    stops = stops_now(settings)
    found = []
    for each in load_detectors().values():
        entry: dict[str, object] = {
            "code": each.code,
            "label": each.label,
            "family": each.family.value,
            "version": each.version,
            "stage": _stage(each),
            "listens": sorted(each.listens),
            "parameters": [*each.parameters, *each.optional],
            "stopped": None if stops is None else [stop.as_json() for stop in stops if stop.detector == each.code],
        }
        if bundle is not None and area is not None:
            entry["not_ready"] = _not_ready(bundle, each, area, _day(on))
        found.append(entry)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    rows = [
        (each.code, each.label, each.family.label, each.version, STAGES[_stage(each)], "、".join(sorted(each.listens)))
        for each in load_detectors().values()
    ]
    click.echo(table(("代码", "名称", "类别", "版本", "阶段", "依据的数据"), rows))
    for entry in found:
        for sentence in _texts(entry.get("not_ready")):
            click.echo(f"{entry['code']} 不能启用：{sentence}")
    for line in _stop_lines(stops):
        click.echo(line)


@command.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--policy", "folder", type=click.Path(path_type=Path), help="参数目录（默认随程序的 policy）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def test(path: Path | None, folder: Path | None, as_json: bool) -> None:
    """跑案例文件：PATH 是一个 *.cases.yaml 或目录，默认全部；有不符的退出码 1。"""
    files = case_files(path or CASES)
    if not files:
        raise CallError(f"{path}下没有 *.cases.yaml")
    results = [result for each in files for result in _run(each, folder or load_settings().policy_dir)]
    wrong = [each for each in results if each.problems]
    if as_json:
        shown = [{"case": each.case, "place": each.place, "problems": list(each.problems)} for each in results]
        click.echo(json.dumps(shown, ensure_ascii=False))
    else:
        for each in wrong:
            click.echo(f"不符：{each.case}（{each.place}）")
            for problem in each.problems:
                click.echo(f"    {problem}")
        click.echo(f"{len(results)}个案例，{len(results) - len(wrong)}个相符，{len(wrong)}个不符")
    if wrong:
        raise DataError(f"{len(wrong)}个案例与规则不符")


@command.command()
@click.argument("area", metavar="区划代码")
@click.argument("code", metavar="规则代码")
@click.option("--per-day", type=click.IntRange(1, 1_000_000), required=True, help="存量每天最多放出多少件")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的时刻（北京时间）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def golive(area: str, code: str, per_day: int, at: datetime | None, as_json: bool) -> None:
    """规则在一个区划及其下级开始发出预警；现行参数里有示例值则拒绝。"""
    from lidm import control_records  # compression and broker client come with the extra `service`

    settings = load_settings()
    detector = _known(code)
    if detector.instead_of:
        raise DataError(f"{code}是{detector.instead_of}的候选，只能试运行（lidm detectors shadow）")
    if code not in running(settings.trial):
        raise DataError(f"{code}还在试用：监测环节没有运行它。先在各 monitor 上设 LIDM_TRIAL_DETECTORS={code}")
    bundle = Bundle.load(settings.policy_dir)
    if area not in bundle.areas:
        raise CallError(f"区划代码{area}不在areas.yaml里")
    if reasons := _not_ready(bundle, detector, area, _day(at)):
        raise DataError(f"{code}不能在{bundle.areas.name(area)}启用：{'；'.join(reasons)}")
    if control_records.activated(settings) != bundle.hash:
        raise DataError(f"参数目录的版本{bundle.short}还没有启用，请先运行 lidm policy activate")
    body = GoliveBody(area, code, per_day, control_records.PACE)
    partitions = control_records.append_everywhere(
        settings, lambda known_at: GoliveRecord("", known_at, "", 0, 0, body), at
    )
    if as_json:
        click.echo(json.dumps({"area": area, "detector": code, "per_day": per_day, "partitions": partitions}))
        return
    click.echo(
        f"{code} {detector.label}在{bundle.areas.name(area)}启用，存量每天最多放出{per_day}件，写入{partitions}个分区"
    )


@command.command()
@click.argument("code", metavar="规则代码")
@click.option("--area", required=True, metavar="区划代码", help="在哪里停用（含下级）")
@click.option("--reason", required=True, type=REASON, metavar="理由", help="为什么停用，留在记录里")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的时刻（北京时间）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def stop(code: str, area: str, reason: str, at: datetime | None, as_json: bool) -> None:
    """停用：规则在那里不再发出、更新、撤回任何预警，已发出的照旧；台账照记，恢复时补上。"""
    _switch(SwitchBody(area, code, "stop", load_settings().actor, reason.strip()), at, as_json)


@command.command()
@click.argument("code", metavar="规则代码")
@click.option("--area", required=True, metavar="区划代码", help="停用时写的那个区划")
@click.option("--reason", required=True, type=REASON, metavar="理由", help="核实了什么，留在记录里")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的时刻（北京时间）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def resume(code: str, area: str, reason: str, at: datetime | None, as_json: bool) -> None:
    """恢复：仍在的情形发出或更新，已不在的撤回或注明消失，编号不变。"""
    settings = load_settings()
    stops = stops_now(settings)
    if stops is not None and not any((each.detector, each.area) == (code, area) for each in stops):
        there = "；".join(_stop_lines([each for each in stops if each.detector == code]))
        raise DataError(f"{code}在{area}没有停用（刚停用的要等归档）{'。现有：' + there if there else ''}")
    _switch(SwitchBody(area, code, "resume", settings.actor, reason.strip()), at, as_json)


def _switch(body: SwitchBody, at: datetime | None, as_json: bool) -> None:
    from lidm import control_records  # compression and broker client come with the extra `service`

    settings = load_settings()
    detector, bundle = _known(body.detector), Bundle.load(settings.policy_dir)
    if body.area not in bundle.areas:
        raise CallError(f"区划代码{body.area}不在areas.yaml里")
    partitions = control_records.append_everywhere(
        settings, lambda known_at: SwitchRecord("", known_at, "", 0, 0, body), at
    )
    if as_json:
        said = {"area": body.area, "detector": body.detector, "to": body.to, "partitions": partitions}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    done = "停用" if body.to == "stop" else "恢复"
    click.echo(f"{body.detector} {detector.label}在{bundle.areas.name(body.area)}{done}，写入{partitions}个分区")


def _known(code: str) -> Detector:
    detector = load_detectors().get(code)
    if detector is None:
        raise CallError(f"没有规则“{code}”，有：{'、'.join(load_detectors())}")
    return detector


def _stop_lines(stops: Sequence[Stopped] | None) -> list[str]:
    if stops is None:
        return ["是否有规则被停用：未知（连接不上归档库）"]
    return [f"{s.detector} 在{s.area}停用，自{s.since:%Y-%m-%d %H:%M}，{s.actor}：{s.reason}" for s in stops]


def _stage(detector: Detector) -> str:
    return "candidate" if detector.instead_of else "trial" if detector.trial else "in_service"


def _not_ready(bundle: Bundle, detector: Detector, area: str, on: date) -> list[str]:
    return not_ready(bundle, detector.parameters, area, on, detector.optional)


def _run(path: Path, policy: Path) -> list[CaseResult]:
    try:
        return run_file(path, policy)
    except LookupError as error:
        raise DataError(f"{path.name}：{error}") from error


def _day(on: datetime | None) -> date:
    return on.date() if on else datetime.now().astimezone().date()


def _texts(value: object) -> Sequence[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
