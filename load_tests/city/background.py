"""Ordinary life of the city: rows at the volumes of a real one, under 60 % of every line by construction."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from random import Random

from load_tests.city import rows
from load_tests.city.calendar import month_start
from load_tests.city.households import Household, Population
from load_tests.city.people import Person
from load_tests.city.rows import Row
from load_tests.city.schedule import Slot

BILLS_PER_WEEK = 0.86 * 7 / 30.4
REIMBURSED = 0.03
WINDOW_MONTHS = 13  # twelve months touch thirteen calendar months
LATE_RENT = 0.15
_LATE_MONTHS = (3, 7, 11)
STRANGERS_PERCENT = 5  # of households: people no roster names, whose bills are out of scope
_BENEFIT_FEN = {"DIBAO": 62_000, "TEKUN": 138_000, "DIBIAN": 15_000, "GANGXING": 12_000, "FANGPIN": 10_000}
_VISITS = ("OUTPATIENT", "OUTPATIENT", "PHARMACY", "CHRONIC_OUTPATIENT", "INPATIENT")


class Background:
    """Rows of quiet households, slot by slot; keeps per household only what twelve months of bills need."""

    def __init__(self, households: Sequence[Household], population: Population) -> None:
        self._seed = population.seed
        self._households = households
        self._lines = population.lines
        self._strangers = [population.stranger(n) for n in range(len(households) * STRANGERS_PERCENT // 100)]
        self.strangers_sent = 0
        self._paid: dict[int, list[int]] = {}
        self._feeds: dict[str, Callable[[Slot, Random], Iterator[Row]]] = {
            "medical.settlement": self._bills,
            "medical.reimbursement": self._refunds,
            "employment.contribution": self._contributions,
            "employment.status": self._statuses,
            "housing.security": self._rents,
            "civil.benefit": self._benefits,
        }
        self._refundable: list[tuple[str, str, int]] = []

    def rows(self, slot: Slot) -> Iterator[Row]:
        """The rows of one delivery, one at a time."""
        feed = self._feeds.get(slot.feed)
        if feed is not None:
            yield from feed(slot, Random(f"{self._seed}/{slot.batchid}"))

    def _bills(self, slot: Slot, rng: Random) -> Iterator[Row]:
        if slot.closes is not None:
            return
        days = (slot.covers_to - slot.covers_from).days
        chance = BILLS_PER_WEEK * days / 7
        serial = 0
        for household in self._households:
            for person in household.members:
                draw = rng.random()
                while draw < chance:
                    day = slot.covers_from + timedelta(days=rng.randrange(days))
                    serial += 1
                    number = f"S{slot.at:%Y%m%d}-{serial:06d}"
                    fen = self._spend(household, day.year * 12 + day.month, rng)
                    if fen and rng.random() < REIMBURSED:
                        self._refundable.append((person.identity, number, fen))
                    yield rows.bill(person.identity, number, day, fen, rng.choice(_VISITS))
                    draw = rng.random() * 4
        for identity in self._strangers:
            if rng.random() < chance:
                serial += 1
                self.strangers_sent += 1
                number = f"S{slot.at:%Y%m%d}-{serial:06d}"
                yield rows.bill(identity, number, slot.covers_from, rng.randrange(200_000))

    def _spend(self, household: Household, month: int, rng: Random) -> int:
        budget = self._lines.medical_budget_fen(household.scheme)
        paid = self._paid.setdefault(household.number, [0] * (WINDOW_MONTHS + 1))
        if paid[-1] < month:
            gone = min(month - paid[-1], WINDOW_MONTHS) if paid[-1] else WINDOW_MONTHS
            paid[:] = [*paid[gone:WINDOW_MONTHS], *([0] * gone), month]
        fen = min(rng.randrange(0, budget // 12 + 1), max(0, budget - sum(paid[:WINDOW_MONTHS])))
        paid[WINDOW_MONTHS - 1 - (paid[-1] - month)] += fen
        return fen

    def _refunds(self, slot: Slot, rng: Random) -> Iterator[Row]:
        if slot.closes is not None:
            return
        ready, self._refundable = self._refundable, []
        for serial, (identity, settle_no, fen) in enumerate(ready):
            day = slot.covers_from + timedelta(days=rng.randrange((slot.covers_to - slot.covers_from).days))
            yield rows.refund(identity, f"{slot.at:%Y%m%d}{serial:06d}", settle_no, day, fen // 2)

    def _contributions(self, slot: Slot, rng: Random) -> Iterator[Row]:
        for person in self._people():
            if person.employer is not None:
                yield rows.contribution(person.identity, slot.month, person.employer, person.base_fen)

    def _statuses(self, slot: Slot, rng: Random) -> Iterator[Row]:
        if slot.closes is not None:
            return
        for person in self._people():
            if rng.random() < 0.009 and 20 <= person.age_on(slot.covers_from) <= 55:
                kind = "PLACED" if person.employer is not None else "FLEXIBLE"
                start = slot.covers_from + timedelta(days=rng.randrange((slot.covers_to - slot.covers_from).days))
                yield rows.employment(person.identity, kind, start)

    def _rents(self, slot: Slot, rng: Random) -> Iterator[Row]:
        due = slot.month + timedelta(days=24)
        for household in self._households:
            if household.contract is None:
                continue
            head, late = household.members[0].identity, self._pays_late(household, slot.month)
            paid = 0 if late else household.rent_fen
            row = rows.rent(head, household.contract, slot.month, household.rent_fen, paid, due)
            before = month_start(slot.month, -1)
            if self._pays_late(household, before):
                earlier = rows.rent(
                    head, household.contract, before, household.rent_fen, 0, before + timedelta(days=24)
                )
                yield rows.corrected(earlier, paid=household.rent_fen)
            yield row

    def _pays_late(self, household: Household, month: date) -> bool:
        """Never two months in a row: only some months can be late, decided by household and month alone."""
        drawn = Random(f"{self._seed}/late/{household.number}/{month:%Y-%m}").random()
        return month.month in _LATE_MONTHS and drawn < LATE_RENT

    def _benefits(self, slot: Slot, rng: Random) -> Iterator[Row]:
        for person in self._people():
            if person.scheme is not None:
                yield rows.benefit(person.identity, person.scheme, slot.month, _BENEFIT_FEN[person.scheme])

    def _people(self) -> Iterator[Person]:
        for household in self._households:
            yield from household.members
