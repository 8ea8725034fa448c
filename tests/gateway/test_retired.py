"""Somebody known only by facts over a line stays the same person when the linkage key is replaced, by every way in."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from gateway.aliases import FirstKnown
from gateway.identities import BadIdentity, Linkage
from gateway.inbox import Arrival, Inbox
from gateway.publish import publish_file
from gateway.retired import Retired
from gateway.roster import load_roster
from gateway.scope import Scope, Watched
from gateway.sealed import SealedFeed
from gateway.vault import Entry, Identity, Vault
from schemas.envelope import Delivery
from schemas.errors import Unreachable
from schemas.feed import FEEDS
from schemas.topics import ALIASES
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_inbox import NOW, PUBLIC
from tests.gateway.test_publish import bill, table
from tests.gateway.test_roster import member, write
from tests.gateway.test_sealed import PRIVATE, event, take

KIND = "medical.settlement"
K1, K2, K3 = (letter * 32 for letter in (b"1", b"2", b"3"))
STRANGER, OTHER = number(50), number(51)
DAY = date(2026, 5, 18)
MS = int(NOW.timestamp() * 1000)


def plain(key: bytes, who: str = STRANGER) -> str:
    """What a program calls somebody that has the key and nothing else."""
    return Linkage(key, synthetic=True).person(who)


@dataclass
class Books:
    """A gateway's vault and its list of watched people, and what it tells the broker."""

    vault: Vault
    watched: Watched
    outlet: Outlet = field(default_factory=lambda: Outlet(count=2))

    def linkage(self, *keys: bytes, silent: bool = False) -> FirstKnown:
        """As a process has it that starts now: the last key is the present one, those before it were replaced."""
        *before, present = keys
        made = FirstKnown(present, self.vault.first, synthetic=True)
        if before:
            way = None if silent else self.way
            made.recognise(
                Retired(before, vault=self.vault, watched=self.watched, publisher=way, stamp=lambda: (MS, None))
            )
        return made

    def way(self) -> Outlet:
        return self.outlet

    def told(self) -> list[tuple[str, str]]:
        return [(m.key.decode(), json.loads(m.value)["person"]) for m in self.outlet.sent if m.topic == ALIASES]

    def register(self, person: str, who: str) -> None:
        self.vault.write([Entry(person, "h_1", True, Identity("虚构甲", who))], 1)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault, Watched(tmp_path / "gateway" / "watched.sqlite") as w:
        yield Books(vault, w)


def test_whoever_is_watched_stays_who_they_were_and_is_told_once(books: Books) -> None:
    first = plain(K1)
    books.watched.watch(first, DAY)
    linkage = books.linkage(K1, K2)
    assert linkage.person(STRANGER) == first
    assert books.told() == [(plain(K2), first)]
    assert books.outlet.flushed == 1
    assert linkage.person(STRANGER) == books.linkage(K1, K2).person(f" {STRANGER.lower()}") == first
    assert len(books.told()) == 1
    assert books.vault.aliases() == {plain(K2): first}
    assert STRANGER not in books.outlet.text()


def test_an_ended_watch_and_people_remembered_from_elsewhere_are_recognised_as_well(books: Books) -> None:
    books.watched.watch(plain(K1), date(2020, 1, 1))
    books.watched.remember({plain(K1, OTHER)})
    assert not books.watched.knows(plain(K1), DAY)
    linkage = books.linkage(K1, K2)
    assert (linkage.person(STRANGER), linkage.person(OTHER)) == (plain(K1), plain(K1, OTHER))


@pytest.mark.parametrize("seen_between", [True, False])
def test_after_two_keys_the_first_one_still_names_the_person(books: Books, seen_between: bool) -> None:
    books.watched.watch(plain(K1), DAY)
    if seen_between:
        assert books.linkage(K1, K2).person(STRANGER) == plain(K1)
    assert books.linkage(K1, K2, K3).person(STRANGER) == plain(K1)
    assert books.told()[-1] == (plain(K3), plain(K1))
    books.watched.watch(plain(K2, OTHER), DAY)
    assert books.linkage(K1, K2, K3).person(OTHER) == plain(K2, OTHER)


