"""20,000 households and 24 months with every rule: all that was planted is found as planned and nothing else stands.

Beside it the alerts a person and a household have a year, next to what places publish, the day a typhoon strikes many,
and what the rules on trial cost.
"""

from collections import Counter
from pathlib import Path

import pytest

from gateway.identities import Linkage
from gateway.vault import Vault
from load_tests.city.driver import Driver
from load_tests.city.planner import City, Config
from load_tests.city.pocket import Pocket
from load_tests.city.price import city_log, price_of
from load_tests.city.ratios import MERGED_PUBLISHED, RAW_PUBLISHED, ratios_of
from load_tests.city.scenarios.calls import TYPHOON
from load_tests.city.scenarios.catalogue import EVERY, PLANTED
from policy.bundle import Bundle
from schemas.cases import CaseEvent, OpenedBody
from schemas.sealing import new_key_pair
from tests.acceptance.figures import noted
from tests.streams.making import POLICY

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(4 * 3600)]
CITY = Config(households=20_000, months=24, seed=5, every_rule=True)
PRICED = Config(households=2_000, months=14, seed=5)


def test_every_rule_in_a_city(tmp_path: Path) -> None:
    city = City(CITY, tmp_path)
    pocket = Pocket(new_key_pair()[1], partitions=8, trial=("*",))
    with Vault(tmp_path / "vault.sqlite", b"v" * 32) as vault:
        driver = Driver(city, pocket, Linkage(b"k" * 32, synthetic=True), vault, Bundle.load(POLICY))
        report = driver.run()
    alerts, events = pocket.alerts(), pocket.every_case_event
    ratios = ratios_of(city, alerts, events)
    struck = [alert for alert in alerts if alert.cause == TYPHOON and alert.state == "raised"]
    wanted = sum(each.cause == TYPHOON for each in city.truth.expected)
    noted(5, "city", {
        "households": CITY.households,
        "people": ratios.people,
        "months": CITY.months,
        "rows": driver.progress.rows,
        "planted": report.planted,
        "found": report.found,
        "false_alarms": len(report.false_alarms),
        "wrong_end": len(report.wrong_end),
        "planted_by_rule": dict(sorted(Counter(each.detector for each in city.truth.expected).items())),
        "raw_per_person_year": round(ratios.raw_per_person_year, 3),
        "raw_published": RAW_PUBLISHED,
        "merged_per_household_year": round(ratios.merged_per_household_year, 4),
        "merged_published": MERGED_PUBLISHED,
        "cases_per_household_year": round(ratios.cases_per_household_year, 4),
        "struck": wanted,
        "struck_held": held(events, {alert.household for alert in struck}),
        "met": report.clean,
    })  # fmt: skip
    assert report.missed == ()
    assert report.false_alarms == ()
    assert report.wrong_end == ()
    assert {each.detector for each in city.truth.expected} == set(EVERY)
    assert len(struck) == wanted > 100
    assert len({alert.on for alert in struck}) == 1
    assert held(events, {alert.household for alert in struck}) == 0


def held(events: list[CaseEvent], households: set[str]) -> int:
    """Cases of these households that were opened to wait."""
    opened = (event.body for event in events if event.household in households)
    return sum(isinstance(body, OpenedBody) and body.held for body in opened)


def test_what_every_rule_costs(tmp_path: Path) -> None:
    blocks = city_log(tmp_path, PRICED, partitions=4)
    price = price_of(blocks, PRICED.households, rounds=3)
    noted(5, "price", {
        "households": PRICED.households,
        "facts": price.facts,
        "in_service_us": round(price.in_service_us, 1),
        "every_rule_us": round(price.every_rule_us, 1),
        "ratio": round(price.ratio, 2),
        "us_by_rule": {code: round(price.us(code), 2) for code in sorted(price.rules, key=price.us, reverse=True)},
    })  # fmt: skip
    assert set(price.rules) == set(EVERY)
    assert all(price.rules[code].evaluated for code in EVERY), "a rule nobody asked has no price"
    assert set(PLANTED) < set(price.rules)
