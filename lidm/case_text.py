"""Cases in the words officers read, and as JSON for programs."""

from collections.abc import Iterable

from cases.deadlines import last_day
from cases.view import Case
from schemas.cases import (
    AcceptedBody,
    AlertNote,
    AnnotatedBody,
    AnyBody,
    CaseEvent,
    Clock,
    ClosedBody,
    ContactOpenedBody,
    ContestedBody,
    FeedbackBody,
    InhibitedBody,
    JoinedBody,
    LiftedBody,
    OpenedBody,
    OverdueBody,
    ReferredBody,
    RefusedBody,
    ReleasedBody,
    SnoozedBody,
    VerifiedBody,
)
from schemas.labels import yuan

_ALERT_STATES = {"raised": "发出", "updated": "有更新", "moved": "随人迁出", "withdrawn": "已撤回", "lapsed": "已消失"}


def summary(case: Case) -> dict[str, object]:
    """One case as plain values, for `--json`."""
    return {
        "case_id": case.case_id,
        "number": case.number,
        "household": case.household,
        "lane": case.lane.value,
        "state": case.state.value,
        "severity": case.severity,
        "baseline": case.baseline,
        "storm": case.storm,
        "area": case.areas.responsible if case.areas else None,
        "opened_at": case.opened_at.isoformat(),
        "reason": case.opening.reason,
        "due": {_step(clock): clock.due.isoformat() for clock in case.clocks},
        "overdue": sorted({_step(clock) for clock in case.clocks if clock in case.overdue}),
    }


def detail(case: Case, history: Iterable[CaseEvent]) -> dict[str, object]:
    """A case with its alerts, referrals and events, for `--json`."""
    return summary(case) | {
        "alerts": [note.model_dump(mode="json", exclude_none=True) for note in case.alerts.values()],
        "verified": case.verified.result.value if case.verified else None,
        "evidence": [item.model_dump(mode="json", exclude_none=True) for item in case.evidence],
        "reply": case.reply.value if case.reply else None,
        "contested": case.contested,
        "snoozed_until": case.snoozed_until.isoformat() if case.snoozed_until else None,
        "resting": {name: until.isoformat() for name, until in case.resting.items()},
        "inhibited": {
            rule: {"until": said.until.isoformat(), "reason": said.reason.value, "by": said.by}
            for rule, said in case.inhibited.items()
        },
        "referrals": [
            {**r.asked.model_dump(mode="json"), "result": r.answer.result.value if r.answer else None}
            for r in case.referrals.values()
        ],
        "outcome": case.closed.outcome.value if case.closed else None,
        "continues": case.continues,
        "contacts_opened": case.contacts_opened,
        "events": [event.model_dump(mode="json", exclude_none=True) for event in history],
    }


def line(case: Case) -> str:
    """One case in one line."""
    late = "  超期" if any(clock in case.overdue for clock in case.clocks) else ""
    return f"{case.number}  {case.lane.label}  {case.state.label}  {case.severity}级{late}  {case.opening.reason}"


def page(case: Case, history: Iterable[CaseEvent]) -> str:
    """Everything about a case, top to bottom."""
    area = case.areas.responsible if case.areas else "未知"
    lines = [
        f"{case.number}  {case.lane.label}  {case.state.label}  {case.severity}级"
        + ("  存量" if case.baseline else ""),
        f"编号 {case.case_id}  家庭 {case.household}  属地 {area}",
        "预警：",
        *(f"  · {_alert(note)}{_rest(case, note)}" for note in case.alerts.values()),
    ]
    if case.clocks:
        lines += ["时限：", *(f"  · {_due(clock, clock in case.overdue)}" for clock in case.clocks)]
    lines += [
        f"暂不提示：{rule} 至{said.until}，{said.reason.label}（{said.by}）" for rule, said in case.inhibited.items()
    ]
    if case.referrals:
        lines += ["转介："]
        for name, referral in case.referrals.items():
            answer = referral.answer.result.label if referral.answer else "等待反馈"
            lines.append(f"  · {name} {referral.asked.department}：{referral.asked.item}（{answer}）")
    lines += ["经过：", *(f"  {event.at:%Y-%m-%d %H:%M} {event.actor} {says(event)}" for event in history)]
    return "\n".join(lines)


def says(event: CaseEvent) -> str:
    """What an event means, in one Chinese phrase."""
    detail_ = _phrase(event.body)
    return f"{event.type.label}：{detail_}" if detail_ else event.type.label


def _phrase(body: AnyBody) -> str:
    match body:
        case OpenedBody() | JoinedBody() | AnnotatedBody():
            return _alert(body.alert) + _handled(body)
        case RefusedBody():
            return f"{body.action.label}——{body.refusal.label}"
        case OverdueBody():
            return _due(body.clock, True)
        case AcceptedBody():
            return ""
        case ReleasedBody():
            return body.note or ""
        case _:
            return _work_phrase(body)


def _work_phrase(body: AnyBody) -> str:
    match body:
        case VerifiedBody():
            return _join(body.result.label, body.reply.label if body.reply else None, body.note)
        case ReferredBody():
            return "；".join(f"{r.referral} {r.department}：{r.item}" for r in body.referrals)
        case FeedbackBody():
            amount = yuan(body.amount_fen) if body.amount_fen is not None else None
            return _join(f"{body.referral} {body.result.label}", amount, body.note)
        case ClosedBody():
            return _join(body.outcome.label, body.reply.label if body.reply else None, body.note)
        case ContestedBody():
            return _join(body.statement, "重新办理" if body.reopened else None)
        case SnoozedBody():
            return _join(f"至{body.until}", body.reason.label, body.note)
        case InhibitedBody():
            return _join(f"{body.detector}至{body.until}", body.reason.label, body.note)
        case LiftedBody():
            return _join(body.detector, body.note)
        case ContactOpenedBody():
            return f"用途：{body.purpose}"
        case _:
            return ""


def _handled(body: OpenedBody | JoinedBody | AnnotatedBody) -> str:
    held = "突增，待主管确认" if isinstance(body, OpenedBody) and body.storm else "存量，待放行"
    said = [held] if isinstance(body, OpenedBody) and body.held else []
    said += ["原个案重新办理"] if isinstance(body, JoinedBody) and body.reopened else []
    said += [f"{body.rests_until}前只备注"] if isinstance(body, AnnotatedBody) and body.rests_until else []
    said += ["暂缓结束"] if not isinstance(body, OpenedBody) and body.woken else []
    return f"（{'，'.join(said)}）" if said else ""


def _rest(case: Case, note: AlertNote) -> str:
    until = case.resting.get(note.alert_id)
    return f"（{until}前只备注）" if until and note.standing else ""


def _alert(note: AlertNote) -> str:
    return f"[{note.severity}级 {_ALERT_STATES[note.state]}] {note.reason}"


def _due(clock: Clock, late: bool) -> str:
    until = f"{clock.due:%Y-%m-%d %H:%M}" if clock.natural else f"{last_day(clock)}"
    of = f"（{clock.referral}）" if clock.referral else ""
    return f"{clock.step.label}{of} 截至 {until}{'，已超期' if late else ''}"


def _step(clock: Clock) -> str:
    return f"{clock.step.value}:{clock.referral}" if clock.referral else clock.step.value


def _join(*parts: str | None) -> str:
    return "，".join(part for part in parts if part)
