"""What somebody came to have ends where the register says so, also where it says so by leaving it out."""

from datetime import date

import msgspec

from detectors.registry import load_detectors
from tests.detectors.review_facts import car, leave
from tests.detectors.test_laws import PEOPLE, evaluate, ledger

Rolls = tuple[list[tuple[int, int | None, int | None]], int]
LONG_AGO = date(2024, 1, 10).toordinal()
NEW = (0, False)


def test_a_car_no_longer_in_the_register_ends_the_stretch_and_another_begins_a_new_one() -> None:
    """The first car was left out of the whole register in August; that of October is another matter."""
    first = car(PEOPLE[0], 1, date(2025, 4, 1).toordinal(), "NEW", "CAR", "OVER_150K", NEW)
    gone = msgspec.structs.replace(first, until=date(2025, 8, 1).toordinal())
    again = car(PEOPLE[0], 2, date(2025, 10, 5).toordinal(), "NEW", "CAR", "OVER_150K", NEW)
    allowed = leave(PEOPLE[0], "MEANS", LONG_AGO, None, NEW)
    born = date(1970, 7, 1).toordinal()
    rolls: Rolls = ([(born, LONG_AGO, None)] * 3, 100_000)
    household = ledger(rolls, [(PEOPLE[0], each) for each in (allowed, gone, again)])
    rule = load_detectors()["ASSET-CHANGE"]
    (breach,) = evaluate(rule, household, date(2025, 11, 1)).breaches
    assert breach.since == date(2025, 10, 5)
    assert evaluate(rule, household, date(2025, 9, 1)).breaches == []
