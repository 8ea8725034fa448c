"""Later numbers and later keys: whatever somebody is called afterwards leads to the pseudonym first known.

A corrected number, a new document, a 15-digit number or another key only adds aliases. Aliases are told first
(vault, then `persons.aliases.v1`), used afterwards; whatever is interrupted, doing it again completes it. Of people who
have no number in the vault `gateway.retired` tells the alias when their number comes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.aliases import FirstKnown
from gateway.identities import ID_TYPES, BadIdentity, Linkage, mask
from gateway.problems import RowProblem
from gateway.publisher import Publisher
from gateway.roster_export import read_export
from gateway.tables import heading, open_table
from gateway.vault import Document, Vault
from schemas.errors import CallError, DataError
from schemas.free_text import reason_of
from schemas.partition import partition_of
from schemas.topics import ALIASES

COLUMNS = {"原证件号码": "old", "原证件类型": "old_type", "新证件号码": "new", "新证件类型": "new_type", "原因": "why"}
REQUIRED = ("原证件号码", "新证件号码")
KEY_REPLACED = "更换联结密钥"


@dataclass(frozen=True)
class Renamed:
    """Pairs taken; `merged`: people whose later number had a history of its own, to be published again."""

    rows: int
    taken: int
    merged: tuple[str, ...]
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True)
class Rotated:
    """What a new key needed: aliases of persons and of households; households no number is known of."""

    persons: int
    households: int
    unknown_households: tuple[str, ...]


def tell(publisher: Publisher, alias: str, first: str, timestamp_ms: int | None = None) -> None:
    """One record of `persons.aliases.v1`; certain after a flush."""
    key = alias.encode()
    value = json.dumps({"person": first}).encode()
    publisher.send(ALIASES, partition_of(key, publisher.partitions(ALIASES)), key, value, timestamp_ms)


def rename(
    path: Path, *, linkage: FirstKnown, vault: Vault, publisher: Publisher, at_ms: int, timestamp_ms: int | None = None
) -> Renamed:
    """Takes a file of old and new numbers, one pair a row. Raises CallError and DataError as tables do."""
    problems: list[RowProblem] = []
    merged: list[str] = []
    pairs = list(_pairs(path))
    taken = 0
    for number, said in pairs:
        try:
            why = reason_of(said.get("why", "")) or "号码更正"
            old, first, new = _pair(said, linkage, vault)
        except (BadIdentity, DataError, CallError) as error:
            problems.append(RowProblem(number, "", str(error), mask(said.get("new", "")), "BAD_IDENTITY"))
            continue
        own = linkage.own(new.number, new.id_type)
        known = vault.first(own)
        # Whom facts alone made known, perhaps under a replaced key, becomes this person with every name.
        alias = own if vault.numbered(known) else known
        history = alias != first and vault.first(alias) == alias and vault.knows(alias)
        try:
            if history and not vault.homes(alias) <= vault.homes(first):
                raise DataError("新号码已属于另一户的在册人员，不能并为一人")
            vault.alias(alias, first, why=why, at_ms=at_ms)
        except DataError as error:
            problems.append(RowProblem(number, "新证件号码", str(error), mask(new.number), "BAD_IDENTITY"))
            continue
        vault.remember([Document(first, old.id_type, old.number), Document(first, new.id_type, new.number)])
        for each in vault.called(first):  # what was merged brings names of its own, and may not have been told
            tell(publisher, each, first, timestamp_ms)
        if history:
            merged.append(first)
        taken += 1
    publisher.flush()
    return Renamed(len(pairs), taken, tuple(merged), tuple(problems))


def rotate(
    old: Linkage,
    new: Linkage,
    *,
    vault: Vault,
    publisher: Publisher,
    roster: Path | None,
    issuing_area: str | None,
    actor: str,
    at_ms: int,
    timestamp_ms: int | None = None,
) -> Rotated:
    """Makes every pseudonym under the new key an alias of the one first known. The key itself is switched afterwards.

    Household numbers stand only in the roster: an export of all households is read for them.
    """
    told: list[tuple[str, str]] = []
    houses = _houses(roster, old, new, issuing_area) if roster is not None else {}
    documents = vault.documents(actor=actor, purpose=KEY_REPLACED, at_ms=at_ms)
    with vault.whole():
        for document in documents:
            first, alias = vault.first(document.person), new.person(document.number, document.id_type)
            if alias != first:
                vault.alias(alias, first, why=KEY_REPLACED, at_ms=at_ms)
                told.append((alias, first))
        seen = _rehouse(houses, vault, at_ms)
    for alias, first in told:  # outside: nobody waits for the vault while the broker is slow
        tell(publisher, alias, first, timestamp_ms)
    publisher.flush()
    unknown = {vault.first(each) for each in vault.households()} - seen
    return Rotated(len(told), len(seen), tuple(sorted(unknown)))


def _houses(roster: Path, old: Linkage, new: Linkage, issuing_area: str | None) -> dict[str, str]:
    """The households of an export, read once: by the pseudonym of the present key the one of the new key."""
    rows, households = read_export(roster, old, issuing_area, facts=False)
    numbered = zip(households, rows.good, strict=True)
    return {each.household: new.household(each.issuing, number) for each, number in numbered}


def _rehouse(houses: dict[str, str], vault: Vault, at_ms: int) -> set[str]:
    """Aliases for these households; the pseudonyms first known of all of them."""
    seen: set[str] = set()
    for known, alias in houses.items():
        first = vault.first(known)
        seen.add(first)
        vault.alias(alias, first, why=KEY_REPLACED, at_ms=at_ms)
    return seen


def _pairs(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    known = {heading(column): name for column, name in COLUMNS.items()}
    with open_table(path, known) as table:
        at = table.positions(known, REQUIRED)
        for number, cells in table.rows:
            yield number, {name: cells[n].strip() for name, n in at.items() if n < len(cells) and cells[n].strip()}


def _pair(said: dict[str, str], linkage: FirstKnown, vault: Vault) -> tuple[Document, str, Document]:
    """The old document, whose it is, and the new one. Raises BadIdentity, CallError."""
    documents = []
    for name in ("old", "new"):
        label = said.get(f"{name}_type", "居民身份证")
        if label not in ID_TYPES:
            raise BadIdentity(f"证件类型应为 {'、'.join(ID_TYPES)}")
        documents.append((ID_TYPES[label], said.get(name, "")))
    (old_type, old_raw), (new_type, new_raw) = documents
    first = vault.first(linkage.person(old_raw, old_type))
    old = Document(first, old_type, linkage.number(old_raw, old_type))
    return old, first, Document(first, new_type, linkage.number(new_raw, new_type))
