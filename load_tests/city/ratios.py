"""How many alerts and cases a city's people and households have a year, next to what places publish."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from load_tests.city.planner import City
from schemas.alerts import Alert
from schemas.case_words import EventType
from schemas.cases import CaseEvent

RAW_PUBLISHED = 0.39
"""Alerts a person and year: Shandong, 750,000 of 1.92 million people; before anything is merged."""
MERGED_PUBLISHED = 0.1375
"""Share of households alerted in a year: Hangzhou 2023, 22,000 of 160,000."""
_YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class Ratios:
    """Counted from the day the rules went live; what was in force on that day is `baseline` and in no ratio."""

    people: int
    households: int
    years: float
    raw: int
    baseline: int
    alerted: int
    cases: int

    @property
    def raw_per_person_year(self) -> float:
        """Alerts a person and year."""
        return self.raw / (self.people * self.years)

    @property
    def merged_per_household_year(self) -> float:
        """Households alerted in a year, of all: each counts once a year, however many alerts it had."""
        return self.alerted / (self.households * self.years)

    @property
    def cases_per_household_year(self) -> float:
        """Cases opened a household and year."""
        return self.cases / (self.households * self.years)


def ratios_of(city: City, alerts: Iterable[Alert], events: Iterable[CaseEvent]) -> Ratios:
    """Of a run that has ended. An alert that moved with a person is one; years begin with going live."""
    first: dict[str, Alert] = {}
    for alert in alerts:
        if alert.alert_id not in first or alert.revision < first[alert.alert_id].revision:
            first[alert.alert_id] = alert
    fresh = [alert for alert in first.values() if not alert.baseline]
    return Ratios(
        people=sum(len(household.members) for household in city.households()),
        households=city.config.households,
        years=(city.span.last_tick - city.golive).days / _YEAR_DAYS,
        raw=len(fresh),
        baseline=len(first) - len(fresh),
        alerted=len({(alert.household, _year(alert.on, city.golive)) for alert in fresh}),
        cases=sum(event.type is EventType.OPENED for event in events),
    )


def _year(day: date, golive: date) -> int:
    return int((day - golive).days // _YEAR_DAYS)
