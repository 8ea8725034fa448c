"""The checklist of a disaster: who still has to be seen comes first, and only a visit since then counts."""

from cases.deadlines import default_deadlines
from lidm.incident_batch import Batch, batches
from schemas.alerts import Areas
from schemas.case_commands import Accept, CaseCommand, Close, Verify
from schemas.case_words import Outcome, Role, VerifyResult
from schemas.cases import CaseEvent
from streams.casework import Casework
from tests.cases.builders import SEEN, alert, ms

NOON, HOUR = ms("2026-07-13 12:00"), 3_600_000
CODE, NUMBER = "DISASTER-ACCIDENT", "TF202607"
TOWN, OTHER = "339901001000", "339901002000"


class Town:
    """A partition of cases and everything that was said in it."""

    def __init__(self) -> None:
        self.work = Casework(0, 1, default_deadlines())
        self.said: list[CaseEvent] = []
        self.at = NOON

    def hears(self, name: str, *, state: str = "raised", revision: int = 1, **more: object) -> None:
        fields = {"detector": CODE, "cause": NUMBER, "severity": 4} | more
        home = str(fields.pop("home", TOWN))
        areas = Areas(hukou=home, residence=home, responsible=OTHER, incident=home)
        told = alert(f"{name}/{fields['cause']}", revision, state, household=f"h_{name}", areas=areas, **fields)  # type: ignore[arg-type]
        self.at += 1000
        self.said += self.work.on_alert(told, self.at)

    def does(self, name: str, kind: type[CaseCommand], **more: object) -> None:
        [case] = [each for each in self.work.view.cases.values() if each.household == f"h_{name}"]
        self.at += 1000
        who = {"command_id": f"{self.at}", "case_id": case.case_id, "household": case.household, "actor": "officer-1"}
        self.said += self.work.on_command(kind.model_validate({**who, "role": Role.OFFICER, **more}), self.at)

    def sees(self, name: str, result: VerifyResult = VerifyResult.NO_NEED) -> None:
        self.does(name, Verify, result=result, evidence=[SEEN])

    def batch(self, area: str = "") -> Batch:
        here = (lambda areas: areas.residence == area) if area else None
        found = batches(self.work.view.cases.values(), self.said, here)
        return next(each for each in found if each.number == NUMBER)


def names(batch: Batch) -> list[str]:
    return [each.case.household[2:] for each in batch.lines]


def test_totals_follow_the_work() -> None:
    town = Town()
    for name in "abcde":
        town.hears(name)
    assert town.batch().said() == "共5户，已入户0户，需帮扶0户，未入户5户，超期0户"
    for name in "abc":
        town.does(name, Accept)
    town.sees("a", VerifyResult.NEED)
    town.sees("b")
    town.sees("c", VerifyResult.UNREACHABLE)
    town.hears("e", state="withdrawn", revision=2)
    batch = town.batch()
    assert batch.said() == "共5户，已入户2户，需帮扶1户，未入户2户，已解除1户，超期0户"
    assert set(names(batch)[:2]) == {"c", "d"}
    assert names(batch)[-1] == "e"
    assert "多次联系未果" in batch.page()
    assert [each.as_json()["officer"] for each in batch.lines if each.case.household == "h_a"] == ["officer-1"]
    town.does("b", Close, outcome=Outcome.NO_NEED)
    assert town.batch().said() == batch.said(), "who was seen and is done stays on the list"


def test_not_visited_first_then_the_gravest_then_the_nearest_deadline() -> None:
    town = Town()
    town.hears("late")
    town.at -= 10 * HOUR
    town.hears("early")
    town.at += 10 * HOUR
    town.hears("mild", severity=2)
    town.hears("seen")
    town.does("seen", Accept)
    town.sees("seen")
    assert names(town.batch()) == ["early", "late", "mild", "seen"]


def test_a_visit_about_something_else_before_the_disaster_is_none() -> None:
    town = Town()
    town.hears("a", detector="MED-SELFPAY", cause="p/rolling_12m", severity=2)
    town.does("a", Accept)
    town.sees("a", VerifyResult.NEED)
    town.hears("a")
    assert len(town.work.view.cases) == 1, "one case of one household"
    assert (town.batch().totals()["visited"], town.batch().totals()["waiting"]) == (0, 1)
    town.sees("a", VerifyResult.NEED)
    assert (town.batch().totals()["visited"], town.batch().totals()["need"]) == (1, 1)
    town.hears("a", state="updated", revision=2)
    assert town.batch().totals()["visited"] == 1, "what was confirmed afterwards asks for no second visit"


def test_only_this_incident_and_only_this_town() -> None:
    town = Town()
    town.hears("a")
    town.hears("b", home=OTHER)
    town.hears("c", cause="HZ1")
    town.hears("d", detector="MED-SELFPAY")
    assert names(town.batch()) == ["a", "b"]
    assert names(town.batch(TOWN)) == ["a"]
    assert town.batch(OTHER).lines[0].area == OTHER
    assert [each.number for each in batches(town.work.view.cases.values(), town.said)] == [NUMBER, "HZ1"]


def test_a_deadline_that_has_passed_is_counted() -> None:
    town = Town()
    town.hears("a")
    town.hears("b")
    town.does("b", Accept)
    for hours in range(1, 30):
        town.said += town.work.on_tick(town.at + hours * HOUR)
    assert town.batch().totals()["overdue"] == 2
    assert "超期" in town.batch().page()


def test_a_closed_case_and_one_opened_later_are_one_line() -> None:
    town = Town()
    town.hears("a")
    town.does("a", Accept)
    town.sees("a")
    town.does("a", Close, outcome=Outcome.NO_NEED)
    town.hears("a", state="lapsed", revision=2)
    town.at += 60 * 24 * HOUR
    town.hears("a", revision=3)
    batch = town.batch()
    assert len(batch.lines) == 1
    assert batch.totals()["waiting"] == 1
