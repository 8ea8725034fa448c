"""`lidm case storm`: cases that wait because their rule suddenly opened far more than its files usually bring."""

import json
from collections import defaultdict
from datetime import datetime
from uuid import uuid4

import click
from pydantic import ValidationError

from cases.storm import storm_name
from cases.view import Case
from lidm.desk import CaseDesk, open_desk
from lidm.free_text import FREE_TEXT, REASON
from lidm.settings import load_settings
from lidm.tables import table
from schemas.case_commands import StormRelease
from schemas.case_words import State
from schemas.errors import CallError, DataError, Unreachable


@click.group()
def storm() -> None:
    """突增：一条规则一天的个案远多于往月，多出的先不派，等主管看过。"""


@storm.command("list")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_storms(as_json: bool) -> None:
    """哪条规则哪天的多少件在等。"""
    with open_desk(load_settings()) as desk:
        found = [_told(name, cases) for name, cases in sorted(_waiting(desk).items())]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    elif not found:
        click.echo("没有因突增等待的个案")
    else:
        rows = [tuple(str(each[name]) for name in ("detector", "on", "cases", "areas", "reason")) for each in found]
        click.echo(table(("规则", "日期", "件数", "属地数", "例"), rows))


@storm.command()
@click.argument("detector", metavar="规则代码")
@click.argument("on", metavar="日期", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--reason", required=True, type=REASON, metavar="理由", help="核实了什么，留在每件个案里")
@click.option("--actor", default=None, type=FREE_TEXT, help="主管代号（默认取设置 LIDM_ACTOR）")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的操作时刻（北京时间）")
@click.option("--wait", type=float, default=10.0, show_default=True, help="等待受理结果的秒数")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def release(
    detector: str, on: datetime, reason: str, actor: str | None, at: datetime | None, wait: float, as_json: bool
) -> None:
    """放行：等待的个案都派给经办人，从此刻起计时；当天此后新建的不再等。"""
    settings, name = load_settings(), storm_name(detector, on.date())
    try:
        order = StormRelease(
            command_id=str(uuid4()), detector=detector, on=on.date(), reason=reason, actor=actor or settings.actor
        )
    except ValidationError as error:
        raise CallError("--reason 须写明理由，且不能含证件号码或手机号码") from error
    with open_desk(settings) as desk:
        waiting = _waiting(desk).get(name, [])
        if not waiting:
            raise DataError(f"{name} 没有因突增等待的个案")
        at_ms = desk.moment(at, settings.effective_clock)
        done = desk.release(order, expected=len(waiting), wait_seconds=wait, at_ms=at_ms)
    if len(done) < len(waiting):
        raise Unreachable(f"已送达，{wait:g}秒内放行了{len(done)}件，共{len(waiting)}件：请确认 cases 环节在运行")
    if as_json:
        click.echo(json.dumps({"storm": name, "released": len(done)}))
    else:
        click.echo(f"{name} 已放行{len(done)}件")


def _waiting(desk: CaseDesk) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = defaultdict(list)
    for case in desk.read().open_cases():
        if case.state is State.STORM and case.storm:
            found[case.storm].append(case)
    return found


def _told(name: str, cases: list[Case]) -> dict[str, object]:
    detector, _, on = name.rpartition("/")
    areas = {case.areas.responsible for case in cases if case.areas}
    return {"detector": detector, "on": on, "cases": len(cases), "areas": len(areas), "reason": cases[0].opening.reason}
