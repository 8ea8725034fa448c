"""The officer takes cases to their end step by step, by the case's id alone, and never accuses anybody."""

from datetime import UTC, datetime

import pytest

from load_tests.city.officer import Officer, Plan, plan_of
from schemas.case_words import EventType, FeedbackResult, Lane, Outcome, Reply, Role, VerifyResult
from schemas.cases import (
    AcceptedBody,
    AnyBody,
    CaseEvent,
    Cause,
    ContactOpenedBody,
    FeedbackBody,
    Referral,
    ReferredBody,
    VerifiedBody,
)

OFFICER = Officer()


def case_with(plan: Plan) -> str:
    return next(name for name in map(str, range(10_000)) if plan_of(name) is plan)


def event(case: str, kind: EventType, body: AnyBody, lane: Lane = Lane.HELP) -> CaseEvent:
    return CaseEvent(
        case_id=case, household="h_1", lane=lane, seq=3, previous_digest="", type=kind, body=body, actor="x",
        at=datetime(2025, 5, 1, tzinfo=UTC), role=Role.SYSTEM, reason_code="", cause=Cause(), payload_digest="",
    )  # fmt: skip


def verified(result: VerifyResult) -> VerifiedBody:
    return VerifiedBody(result=result)


def test_a_needed_case_goes_from_contact_to_closed() -> None:
    case = case_with(Plan.HELPS)
    referral = Referral(referral="R1", department="示例", item="示例")
    steps: list[tuple[EventType, AnyBody, list[str]]] = [
        (EventType.ACCEPTED, AcceptedBody(), ["contact"]),
        (EventType.CONTACT_OPENED, ContactOpenedBody(purpose="示例"), ["verify"]),
        (EventType.VERIFIED, verified(VerifyResult.NEED), ["refer"]),
        (EventType.REFERRED, ReferredBody(referrals=(referral,)), ["feedback"]),
        (EventType.FEEDBACK, FeedbackBody(referral="R1", result=FeedbackResult.PROVIDED), ["close"]),
    ]
    for kind, body, expected in steps:
        assert [each.type for each in OFFICER.answer(event(case, kind, body))] == expected


def test_a_verification_has_evidence_and_in_review_a_reply() -> None:
    case = case_with(Plan.HELPS)
    (command,) = OFFICER.answer(event(case, EventType.CONTACT_OPENED, ContactOpenedBody(purpose="示例"), Lane.REVIEW))
    assert command.model_dump()["evidence"]
    assert command.model_dump()["reply"] is Reply.HEARD


@pytest.mark.parametrize(
    ("result", "outcome"), [(VerifyResult.NEED, Outcome.TO_REVIEW), (VerifyResult.NO_NEED, Outcome.KEPT)]
)
def test_a_review_ends_with_a_question_or_with_everything_kept(result: VerifyResult, outcome: Outcome) -> None:
    (command,) = OFFICER.answer(event("1", EventType.VERIFIED, verified(result), Lane.REVIEW))
    assert command.model_dump()["outcome"] is outcome


def test_the_same_event_gets_the_same_command() -> None:
    asked = event(case_with(Plan.HELPS), EventType.ACCEPTED, AcceptedBody())
    assert OFFICER.answer(asked) == OFFICER.answer(asked)


def test_some_cases_wait() -> None:
    waiting = case_with(Plan.STILL_VISITING)
    assert OFFICER.answer(event(waiting, EventType.CONTACT_OPENED, ContactOpenedBody(purpose="示例"))) == []
    assert {plan_of(str(n)) for n in range(500)} == set(Plan)
