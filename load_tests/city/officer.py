"""A case officer of the invented city: given what happened to a case, the next commands. Pure and stateless.

What an officer does with a case is decided by the case's id alone, so every run handles every case the same way.
Eligibility reviews end with a question handed on or with everything kept; nothing here stops a payment.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID, uuid5

from schemas.case_commands import (
    Accept,
    CaseCommand,
    CaseEvidence,
    Close,
    Contact,
    Feedback,
    Refer,
    ReferralRequest,
    Verify,
)
from schemas.case_words import EventType, EvidenceKind, FeedbackResult, Lane, Outcome, Reply, Role, VerifyResult
from schemas.cases import CaseEvent, JoinedBody, OpenedBody, ReferredBody, VerifiedBody

NAMESPACE = UUID("0b9c3a52-7c64-5f0e-8a51-2f4f6c1d9e07")
_DEPARTMENTS = (
    ("市医疗保障局", "医疗救助"),
    ("市人力资源和社会保障局", "就业援助"),
    ("市住房保障中心", "租金减免"),
    ("示例慈善总会", "慈善帮扶"),
)
_Command = TypeVar("_Command", Accept, Verify, Refer, Feedback, Close, Contact)


class Plan(StrEnum):
    """How far the officer takes a case before the simulation ends."""

    HELPS = "helps"
    FINDS_NO_NEED = "finds_no_need"
    WAITS_FOR_DEPARTMENT = "waits_for_department"
    STILL_VISITING = "still_visiting"
    NOT_YET_SEEN = "not_yet_seen"


_SHARES = {
    Plan.HELPS: 11,
    Plan.FINDS_NO_NEED: 4,
    Plan.WAITS_FOR_DEPARTMENT: 2,
    Plan.STILL_VISITING: 2,
    Plan.NOT_YET_SEEN: 1,
}
_PLANS = tuple(plan for plan, share in _SHARES.items() for _ in range(share))


def plan_of(case_id: str) -> Plan:
    """The plan for a case: three quarters of the cases are taken to their end."""
    return _PLANS[_draw(case_id) % len(_PLANS)]


def _draw(case_id: str) -> int:
    return int.from_bytes(hashlib.sha256(case_id.encode()).digest()[:4], "big")


@dataclass(frozen=True, slots=True)
class Officer:
    """Answers case events with commands; a refused command is not tried again."""

    actor: str = "示例经办人01"

    def answer(self, event: CaseEvent) -> list[CaseCommand]:
        """The commands that follow an event, in order; none where the officer waits."""
        steps: dict[EventType, Callable[[CaseEvent], list[CaseCommand]]] = {
            EventType.OPENED: self._accept_new,
            EventType.RELEASED: self._accept,
            EventType.JOINED: self._accept_released,
            EventType.ACCEPTED: self._contact,
            EventType.CONTACT_OPENED: self._verify,
            EventType.VERIFIED: self._refer_or_close,
            EventType.REFERRED: self._feedback,
            EventType.FEEDBACK: self._close_after_help,
        }
        step = steps.get(event.type)
        return step(event) if step is not None else []

    def _accept_new(self, event: CaseEvent) -> list[CaseCommand]:
        new = isinstance(event.body, OpenedBody) and not event.body.held
        return self._accept(event) if new else []

    def _accept_released(self, event: CaseEvent) -> list[CaseCommand]:
        again = isinstance(event.body, JoinedBody) and (event.body.released or event.body.reopened)
        return self._accept(event) if again else []

    def _accept(self, event: CaseEvent) -> list[CaseCommand]:
        return [] if plan_of(event.case_id) is Plan.NOT_YET_SEEN else [self._command(Accept, event, "accept")]

    def _contact(self, event: CaseEvent) -> list[CaseCommand]:
        return [self._command(Contact, event, "contact", purpose="入户走访前联系家庭")]

    def _verify(self, event: CaseEvent) -> list[CaseCommand]:
        plan = plan_of(event.case_id)
        if plan is Plan.STILL_VISITING:
            return []
        result = VerifyResult.NO_NEED if plan is Plan.FINDS_NO_NEED else VerifyResult.NEED
        visit = CaseEvidence(kind=EvidenceKind.VISIT, on=event.at.date(), note="两人入户走访，情况已记录")
        return [self._command(Verify, event, "verify", result=result, evidence=[visit], reply=_reply(event))]

    def _refer_or_close(self, event: CaseEvent) -> list[CaseCommand]:
        needed = isinstance(event.body, VerifiedBody) and event.body.result is VerifyResult.NEED
        if event.lane is Lane.REVIEW:
            outcome = Outcome.TO_REVIEW if needed else Outcome.KEPT
            return [self._command(Close, event, "close", outcome=outcome, reply=_reply(event))]
        if not needed:
            return [self._command(Close, event, "close", outcome=Outcome.NO_NEED)]
        department, item = _DEPARTMENTS[_draw(event.case_id) // 100 % len(_DEPARTMENTS)]
        request = ReferralRequest(department=department, item=item)
        return [self._command(Refer, event, "refer", referrals=[request])]

    def _feedback(self, event: CaseEvent) -> list[CaseCommand]:
        if plan_of(event.case_id) is Plan.WAITS_FOR_DEPARTMENT or not isinstance(event.body, ReferredBody):
            return []
        return [
            self._command(
                Feedback,
                event,
                f"feedback/{referral.referral}",
                role=Role.DEPARTMENT,
                referral=referral.referral,
                result=FeedbackResult.PROVIDED,
                amount_fen=80_000,
            )
            for referral in event.body.referrals
        ]

    def _close_after_help(self, event: CaseEvent) -> list[CaseCommand]:
        return [self._command(Close, event, "close", outcome=Outcome.REFERRED_AID)]

    def _command(self, kind: type[_Command], event: CaseEvent, step: str, **rest: object) -> _Command:
        head = {
            "command_id": str(uuid5(NAMESPACE, f"{event.case_id}|{event.seq}|{step}")),
            "case_id": event.case_id,
            "household": event.household,
            "actor": self.actor,
        }
        return kind.model_validate(head | rest)


def _reply(event: CaseEvent) -> Reply | None:
    return Reply.HEARD if event.lane is Lane.REVIEW else None
