"""Alerts, case events and messages as the archive meets them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from schemas.alerts import Alert, Areas, Document, Evidence, Threshold
from schemas.case_commands import CaseEvidence
from schemas.case_words import EventType, EvidenceKind, Lane, Outcome, Role, VerifyResult
from schemas.cases import (
    AlertNote,
    AnyBody,
    CaseEvent,
    Cause,
    ClosedBody,
    JoinedBody,
    OpenedBody,
    VerifiedBody,
    encode_event,
)
from schemas.topics import ALERTS, CASE_EVENTS

TOWN = "339901001000"
OTHER_TOWN = "339901002000"
AT = datetime(2026, 3, 9, 4, 5, 6, tzinfo=UTC)

RULE = Document(title="星河市监测办法", number="星民〔2025〕1号", status="pilot")
BILL = Evidence(key="S1", feed="medical.settlement", source="x", day=date(2026, 3, 1), value=5_200_000)


def alert(
    number: int = 1,
    revision: int = 1,
    state: str = "raised",
    *,
    area: str | None = TOWN,
    baseline: bool = False,
    on: date = date(2026, 3, 9),
    severity: int = 2,
) -> Alert:
    """One revision of alert `number`."""
    return Alert.model_validate(
        {
            "alert_id": f"{number:08x}-0000-5000-8000-000000000000",
            "revision": revision,
            "state": state,
            "household": f"h_{number:032x}",
            "areas": Areas(hukou=area, residence=area, responsible=area, incident=area) if area else None,
            "detector": "MED-SELFPAY",
            "detector_version": "1.0.0",
            "family": "risk",
            "subject": "CHILD",
            "cause": f"p_{number:032x}/year",
            "since": date(2026, 3, 1),
            "severity": severity,
            "measure": 5_200_000,
            "unit": "fen",
            "threshold": Threshold(value=5_000_000, document=RULE, policy="ab12"),
            "reason": "子女本年度医疗个人负担52,000元，超过预警线50,000元",
            "evidence": [BILL],
            "coverage": [],
            "baseline": baseline,
            "on": on,
            "known_at": AT,
        }
    )  # fmt: skip


def events(case: str, alerts: Sequence[Alert], *, verified: int | None = None, closed: bool = False) -> list[CaseEvent]:
    """A case of these alerts; `verified` = how many pieces of evidence the visit left."""
    steps: list[tuple[EventType, AnyBody, int, Cause]] = []
    for each in alerts:
        note, cause = AlertNote.of(each), Cause(alert_id=each.alert_id, revision=each.revision)
        opened = OpenedBody(number="2026-1", alert=note, areas=each.areas, held=False)
        body = JoinedBody(alert=note) if steps else opened
        steps.append((EventType.JOINED if steps else EventType.OPENED, body, 0, cause))
    if verified is not None:
        steps.append((EventType.VERIFIED, VerifiedBody(result=VerifyResult.NEED), verified, Cause(command_id="c1")))
    if closed:
        steps.append((EventType.CLOSED, ClosedBody(outcome=Outcome.INFORMED), 0, Cause(command_id="c2")))
    return [
        CaseEvent(
            case_id=case, household=alerts[0].household, lane=Lane.HELP, seq=seq, previous_digest="", type=kind, at=AT,
            actor="王", role=Role.OFFICER, reason_code="", evidence=(CaseEvidence(kind=EvidenceKind.VISIT),) * evidence,
            cause=cause, payload_digest="", body=body,
        )
        for seq, (kind, body, evidence, cause) in enumerate(steps, 1)
    ]  # fmt: skip


@dataclass
class Said:
    """A message as kafka-python hands it over."""

    topic: str
    value: bytes | None
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_773_000_000_000
    headers: Sequence[tuple[str, bytes]] = field(default_factory=list)


def said(what: Alert | CaseEvent, offset: int = 0) -> Said:
    """The message that carries an alert or a case event."""
    if isinstance(what, Alert):
        return Said(ALERTS, what.model_dump_json().encode(), offset=offset)
    return Said(CASE_EVENTS, encode_event(what), offset=offset)