def test_who_was_known_twice_is_who_they_were_first(books: Books) -> None:
    for key in (K2, K1):
        books.watched.watch(plain(key), DAY)
    assert books.linkage(K1, K2, K3).person(STRANGER) == plain(K1)


def test_an_alias_under_a_replaced_key_leads_on(books: Books) -> None:
    """The old key was still in use somewhere when a corrected number was told."""
    books.vault.alias(plain(K1), "p_first", why="号码更正", at_ms=1)
    assert books.linkage(K1, K2).person(STRANGER) == "p_first"
    assert books.told() == [(plain(K2), "p_first")]


def test_nobody_else_gets_another_name(books: Books) -> None:
    books.watched.watch(plain(K1), DAY)
    books.register(plain(K2), STRANGER)
    linkage = books.linkage(K1, K2)
    assert linkage.person(STRANGER) == plain(K2)  # registered under the present key
    assert linkage.person(OTHER) == plain(K2, OTHER)
    assert linkage.own(STRANGER) == plain(K2)
    with pytest.raises(BadIdentity):
        linkage.person(STRANGER[:-1])
    assert not books.outlet.sent
    assert not books.vault.aliases()


def test_who_may_not_tell_finds_and_notes_nothing(books: Books) -> None:
    books.watched.watch(plain(K1), DAY)
    assert books.linkage(K1, K2, silent=True).person(STRANGER) == plain(K1)
    assert not books.vault.aliases()
    assert not books.outlet.sent


