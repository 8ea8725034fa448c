"""`lidm case`: the handling loop without the console. A refused command prints why and exits 1."""

import json
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import uuid4

import click
from pydantic import ValidationError

from cases.view import Case, refusal_of
from lidm.case_text import detail, line, page, says, summary
from lidm.commands.case_baseline import baseline
from lidm.commands.case_incident import incident
from lidm.commands.case_storm import storm
from lidm.desk import CaseDesk, open_desk
from lidm.free_text import FREE_TEXT
from lidm.settings import Settings, load_settings
from schemas.case_commands import (
    Accept,
    CaseCommand,
    Close,
    Contact,
    Contest,
    Feedback,
    Inhibit,
    Lift,
    Refer,
    Snooze,
    Verify,
)
from schemas.case_words import (
    FeedbackResult,
    InhibitReason,
    Lane,
    Outcome,
    Reply,
    Role,
    SnoozeReason,
    State,
    VerifyResult,
)
from schemas.cases import CaseEvent
from schemas.errors import CallError, DataError, Unreachable
from schemas.partition import partition_of

F = TypeVar("F", bound=Callable[..., None])


def _choice(words: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([word.value for word in words])


def _labels(words: type[Any]) -> str:
    return " ".join(f"{word.value}={word.label}" for word in words)


def _working(function: F) -> F:
    """Options every command that changes a case shares."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="输出 JSON"),
        click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的操作时刻（北京时间）"),
        click.option("--wait", type=float, default=10.0, show_default=True, help="等待受理结果的秒数"),
        click.option("--command-id", default=None, help="操作编号：同一编号只受理一次，可放心重试"),
        click.option("--role", type=_choice(Role), default=Role.OFFICER.value, show_default=True, help=_labels(Role)),
        click.option("--actor", default=None, type=FREE_TEXT, help="经办人代号（默认取设置 LIDM_ACTOR）"),
        click.option("--household", default=None, help="家庭代码，给出时查得更快"),
        click.argument("case_name", metavar="个案"),
    ):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """办理个案：签收、核查、转介、反馈、办结；个案可用编号（年-区-流水）或 id 指明。"""


command.add_command(storm)
command.add_command(baseline)
command.add_command(incident)


@command.command("list")
@click.option("--household", default=None, help="只看一个家庭")
@click.option("--lane", type=_choice(Lane), default=None, help=_labels(Lane))
@click.option("--state", type=_choice(State), default=None, help=_labels(State))
@click.option("--all", "everything", is_flag=True, help="含已办结")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_(household: str | None, lane: str | None, state: str | None, everything: bool, as_json: bool) -> None:
    """列出个案，重的在前。"""
    with open_desk(load_settings()) as desk:
        view = desk.read([partition_of(household, desk.partitions)] if household else None)
    found = [
        case
        for case in view.cases.values()
        if (not household or case.household == household)
        and (not lane or case.lane == lane)
        and (case.state == state if state else everything or case.closed is None)
    ]
    found.sort(key=lambda case: (-case.severity, case.opened_at, case.number))
    if as_json:
        click.echo(json.dumps([summary(case) for case in found], ensure_ascii=False))
        return
    for case in found:
        click.echo(line(case))
    click.echo(f"共 {len(found)} 件")


@command.command()
@click.argument("case_name", metavar="个案")
@click.option("--household", default=None, help="家庭代码，给出时查得更快")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def show(case_name: str, household: str | None, as_json: bool) -> None:
    """看一件个案：预警、时限、转介、经过。"""
    with open_desk(load_settings()) as desk:
        case = desk.find(case_name, household)
        history = [event for event in desk.history if event.case_id == case.case_id]
    click.echo(json.dumps(detail(case, history), ensure_ascii=False) if as_json else page(case, history))


@command.command()
@_working
def accept(**common: Any) -> None:
    """签收。"""
    _work(Accept, common)


@command.command()
@_working
@click.option("--result", required=True, type=_choice(VerifyResult), help=_labels(VerifyResult))
@click.option("--evidence", multiple=True, type=FREE_TEXT, help="核查依据 类型:内容，如 visit:已入户见到本人（可多次）")
@click.option("--reply", type=_choice(Reply), default=None, help=f"听取陈述的情况：{_labels(Reply)}")
@click.option("--note", default=None, type=FREE_TEXT, help="说明")
def verify(result: str, evidence: tuple[str, ...], reply: str | None, note: str | None, **common: Any) -> None:
    """登记核查结果，须附依据。"""
    seen = [_pair(item, "kind", "note") for item in evidence]
    _work(Verify, common, result=result, evidence=seen, reply=reply, note=note)


@command.command()
@_working
@click.option(
    "--to", "items", multiple=True, required=True, type=FREE_TEXT, help="部门:事项，如 医保局:医疗救助（可多次）"
)
@click.option("--note", default=None, type=FREE_TEXT, help="说明")
def refer(items: tuple[str, ...], note: str | None, **common: Any) -> None:
    """转介给一个或多个部门。"""
    _work(Refer, common, referrals=[{**_pair(item, "department", "item"), "note": note} for item in items])


@command.command()
@_working
@click.argument("referral", metavar="转介")
@click.option("--result", required=True, type=_choice(FeedbackResult), help=_labels(FeedbackResult))
@click.option("--amount", type=float, default=None, help="金额（元）")
@click.option("--note", default=None, type=FREE_TEXT, help="说明；未予受理时必填")
def feedback(referral: str, result: str, amount: float | None, note: str | None, **common: Any) -> None:
    """登记一项转介（R1、R2……）的反馈。"""
    fen = None if amount is None else round(amount * 100)
    _work(Feedback, common, referral=referral, result=result, amount_fen=fen, note=note)


@command.command()
@_working
@click.option("--outcome", required=True, type=_choice(Outcome), help=_labels(Outcome))
@click.option("--reply", type=_choice(Reply), default=None, help=f"听取陈述的情况：{_labels(Reply)}")
@click.option("--note", default=None, type=FREE_TEXT, help="说明")
def close(outcome: str, reply: str | None, note: str | None, **common: Any) -> None:
    """办结。"""
    _work(Close, common, outcome=outcome, reply=reply, note=note)


@command.command()
@_working
@click.option("--statement", required=True, type=FREE_TEXT, help="家庭的意见")
def contest(statement: str, **common: Any) -> None:
    """登记家庭提出的异议：须重新核查。"""
    _work(Contest, common, statement=statement)


@command.command()
@_working
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="恢复办理的日期")
@click.option("--reason", required=True, type=_choice(SnoozeReason), help=_labels(SnoozeReason))
@click.option("--note", default=None, type=FREE_TEXT, help="说明")
def snooze(until: datetime, reason: str, note: str | None, **common: Any) -> None:
    """因列明的原因暂缓，时限顺延。"""
    _work(Snooze, common, until=until.date(), reason=reason, note=note)


@command.command()
@_working
@click.option("--detector", required=True, metavar="规则代码", help="哪条规则的预警")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="恢复提示的日期")
@click.option("--reason", required=True, type=_choice(InhibitReason), help=_labels(InhibitReason))
@click.option("--note", default=None, type=FREE_TEXT, help="说明")
def inhibit(detector: str, until: datetime, reason: str, note: str | None, **common: Any) -> None:
    """这户这条规则的预警到期前只备注、不派单；加重的照派，到期仍在的再办。"""
    _work(Inhibit, common, detector=detector, until=until.date(), reason=reason, note=note)


@command.command()
@_working
@click.option("--detector", required=True, metavar="规则代码", help="哪条规则的预警")
@click.option("--note", default=None, type=FREE_TEXT, help="说明")
def lift(detector: str, note: str | None, **common: Any) -> None:
    """提前恢复提示。"""
    _work(Lift, common, detector=detector, note=note)


@command.command()
@_working
@click.option("--purpose", required=True, type=FREE_TEXT, help="用途，如 入户核查前联系")
@click.option("--members", is_flag=True, help="家庭全体成员（默认只看户主）")
def contact(purpose: str, members: bool, **common: Any) -> None:
    """查看姓名、电话、住址；先留痕，后打开。"""
    from lidm.contacts import Contacts

    settings = load_settings()
    with Contacts(settings.vault, settings.keys_dir) as book, open_desk(settings) as desk:
        case = desk.find(common["case_name"], common["household"])
        persons = book.persons(case.household, everyone=members)
        event = _send(desk, case, _build(Contact, settings, case, common, {"purpose": purpose}), settings, common)
        _refused(event, case, common["as_json"])
        actor, moment = event.actor, event.at_ms
        people = book.open(persons, actor=actor, purpose=purpose, case_id=case.case_id, at_ms=moment)
    if common["as_json"]:
        shown = [{"name": who.name, "phones": who.phones, "addresses": who.addresses} for who in people]
        click.echo(json.dumps({"case_id": case.case_id, "opened": shown}, ensure_ascii=False))
        return
    click.echo(f"{case.number}  {says(event)}（已留痕）")
    for who in people:
        click.echo("  ".join([who.name, *who.phones, *who.addresses]))


def _work(kind: type[CaseCommand], common: dict[str, Any], **fields: object) -> None:
    settings = load_settings()
    with open_desk(settings) as desk:
        case = desk.find(common["case_name"], common["household"])
        event = _send(desk, case, _build(kind, settings, case, common, fields), settings, common)
    _refused(event, case, common["as_json"])
    if common["as_json"]:
        click.echo(_answer(event, case))
    else:
        click.echo(f"{case.number}  {says(event)}  现为{case.state.label}")


def _build(
    kind: type[CaseCommand], settings: Settings, case: Case, common: dict[str, Any], fields: dict[str, object]
) -> CaseCommand:
    who = {
        "command_id": common["command_id"] or str(uuid4()),
        "case_id": case.case_id,
        "household": case.household,
        "actor": common["actor"] or settings.actor,
        "role": common["role"],
    }
    try:
        return kind.model_validate({**who, **fields})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        if "PLAIN_IDENTITY" in first["msg"]:
            raise CallError("文字中不能出现证件号码或手机号码，请删去后重试") from None
        raise CallError(f"参数有误：{'.'.join(map(str, first['loc']))}") from None


def _send(desk: CaseDesk, case: Case, order: CaseCommand, settings: Settings, common: dict[str, Any]) -> CaseEvent:
    event = desk.send(order, wait_seconds=common["wait"], at_ms=desk.moment(common["at"], settings.effective_clock))
    if event is None:
        raise Unreachable(
            f"操作已送达但尚未受理（编号 {order.command_id}）：请确认 cases 环节在运行，可用 --command-id 重试"
        )
    return event


def _refused(event: CaseEvent, case: Case, as_json: bool) -> None:
    refusal = refusal_of(event)
    if refusal is None:
        return
    if as_json:
        click.echo(_answer(event, case))
    raise DataError(f"{case.number}  未受理：{refusal.label}")


def _answer(event: CaseEvent, case: Case) -> str:
    said = event.model_dump(mode="json", exclude_none=True)
    return json.dumps({"event": said, "case": summary(case)}, ensure_ascii=False, default=str)


def _pair(text: str, first: str, second: str) -> dict[str, str]:
    left, colon, right = text.replace("：", ":", 1).partition(":")
    if not colon or not left.strip() or not right.strip():
        raise CallError(f"应写成 {first}:{second}，中间用冒号")
    return {first: left.strip(), second: right.strip()}
