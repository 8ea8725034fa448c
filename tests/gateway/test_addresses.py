"""Who lives at an address is found in the vault, logged before it is looked for, and leaves it as pseudonyms."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gateway.addresses import MOST, Addresses, plain_address
from gateway.vault import Entry, Identity
from schemas.errors import CallError

DAY, KEY = date(2026, 7, 12), bytes(range(32))
STREET = "星河市北辰镇幸福路"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Addresses]:
    with Addresses(tmp_path / "vault.sqlite", KEY) as made:
        yield made


def lives(name: str, *addresses: str, household: str = "", until: str | None = None) -> Entry:
    return Entry(f"p_{name}", household or f"h_{name}", True, Identity(name, f"N{name}", (), addresses), until)


def found(book: Addresses, address: str, on: date = DAY) -> list[str]:
    return book.households_at(address, on, actor="王", purpose="HZ1：消防通报", at_ms=7)


def test_the_same_address_however_it_is_written(book: Addresses) -> None:
    homes = {"a": "12号3单元", "b": "１２号 3－单元，201室", "c": "14号"}
    book.write([lives(name, STREET + home) for name, home in homes.items()], 1)
    assert found(book, f"{STREET} 12号") == ["h_a", "h_b"]
    assert found(book, f"{STREET}12号3单元201") == ["h_b"]
    assert plain_address("幸福路１２号，Ａ 座-3") == "幸福路12号a座3"


def test_a_house_number_is_not_the_beginning_of_a_longer_one(book: Addresses) -> None:
    book.write([lives("a", f"{STREET}1号"), lives("b", f"{STREET}12号")], 1)
    assert found(book, f"{STREET}1") == ["h_a"]
    assert found(book, STREET) == ["h_a", "h_b"]


def test_any_member_and_any_address_counts_once_and_only_of_that_day(book: Addresses) -> None:
    people = [lives("a", "别处路1号", f"{STREET}1号"), lives("b", f"{STREET}1号", household="h_a"), lives("n")]
    gone = [lives("c", f"{STREET}1号", until="2026-07-12"), lives("d", f"{STREET}1号", until="2026-07-13")]
    book.write([*people, *gone], 1)
    assert found(book, f"{STREET}1号") == ["h_a", "h_d"]
    assert found(book, "北辰镇幸福路1号") == [], "as the roster begins"


def test_it_is_one_opening_of_everything_logged_first(book: Addresses) -> None:
    book.write([lives("a", f"{STREET}1号")], 1)
    found(book, f"{STREET}1号")
    [said] = book.openings()
    assert (said.person, said.actor, said.purpose, said.at_ms) == ("*", "王", "HZ1：消防通报", 7)
    assert book.verify() is None
    with pytest.raises(CallError, match="经办人和"):
        book.households_at(STREET, DAY, actor="王", purpose=" ", at_ms=1)


@pytest.mark.parametrize("address", ["", "北辰镇", " 路 - 1，号 "])
def test_too_short_is_refused_before_anything_is_opened(book: Addresses, address: str) -> None:
    with pytest.raises(CallError, match="地址太短"):
        found(book, address)
    assert book.openings() == []


def test_too_many_households_are_an_area(book: Addresses) -> None:
    book.write([lives(f"{n}", f"{STREET}{n}号") for n in range(MOST)], 1)
    assert len(found(book, STREET)) == MOST
    book.write([lives("more", f"{STREET}末号")], 1)
    with pytest.raises(CallError, match="地址太宽：有201户"):
        found(book, STREET)
