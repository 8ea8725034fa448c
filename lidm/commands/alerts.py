"""`lidm alerts`: read alerts, from the store (list, show) or as they come (tail)."""

import json
from datetime import date

import click

from lidm.alert_text import line, page
from lidm.settings import Settings, load_settings
from lidm.stores import reading
from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.errors import CallError, Unreachable
from schemas.topics import ALERTS, Catalogue
from sinks.reads import Filter, cases_of, current_alerts, revisions


@click.group()
def command() -> None:
    """看预警。"""


@command.command("list")
@click.option("--area", default=None, help="责任地区代码，含下级")
@click.option("--detector", default=None, help="检测器代码，如 MED-SELFPAY")
@click.option("--household", default=None, help="家庭代码")
@click.option("--all", "everything", is_flag=True, help="也列出已撤回、已消除、已迁出的")
@click.option("--baseline/--new", default=None, help="只看存量 / 只看新发")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_command(
    area: str | None,
    detector: str | None,
    household: str | None,
    everything: bool,
    baseline: bool | None,
    limit: int,
    as_json: bool,
) -> None:
    """每条预警的最新状态，最近的在前。"""
    settings = load_settings()
    chosen = Filter(
        areas=_below(settings, area) if area else None,
        detector=detector,
        household=household,
        standing=not everything,
        baseline=baseline,
    )
    with reading(settings) as store:
        found = current_alerts(store, chosen, limit)
    if as_json:
        click.echo(json.dumps([alert.model_dump(mode="json") for alert in found], ensure_ascii=False))
        return
    for alert in found:
        click.echo(line(alert))
    if not found:
        click.echo("没有符合条件的预警")


@command.command()
@click.argument("alert_id", metavar="预警编号")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def show(alert_id: str, as_json: bool) -> None:
    """一条预警的历次修订和所属个案；编号可只写开头。"""
    with reading() as store:
        history = revisions(store, alert_id)
        cases = cases_of(store, history[0].alert_id)
    if as_json:
        body = {"revisions": [alert.model_dump(mode="json") for alert in history], "cases": cases}
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    click.echo(page(history, cases))


@command.command()
@click.option("--from-start", is_flag=True, help="从头读起，而不是只等新的")
@click.option("--count", type=int, default=None, help="读到这么多条后结束")
@click.option("--seconds", type=float, default=None, help="最多等待的秒数")
@click.option("--detector", default=None, help="检测器代码")
@click.option("--json", "as_json", is_flag=True, help="每条一行 JSON")
def tail(from_start: bool, count: int | None, seconds: float | None, detector: str | None, as_json: bool) -> None:
    """预警随到随看，直到 Ctrl-C。"""
    from kafka.errors import KafkaError

    from sinks.consumers import follow

    settings = load_settings()
    partitions = Catalogue.partitions(settings.effective_size)
    shown = 0
    try:
        for message in follow(
            settings.bootstrap, ALERTS, partitions, from_start=from_start, embedded=settings.embedded, seconds=seconds
        ):
            alert = Alert.model_validate_json(message.value or b"")
            if detector in (None, alert.detector):
                click.echo(alert.model_dump_json() if as_json else line(alert))
                shown += 1
            if count is not None and shown >= count:
                return
    except (KafkaError, OSError) as error:
        raise Unreachable(f"消息服务 {settings.bootstrap} 连不上（{type(error).__name__}）") from error
    except KeyboardInterrupt:
        return


def _below(settings: Settings, area: str) -> list[str]:
    areas = Bundle.load(settings.policy_dir).areas
    if area not in areas:
        raise CallError(f"没有地区 {area}：见 policy/areas.yaml")
    today = date.today()
    return [code for code in areas.codes() if areas.within(code, area, today)]
