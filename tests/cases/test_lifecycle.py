"""The table of states and actions is total, and every way a case may go is one a person can follow."""

from datetime import date

import pytest

from cases.deadlines import default_deadlines
from cases.digests import broken_link
from cases.lifecycle import TABLE, Move
from cases.view import CaseView, refusal_of
from schemas.case_commands import Accept, CaseCommand, Close, Contact, Contest, Feedback, Refer, Snooze, Verify
from schemas.case_words import Action, FeedbackResult, Outcome, Refusal, Reply, SnoozeReason, State, VerifyResult
from schemas.cases import CaseEvent, VerifiedBody, decode_event, encode_event
from schemas.errors import Stop
from streams.casework import Casework
from tests.cases.builders import HOUSEHOLD, SEEN, alert, ms

NOON = ms("2026-05-14 12:00")
DAY = 86_400_000


class Desk:
    """One case and an officer who gives commands to it, an hour apart."""

    def __init__(self, **about: object) -> None:
        self.work = Casework(0, 4, default_deadlines())
        self.now = NOON
        [self.opened] = self.work.on_alert(alert(**about), self.now)  # type: ignore[arg-type]
        self.events = [self.opened]
        self.case = self.work.view.cases[self.opened.case_id]

    def stands(self, state: State) -> bool:
        return self.case.state is state

    def do(self, kind: type[CaseCommand], **fields: object) -> CaseEvent:
        self.now += 3_600_000
        who = {"command_id": f"c{len(self.events)}", "case_id": self.case.case_id, "household": HOUSEHOLD}
        [event] = self.work.on_command(kind.model_validate({**who, "actor": "王", **fields}), self.now)
        self.events.append(event)
        return event

    def refuses(self, kind: type[CaseCommand], **fields: object) -> Refusal | None:
        before = self.case.state
        refusal = refusal_of(self.do(kind, **fields))
        assert self.case.state is before
        return refusal

    def visited(self, result: VerifyResult = VerifyResult.NEED) -> None:
        self.do(Accept)
        self.do(Verify, result=result, evidence=[SEEN])


ITEM = {"department": "医保局", "item": "医疗救助"}


def test_the_table_answers_every_action_in_every_state() -> None:
    assert set(TABLE) == set(State)
    assert all(set(row) == set(Action) for row in TABLE.values())


def test_from_alert_to_closed() -> None:
    desk = Desk()
    assert desk.stands(State.OPEN)
    desk.visited()
    assert desk.stands(State.VERIFIED)
    desk.do(Refer, referrals=[ITEM, {"department": "民政", "item": "临时救助"}])
    assert desk.stands(State.REFERRED)
    desk.do(Feedback, referral="R1", result=FeedbackResult.PROVIDED, amount_fen=120000)
    assert desk.refuses(Close, outcome=Outcome.TEMP_AID) is Refusal.FEEDBACK_MISSING
    desk.do(Feedback, referral="R2", result=FeedbackResult.DECLINED, note="已有同类救助")
    assert desk.stands(State.FED_BACK)
    desk.do(Close, outcome=Outcome.REFERRED_AID)
    assert desk.stands(State.CLOSED)
    assert desk.case.clocks == ()
    assert broken_link(desk.events) is None


def test_every_event_survives_the_wire_and_the_chain_tells_a_change() -> None:
    desk = Desk()
    desk.visited()
    again = [decode_event(encode_event(event)) for event in desk.events]
    assert again == desk.events
    forged = again[2].model_copy(update={"body": VerifiedBody(result=VerifyResult.NO_NEED)})
    assert broken_link([*again[:2], forged]) == 3
    with pytest.raises(Stop):
        view = CaseView()
        for event in [*again[:2], forged]:
            view.apply(event)


def test_each_step_waits_for_the_one_before() -> None:
    desk = Desk()
    verify = {"result": VerifyResult.NEED, "evidence": [SEEN]}
    assert desk.refuses(Verify, **verify) is Refusal.NOT_ACCEPTED
    desk.do(Accept)
    assert desk.refuses(Accept) is Refusal.ALREADY_ACCEPTED
    assert desk.refuses(Refer, referrals=[ITEM]) is Refusal.NOT_VERIFIED
    assert desk.refuses(Close, outcome=Outcome.TEMP_AID) is Refusal.NOT_VERIFIED
    assert desk.refuses(Verify, result=VerifyResult.NEED) is Refusal.EVIDENCE_MISSING
    desk.do(Verify, **verify)
    assert desk.refuses(Feedback, referral="R1", result=FeedbackResult.PROVIDED) is Refusal.NO_REFERRAL


def test_only_a_found_need_is_referred_and_an_outcome_must_follow_from_what_was_found() -> None:
    desk = Desk()
    desk.visited(VerifyResult.NO_NEED)
    assert desk.refuses(Refer, referrals=[ITEM]) is Refusal.NEED_NOT_FOUND
    assert desk.refuses(Close, outcome=Outcome.DIBAO) is Refusal.OUTCOME_CONFLICT
    assert desk.refuses(Close, outcome=Outcome.TO_REVIEW) is Refusal.OUTCOME_CONFLICT
    assert desk.do(Close, outcome=Outcome.NO_NEED).reason_code == "no_need"


