"""Alerts and commands for tests of case work; everything invented."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from schemas.alerts import Alert, AlertState, Areas, Document, Family, Threshold
from schemas.calendar import SHANGHAI
from schemas.case_commands import CaseEvidence
from schemas.case_words import EvidenceKind

HOUSEHOLD = "h_" + "0" * 31 + "1"
AREAS = Areas(hukou="339901001001", residence="339901001001", responsible="339901001001", incident="339901001001")
SEEN = CaseEvidence(kind=EvidenceKind.VISIT, note="已入户，见到本人")


def ms(text: str) -> int:
    """Broker timestamp of a Beijing time such as `2026-05-14 09:00`."""
    return round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)


def alert(
    name: str = "a",
    revision: int = 1,
    state: AlertState = "raised",
    *,
    family: Family = "risk",
    severity: int = 2,
    household: str = HOUSEHOLD,
    **more: Any,
) -> Alert:
    """One revision of an alert called `name`."""
    return Alert.model_validate(
        {
            "alert_id": str(uuid5(NAMESPACE_URL, name)),
            "revision": revision,
            "state": state,
            "household": household,
            "areas": AREAS,
            "detector": "MED-SELFPAY",
            "detector_version": "1.0.0",
            "family": family,
            "subject": "户主",
            "cause": "p/rolling_12m",
            "since": date(2026, 5, 12),
            "severity": severity,
            "measure": 520000,
            "unit": "fen",
            "threshold": Threshold(value=500000, document=Document(title="示例", status="pilot"), policy="0" * 12),
            "reason": "户主近十二个月医疗个人负担5,200元，超过预警线5,000元",
            "evidence": [],
            "coverage": [],
            "baseline": False,
            "on": date(2026, 5, 12),
            "known_at": datetime(2026, 5, 12, tzinfo=UTC),
        }
        | more
    )
