"""A year turns over a whole city: what counted by the calendar year has passed, and nothing is said never to have been.

`make acceptance` does the same with 20,000 households.
"""

from collections import Counter
from datetime import date
from pathlib import Path

from gateway.identities import Linkage
from gateway.vault import Vault
from load_tests.city.driver import Driver
from load_tests.city.planner import City, Config
from load_tests.city.pocket import Pocket
from policy.bundle import Bundle
from schemas.sealing import new_key_pair
from tests.streams.making import POLICY

NEW_YEAR = date(2026, 1, 1).toordinal()
BOTH_WINDOWS = Bundle.load(POLICY).narrowed(
    "339901000000", "medical_selfpay", {"subjects": ["person", "household"], "windows": ["medical_year", "rolling_12m"]}
)


def ended_on(folder: Path, households: int, day: int, partitions: int = 2) -> tuple[int, Counter[str]]:
    """How many households there are, and how the episodes that ended on a day did; every rule runs."""
    city = City(Config(households, months=12, seed=5, every_rule=True), folder)
    service = Pocket(new_key_pair()[1], partitions, trial=("*",))
    with Vault(folder / "vault.sqlite", b"v" * 32) as vault:
        Driver(city, service, Linkage(b"k" * 32, synthetic=True), vault, BOTH_WINDOWS).run()
    counted: Counter[str] = Counter()
    people = 0
    for watch in service.watches:
        assert watch.known.on is not None
        assert watch.known.on > day, "the year has not turned"
        for name in watch.names():
            people += name.startswith("h_")
            episodes = watch.household(name).head.episodes
            counted.update(each.ended for each in episodes if each.ended is not None and each.ended_on == day)
    return people, counted


def test_the_first_of_january_withdraws_nothing(tmp_path: Path) -> None:
    _, ended = ended_on(tmp_path, 170, NEW_YEAR)
    assert ended["withdrawn"] == 0
    assert ended["lapsed"] > 0, "nothing counted by the year"