def test_one_request_per_item_and_one_last_word_per_request() -> None:
    desk = Desk()
    desk.visited()
    assert desk.refuses(Refer, referrals=[ITEM, ITEM]) is Refusal.ALREADY_REFERRED
    desk.do(Refer, referrals=[ITEM])
    assert desk.refuses(Refer, referrals=[ITEM]) is Refusal.ALREADY_REFERRED
    desk.do(Feedback, referral="R1", result=FeedbackResult.ACCEPTED)
    assert desk.stands(State.REFERRED)
    assert desk.refuses(Feedback, referral="R1", result=FeedbackResult.DECLINED) is Refusal.REASON_MISSING
    desk.do(Feedback, referral="R1", result=FeedbackResult.DECLINED, note="不符合条件")
    assert desk.refuses(Feedback, referral="R1", result=FeedbackResult.PROVIDED) is Refusal.ALREADY_ANSWERED
    desk.do(Refer, referrals=[ITEM])
    assert list(desk.case.referrals) == ["R1", "R2"]


def test_a_review_closes_only_after_the_household_could_speak() -> None:
    desk = Desk(family="review")
    desk.visited(VerifyResult.NO_NEED)
    assert desk.refuses(Close, outcome=Outcome.TO_REVIEW) is Refusal.REPLY_MISSING
    desk.do(Close, outcome=Outcome.TO_REVIEW, reply=Reply.HEARD)
    assert desk.stands(State.CLOSED)


def test_a_contest_asks_for_a_new_visit_and_reopens_within_the_period() -> None:
    desk = Desk()
    desk.visited(VerifyResult.NO_NEED)
    desk.do(Contest, statement="情况与走访时不同")
    assert desk.stands(State.ACCEPTED)
    assert desk.refuses(Close, outcome=Outcome.NO_NEED) is Refusal.NOT_VERIFIED
    desk.do(Verify, result=VerifyResult.NO_NEED, evidence=[SEEN])
    desk.do(Close, outcome=Outcome.NO_NEED)
    desk.do(Contest, statement="请再看一次")
    assert desk.stands(State.ACCEPTED)
    desk.do(Verify, result=VerifyResult.NO_NEED, evidence=[SEEN])
    desk.do(Close, outcome=Outcome.NO_NEED)
    desk.now += 40 * DAY
    assert desk.refuses(Contest, statement="晚了") is Refusal.TOO_LATE
    assert desk.refuses(Contact, purpose="回访") is Refusal.CLOSED


def test_a_contested_case_keeps_its_referrals() -> None:
    desk = Desk()
    desk.visited()
    desk.do(Refer, referrals=[ITEM])
    assert desk.refuses(Verify, result=VerifyResult.NEED, evidence=[SEEN]) is Refusal.REFERRAL_RUNNING
    desk.do(Contest, statement="人数不对")
    desk.do(Verify, result=VerifyResult.NO_NEED, evidence=[SEEN])
    assert desk.stands(State.REFERRED)
    assert desk.refuses(Close, outcome=Outcome.NO_NEED) is Refusal.FEEDBACK_MISSING


def test_a_closed_case_is_not_reopened_beside_an_open_one() -> None:
    desk = Desk()
    desk.visited(VerifyResult.NO_NEED)
    desk.do(Close, outcome=Outcome.NO_NEED)
    desk.work.on_alert(alert("b", cause="q", baseline=True, per_day=1), desk.now)
    assert desk.refuses(Contest, statement="不同意") is Refusal.OTHER_CASE_OPEN


def test_a_pause_is_for_later_days_only_and_moves_the_deadline() -> None:
    desk = Desk()
    desk.do(Accept)
    for until in (date(2026, 5, 14), date(2027, 5, 14)):
        assert desk.refuses(Snooze, until=until, reason=SnoozeReason.IN_HOSPITAL) is Refusal.BAD_DATE
    before = desk.case.clocks
    desk.do(Snooze, until=date(2026, 6, 1), reason=SnoozeReason.IN_HOSPITAL)
    assert all(old.due < new.due for old, new in zip(before, desk.case.clocks, strict=True))


def test_a_command_for_somebody_elses_case_is_refused_and_kept_out_of_it() -> None:
    desk = Desk()
    wrong = {"command_id": "x", "case_id": desk.case.case_id, "household": "h_other", "actor": "王"}
    [event] = desk.work.on_command(Accept.model_validate(wrong), desk.now)
    assert refusal_of(event) is Refusal.UNKNOWN_CASE
    assert desk.stands(State.OPEN)


def test_allowed_moves_lead_where_the_table_says() -> None:
    assert all(cell.to for row in TABLE.values() for cell in row.values() if isinstance(cell, Move))