def test_a_broker_that_is_away_leaves_nothing_half_told(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unreachable("消息服务没有应答")

    books.watched.watch(plain(K1), DAY)
    linkage = books.linkage(K1, K2)
    with monkeypatch.context() as patch:
        patch.setattr(books.outlet, "flush", away)
        for _ in range(2):
            with pytest.raises(Unreachable) as caught:
                linkage.person(STRANGER)
            assert STRANGER not in str(caught.value)
            assert not books.vault.aliases()
    assert linkage.person(STRANGER) == plain(K1)
    assert books.vault.first(plain(K2)) == plain(K1)


def test_killed_between_topic_and_vault_it_is_told_again(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> str:
        raise sqlite3.OperationalError("disk I/O error")

    books.watched.watch(plain(K1), DAY)
    with monkeypatch.context() as patch:
        patch.setattr(books.vault, "alias", killed)
        with pytest.raises(sqlite3.OperationalError):
            books.linkage(K1, K2).person(STRANGER)
    assert books.linkage(K1, K2).person(STRANGER) == plain(K1)
    assert books.told() == [(plain(K2), plain(K1))] * 2


def test_every_document_is_recognised_by_itself(books: Books) -> None:
    old = Linkage(K1, synthetic=True)
    books.watched.watch(old.person("E12345678", "passport"), DAY)
    books.watched.watch(plain(K1), DAY)
    linkage = books.linkage(K1, K2)
    assert linkage.person("e12345678", "passport") == old.person("E12345678", "passport")
    fifteen = STRANGER[:6] + STRANGER[8:17]
    assert linkage.person(fifteen) == plain(K1)


def test_a_number_costs_one_digest_more_and_only_once(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    made, digest = list[str](), Linkage.named

    def counted(self: Linkage, text: str, id_type: str = "ric") -> str:
        made.append(text)
        return digest(self, text, id_type)

    monkeypatch.setattr(Linkage, "named", counted)
    untouched, rotated = books.linkage(K2), books.linkage(K1, K2)
    for _ in range(3):
        untouched.person(STRANGER)
    assert len(made) == 1
    made.clear()
    for _ in range(3):
        rotated.person(STRANGER)
    assert len(made) == 2


def test_a_file_after_the_switch_goes_to_the_same_person_the_alias_before_it(books: Books, tmp_path: Path) -> None:
    """Folder, upload and views all end in the inbox."""
    over = tmp_path / "y.jsonl"
    row = {"identity": STRANGER, "year": "2026", "as_of": "2026-05", "borne": 1_000_000}
    over.write_text(json.dumps(row) + "\n", encoding="utf-8")
    for keys, path, kind in (
        ((K1,), over, "medical.year_total"),
        ((K1, K2), table(tmp_path / "a.csv", [bill(STRANGER, "S1"), bill(OTHER, "S2")]), KIND),
    ):
        inbox = Inbox(
            tmp_path / "gateway", publisher=books.way, linkage=books.linkage(*keys), vault=books.vault,
            public_key=PUBLIC, now=lambda: NOW,
        )  # fmt: skip
        done = inbox.take(Arrival(path, kind, "folder", ""))
        assert (done.state, done.receipt and done.receipt.sent) == ("sent", 1)
        inbox.close()
    sent = [(m.topic, m.key.decode()) for m in books.outlet.sent if m.key.startswith(b"p_")]
    first = plain(K1)
    assert sent == [
        (FEEDS["medical.year_total"].topic, first), (ALIASES, plain(K2)), (FEEDS[KIND].topic, first)
    ]  # fmt: skip
    assert STRANGER not in books.outlet.text()


def test_a_published_file_and_a_sealed_event_reach_the_same_person(books: Books, tmp_path: Path) -> None:
    for who in (STRANGER, OTHER):
        books.watched.watch(plain(K1, who), DAY)
    linkage = books.linkage(K1, K2)
    path = table(tmp_path / "a.csv", [bill(STRANGER, "S1")])
    publish_file(path, KIND, publisher=books.outlet, linkage=linkage, recorded=NOW)
    scope = Scope(KIND, books.vault.knows, books.watched)
    sealed = SealedFeed(FEEDS[KIND], linkage, PRIVATE, books.outlet, scope, lambda: MS)
    take(sealed, 0, [event("S2", OTHER), event("S3", number(52))])
    assert (sealed.sent, sealed.left_out) == (1, 1)
    sent = [(m.topic, m.key.decode()) for m in books.outlet.sent]
    assert sent == [
        (ALIASES, plain(K2)), (FEEDS[KIND].topic, plain(K1)),
        (ALIASES, plain(K2, OTHER)), (FEEDS[KIND].topic, plain(K1, OTHER)),
    ]  # fmt: skip


def test_a_sealed_event_waits_with_its_alias_for_the_broker(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no broken seal: the turn ends and reads the message again."""
    books.watched.watch(plain(K1), DAY)
    scope = Scope(KIND, books.vault.knows, books.watched)
    sealed = SealedFeed(FEEDS[KIND], books.linkage(K1, K2), PRIVATE, books.outlet, scope, lambda: MS)

    def away() -> None:
        raise Unreachable("消息服务没有应答")

    monkeypatch.setattr(books.outlet, "flush", away)
    with pytest.raises(Unreachable):
        take(sealed, 0, event("S1", STRANGER))
    assert not sealed.refused


def test_who_is_registered_later_is_registered_as_who_they_were(books: Books, tmp_path: Path) -> None:
    books.watched.watch(plain(K1), DAY)
    linkage = books.linkage(K1, K2)
    path = write(tmp_path / "r.csv", [member("HK5", STRANGER, "户主")])
    report = load_roster(path, publisher=books.outlet, linkage=linkage, vault=books.vault, recorded=NOW)
    assert report.new_persons == (plain(K1),)
    assert books.told() == [(plain(K2), plain(K1))]
    spec = FEEDS["civil.household"]
    found = [o for m in books.outlet.sent if m.topic == spec.topic for o in spec.decode(m.value, MS)]
    assert [o.person for o in found if isinstance(o, Delivery)] == [plain(K1)]
    [document] = books.vault.documents(actor="李", purpose="更换联结密钥", at_ms=1)
    assert (document.person, document.number) == (plain(K1), STRANGER)
