"""Case work of a partition as stages begin it from the archive."""

from datetime import timedelta
from itertools import count

from cases.deadlines import default_deadlines
from schemas.case_commands import Accept, CaseCommand, Close, Verify
from schemas.case_words import Lane, Outcome, VerifyResult
from schemas.cases import CaseEvent
from streams.case_partition import CasePartition
from streams.casework import Casework
from tests.cases.builders import HOUSEHOLD, SEEN, alert, ms
from tests.streams.case_topics import known
from tests.streams.making import PUBLIC_KEY

NOON = ms("2026-05-14 12:00")
DAY_MS = round(timedelta(days=1).total_seconds() * 1000)


def _closed(work: Casework, name: str, at_ms: int) -> list[CaseEvent]:
    """A case from its alert to its end."""
    events = work.on_alert(alert(name), at_ms)
    who = {"case_id": events[0].case_id, "household": HOUSEHOLD, "actor": "王"}
    found = {"result": VerifyResult.NO_NEED, "evidence": [SEEN]}
    steps: list[CaseCommand] = [
        Accept.model_validate({**who, "command_id": f"{name}.1"}),
        Verify.model_validate({**who, "command_id": f"{name}.2", **found}),
        Close.model_validate({**who, "command_id": f"{name}.3", "outcome": Outcome.NO_NEED}),
    ]
    for command in steps:
        events += work.on_command(command, at_ms)
    return events


def test_archived_cases_come_back_in_the_order_of_opening() -> None:
    """The archive gives them in the order of their ids."""
    work, events, opened = Casework(0, 1, default_deadlines()), list[CaseEvent](), list[str]()
    for n in count():
        events += _closed(work, f"a{n}", NOON + n * 100 * DAY_MS)
        opened.append(events[-1].case_id)
        if opened != sorted(opened) and len(opened) > 3:
            break
    archived = sorted(events, key=lambda event: (event.case_id, event.seq))
    part = CasePartition(0, 1, PUBLIC_KEY, archived)
    assert [case.case_id for case in part.work.view.of_lane(HOUSEHOLD, Lane.HELP)] == opened[::-1]
    assert known(part.work) == known(work)
