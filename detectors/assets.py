"""What a household came to have while registered, as the registers say it: cars, homes, businesses, savings in bands.

Everything is asked for a day, so that the same question today and on an earlier day agree. Days are ordinals.
"""

from functools import cached_property
from typing import NamedTuple

from detectors.calendar import day_text, months_later
from detectors.lacking import held, turns
from detectors.people import residents, staying
from households.ledger import Household
from households.standing import authorised, properties, vehicles
from policy.parameters import Rule
from schemas.facts import Fact
from schemas.facts_standing import AssetBand, Authorisation, Business, CheckReply, Property, Vehicle
from schemas.feeds.checks import Asset, Band
from schemas.feeds.market import Role
from schemas.feeds.police import ValueBand, VehicleSort
from schemas.labels import yuan

AT_LEAST = {"NONE": 0, "TO_10K": 0, "TO_50K": 1_000_000, "TO_100K": 5_000_000, "OVER_100K": 10_000_000}
"""What a bank's band is at least, fen."""
MEANS, FINANCE = "MEANS", "FINANCE"


class Found(NamedTuple):
    """One record that counts on a day, whether its person allows it to be looked at, its value and its words."""

    fact: Fact
    allowed: bool
    value: int
    words: str


class Belongings:
    """The registers of one household as a rule of the place reads them."""

    def __init__(self, household: Household, rule: Rule) -> None:
        self._household, self._rule = household, rule
        self._stands = rule.number("stands_months")
        self._schemes = frozenset(rule.words("schemes"))
        self._kept: dict[int, tuple[list[str], bool]] = {}

    def edges(self) -> set[int]:
        """Days on which any answer may differ from the day before."""
        found = turns(self._household)
        ask = self._household.of_kind
        for told in (ask(Vehicle), ask(Property), ask(AssetBand), ask(CheckReply), ask(Business)):
            found |= {day for fact in told for day in (fact.day, months_later(fact.day, self._stands))}
        for ending in (ask(Vehicle), ask(Property), ask(Business)):
            found |= {each.until for each in ending if each.until is not None}
        for leave in ask(Authorisation):
            found |= {day for day in (leave.day, leave.valid_to, leave.withdrawn) if day is not None}
        return found

    def people(self, day: int) -> int:
        """How many live here."""
        return len(self._on(day)[0])

    def vehicles(self, person: str, day: int) -> list[Found]:
        """Cars somebody came to have, of the sorts and values that count, not from another member."""
        rule = self._rule
        sorts, bands = rule.words("vehicle_sorts"), rule.words("vehicle_bands")
        return [
            self._found(person, each, MEANS, day, 1, _car(each))
            for each in vehicles(self._household, person, day)
            if each.sort in sorts and each.band in bands and not each.disabled_use
            and self._new(person, each, "VEHICLE", day) and not self._had(each)
        ]  # fmt: skip

    def homes(self, day: int) -> list[Found]:
        """Homes anybody came to have, at least the share that counts."""
        return [
            self._found(
                person, each, MEANS, day, each.share_percent, f"{day_text(each.day)}一套（份额{each.share_percent}%）"
            )
            for person in self._on(day)[0]
            for each in self._homes(person, day)
            if self._new(person, each, "PROPERTY", day) and not self._lived_in(each)
        ]

    def home_count(self, day: int, *, allowed: bool) -> int:
        """How many homes the household has; with `allowed` only those of people who let theirs be looked at."""
        owners = (each for each in self._on(day)[0] if not allowed or authorised(self._household, each, MEANS, day))
        return len({each.unit for person in owners for each in self._homes(person, day)})

    def businesses(self, person: str, day: int) -> list[Found]:
        """Roles somebody took in a business in operation: as its head, or with so much capital of one's own."""
        rule = self._rule
        roles, heads, least = rule.words("business_roles"), rule.words("roles_any_capital"), rule.number("capital_from")
        return [
            self._found(person, each, MEANS, day, _own(each), _role(each))
            for each in self._household.of_kind(Business, person)
            if each.role in roles and (each.role in heads or _own(each) >= least) and each.standing == "ACTIVE"
            and (each.until is None or day < each.until) and self._new(person, each, "BUSINESS", day)
        ]  # fmt: skip

    def savings(self, day: int) -> list[Found]:
        """What banks answered about everybody's newest check, as bands, while the answer is fresh."""
        return [
            self._found(
                person, each, FINANCE, day, AT_LEAST[each.band], f"{Asset[each.asset].label}{Band[each.band].label}"
            )
            for person in self._on(day)[0]
            for each in self._newest_check(person, day)
            if AT_LEAST[each.band] and self._new(person, each, "DEPOSIT", day)
        ]

    def _newest_check(self, person: str, day: int) -> list[AssetBand]:
        told = [each for each in self._household.of_kind(AssetBand, person) if each.day <= day]
        newest = max(((each.day, each.request_no) for each in told), default=(0, ""))[1]
        return [each for each in told if each.request_no == newest]

    def _new(self, person: str, fact: Fact, item: str, day: int) -> bool:
        """Whether it came by then, not too long ago, to a registered household, and no check has found it to agree."""
        if not fact.day <= day < months_later(fact.day, self._stands) or not self._on(fact.day)[1]:
            return False
        return self._on(day)[1] and not any(
            each.item == item and each.difference == "NONE" and fact.day <= each.day <= day
            for each in self._household.of_kind(CheckReply, person)
        )

    def _on(self, day: int) -> tuple[list[str], bool]:
        """Who lives here on a day, and whether any of them holds a scheme that counts."""
        known = self._kept.get(day)
        if known is None:
            members = staying(self._household, day)
            registered = bool(held(members, day) & self._schemes)
            known = self._kept[day] = [each.person for each in members], registered
        return known

    def _found(self, person: str, fact: Fact, scope: str, day: int, value: int, words: str) -> Found:
        return Found(fact, authorised(self._household, person, scope, day), value, words)

    def _had(self, car: Vehicle) -> bool:
        """Whether the household had this vehicle the day before."""
        before = (each for who in self._everybody for each in vehicles(self._household, who, car.day - 1))
        return any(each.vehicle == car.vehicle for each in before)

    def _lived_in(self, home: Property) -> bool:
        before = (each for who in self._everybody for each in properties(self._household, who, home.day - 1))
        return any(each.unit == home.unit for each in before)

    def _homes(self, person: str, day: int) -> list[Property]:
        rule = self._rule
        uses, rights, share = rule.words("home_uses"), rule.words("home_rights"), rule.number("share_from")
        return [
            each
            for each in properties(self._household, person, day)
            if each.use in uses and each.right in rights and each.share_percent >= share
        ]

    @cached_property
    def _everybody(self) -> list[str]:
        return residents(self._household)


def _car(car: Vehicle) -> str:
    return f"{day_text(car.day)}{VehicleSort[car.sort].label}，价值{ValueBand[car.band].label}"


def _role(role: Business) -> str:
    return f"{day_text(role.day)}任{Role[role.role].label}，出资{yuan(_own(role))}"


def _own(role: Business) -> int:
    """The part of the capital that is one's own."""
    return role.capital_fen if role.share_percent is None else role.capital_fen * role.share_percent // 100
