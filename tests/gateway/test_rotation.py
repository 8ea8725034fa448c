"""Somebody known by facts alone, through intake's registry and the ledgers, when keys and numbers change."""

from pathlib import Path
from typing import Any

import pytest

from gateway import rekey
from gateway.identities import Linkage
from gateway.roster_export import read_export
from gateway.scope import Watched
from gateway.vault import Vault
from schemas.provisional import provisional_of
from tests.gateway.people import number
from tests.gateway.test_rekey import HEAD, NEW_KEY, OLD_KEY, SPOUSE, begun, family
from tests.gateway.test_roster import member

NEWEST_KEY = b"m" * 32
STRANGER = number(60)


def test_a_provisional_household_keeps_its_person_through_two_keys(tmp_path: Path) -> None:
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault, Watched(tmp_path / "w.sqlite") as watched:
        city = begun(tmp_path / "c", vault)
        city.watched = watched
        city.total(STRANGER, 1_000_000)
        first = Linkage(OLD_KEY, synthetic=True).person(STRANGER)
        city.bills((STRANGER, "A1"))
        city.rotate(*family())
        city.bills((STRANGER, "A2"))
        trusted = Linkage(NEW_KEY, synthetic=True)
        assert trusted.person(STRANGER) != first
        city.bills((STRANGER, "A3"), linkage=trusted)  # a department with the new key, and no vault
        city.rotate(*family(), key=NEWEST_KEY)
        city.total(STRANGER, 1_100_000)
        city.bills((STRANGER, "A4"))
        household = city.watch.household(provisional_of(first))
        assert sorted(each.key for each in household.bills(first, 1, 4_000_000)) == ["A1", "A2", "A3", "A4"]
        assert not [name for name in city.watch.names() if name.startswith("v_") and name != provisional_of(first)]
        city.roster(*family(), member("HK5", STRANGER, "户主"))
        assert vault.members(city.linkage.household("339901000000", "HK5")) == [first]
        done = city.rotate(*family(), member("HK5", STRANGER, "户主"), key=b"z" * 32)
        assert done.unknown_households == ()
        assert city.linkage.person(STRANGER) == first  # by its number now, as everybody registered
        assert city.linkage.person(SPOUSE) == Linkage(OLD_KEY, synthetic=True).person(SPOUSE)


def test_two_names_on_one_number_in_the_export_keep_no_household_from_the_new_key(tmp_path: Path) -> None:
    """Whose number it is does not matter here: the export is read for numbers of households."""
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        city = begun(tmp_path / "c", vault)
        before = city.linkage.household("339901000000", "HK5")
        city.roster(*family(), member("HK5", STRANGER, "户主"))
        twins = [member("HK5", STRANGER, "户主"), member("HK5", STRANGER, "户主", 姓名="虚构乙")]
        assert city.rotate(*family(), *twins).unknown_households == ()
        assert vault.first(city.linkage.household("339901000000", "HK5")) == before


def test_without_the_replaced_key_the_person_would_be_another(tmp_path: Path) -> None:
    """What the test before this one rests on: it is recognising that does it."""
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault, Watched(tmp_path / "w.sqlite") as watched:
        city = begun(tmp_path / "c", vault)
        city.watched = watched
        city.total(STRANGER, 1_000_000)
        city.rotate(*family())
        city.replaced = ()
        city.bills((STRANGER, "A2"))
        household = city.watch.household(provisional_of(Linkage(OLD_KEY, synthetic=True).person(STRANGER)))
        assert not household.bills(Linkage(OLD_KEY, synthetic=True).person(STRANGER), 1, 4_000_000)


def test_a_number_known_by_facts_under_a_replaced_key_can_become_somebodys_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault, Watched(tmp_path / "w.sqlite") as watched:
        city = begun(tmp_path / "c", vault)
        city.watched = watched
        city.total(STRANGER, 1_000_000)
        before = Linkage(OLD_KEY, synthetic=True).person(STRANGER)
        city.rotate(*family())
        city.bills((STRANGER, "A1"))  # recognised: the new pseudonym leads to the one before
        spouse = city.linkage.person(SPOUSE)
        with monkeypatch.context() as killed:
            killed.setattr(city, "read", lambda outlet: None)  # noted in the vault, and never told
            assert city.correct((SPOUSE, STRANGER)).taken == 1
        done = city.correct((SPOUSE, STRANGER))
        assert (done.taken, done.problems) == (1, ())
        own = Linkage(city.key, synthetic=True).person(STRANGER)
        assert [vault.first(each) for each in (before, own)] == [spouse] * 2
        registry = city.log.router._registry  # noqa: SLF001 - what intake knows
        assert [registry.person(each) for each in (before, own)] == [spouse] * 2
        assert city.correct((HEAD, STRANGER)).taken == 0


def test_the_roster_is_read_once_and_before_the_vault_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way in waits for the vault: a province's roster takes minutes to read."""
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        city = begun(tmp_path / "c", vault)
        held: list[bool] = []

        def read(*args: Any, **options: Any) -> Any:
            held.append(vault._db.in_transaction)  # noqa: SLF001 - whether others wait
            return read_export(*args, **options)

        monkeypatch.setattr(rekey, "read_export", read)
        assert city.rotate(*family()).unknown_households == ()
        assert held == [False]
