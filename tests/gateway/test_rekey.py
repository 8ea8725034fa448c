"""A corrected number and a new key: no alert id changes, no fact is lost; a run without either is the measure."""

import csv
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gateway.aliases import FirstKnown
from gateway.identities import Linkage
from gateway.publish import publish_file
from gateway.rekey import Renamed, Rotated, rename, rotate
from gateway.retired import Retired
from gateway.roster import load_roster
from gateway.scope import Scope, Watched
from gateway.vault import Vault
from schemas.alerts import Alert
from schemas.feed import FEEDS
from schemas.records import GoliveBody, GoliveRecord
from schemas.topics import ALERTS, ALIASES
from streams.breaker import Breaker
from streams.hints import learn
from streams.limits import BreakerLimits
from streams.routing import Inbound
from streams.watch import Watch
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_publish import bill, table
from tests.gateway.test_roster import member, write
from tests.streams.making import Log, config, fold, policy_record

OLD_KEY, NEW_KEY = b"k" * 32, b"n" * 32
START = datetime(2026, 6, 3, 9, tzinfo=UTC)
HEAD, SPOUSE, CORRECTED = number(1), number(2), number(52)
SPECS = {spec.topic: spec for spec in FEEDS.values()}


@dataclass
class City:
    """Gateway, intake and monitor of one partition without a broker."""

    folder: Path
    vault: Vault
    key: bytes = OLD_KEY
    watched: Watched | None = None
    replaced: tuple[bytes, ...] = ()
    log: Log = field(default_factory=Log)
    watch: Watch = field(default_factory=lambda: Watch(0, config()))
    alerts: list[Alert] = field(default_factory=list)
    now: datetime = START
    _folded: int = 0

    def __post_init__(self) -> None:
        self.log.control(policy_record(self.ms))
        self.log.tick(self.ms)
        self.log.control(GoliveRecord("", self.ms, "", 0, 0, GoliveBody("339901000000", "MED-SELFPAY", 50)))
        self.breaker = Breaker(BreakerLimits(), config().catalogue, 1)
        self.settle()

    @property
    def ms(self) -> int:
        return int(self.now.timestamp() * 1000)

    @property
    def linkage(self) -> FirstKnown:
        return FirstKnown(self.key, self.vault.first, synthetic=True)

    def telling(self, outlet: Outlet) -> FirstKnown:
        """As the ways in have it: who was known only under a replaced key is recognised, and told through them."""
        made = self.linkage
        if self.replaced and self.watched is not None:
            vault, watched, stamp = self.vault, self.watched, (self.ms, None)
            found = Retired(self.replaced, vault=vault, watched=watched, publisher=lambda: outlet, stamp=lambda: stamp)
            made.recognise(found)
        return made

    def roster(self, *rows: list[str]) -> None:
        outlet = Outlet(count=1)
        path = write(self.folder / "roster.csv", rows)
        load_roster(path, publisher=outlet, linkage=self.telling(outlet), vault=self.vault, recorded=self.now)
        self.read(outlet)

    def bills(self, *pairs: tuple[str, str], linkage: Linkage | None = None) -> None:
        outlet = Outlet(count=1)
        path = table(self.folder / "bills.csv", [bill(who, name) for who, name in pairs])
        linkage = linkage or self.telling(outlet)
        publish_file(path, "medical.settlement", publisher=outlet, linkage=linkage, recorded=self.now)
        self.read(outlet)

    def total(self, who: str, fen: int) -> None:
        """A cumulative amount, as the gateway takes it: over the line it opens a provisional household."""
        outlet, kind, path = Outlet(count=1), "medical.year_total", self.folder / "totals.jsonl"
        row = {"identity": who, "year": "2026", "as_of": "2026-04", "borne": fen}
        path.write_text(json.dumps(row) + "\n", encoding="utf-8")
        keep = Scope(kind, self.vault.knows, self.watched)
        publish_file(path, kind, publisher=outlet, linkage=self.telling(outlet), recorded=self.now, keep=keep)
        self.read(outlet)

    def read(self, outlet: Outlet) -> None:
        """Intake reads what was published, hints first; the monitor folds it; a day passes."""
        for n, message in enumerate(outlet.sent):
            if message.topic == ALIASES:
                hint: Any = SimpleNamespace(topic=ALIASES, partition=0, offset=n, key=message.key, value=message.value)
                learn(hint, self.log.router._registry, self.breaker, self.log.router.doubts)  # noqa: SLF001 - as intake does
            else:
                inbound = Inbound(message.topic, 0, n, self.ms, message.key, message.value)
                self.log.router.take(SPECS[message.topic], [inbound])
        self.log.letters(self.log.router.drain()[0])
        self.now += timedelta(days=1)
        self.log.tick(self.ms)
        self.settle()

    def settle(self) -> None:
        fold(self.watch, self.log.blocks[self._folded :])
        self._folded = len(self.log.blocks)
        drained = self.watch.drain()
        self.alerts += [Alert.model_validate_json(m.value or b"") for m in drained.outputs if m.topic == ALERTS]
        self.watch.keep(drained.state)

    def correct(self, *pairs: tuple[str, str], id_type: str = "居民身份证") -> Renamed:
        outlet, path = Outlet(count=1), self.folder / "pairs.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [("原证件号码", "新证件号码", "新证件类型"), *((a, b, id_type) for a, b in pairs)]
            )
        done = rename(path, linkage=self.linkage, vault=self.vault, publisher=outlet, at_ms=self.ms)
        self.read(outlet)
        return done

    def rotate(self, *rows: list[str], key: bytes = NEW_KEY) -> Rotated:
        outlet = Outlet(count=1)
        done = rotate(
            Linkage(self.key, synthetic=True),
            Linkage(key, synthetic=True),
            vault=self.vault,
            publisher=outlet,
            roster=write(self.folder / "all.csv", rows),
            issuing_area=None,
            actor="李",
            at_ms=self.ms,
        )
        self.key, self.replaced = key, (*self.replaced, self.key)
        self.read(outlet)
        return done

    def said(self) -> tuple[set[str], dict[str, list[tuple[str, int]]]]:
        """Alert ids, and the facts of every person in the ledgers."""
        facts: dict[str, list[tuple[str, int]]] = {}
        for name in self.watch.names():
            household = self.watch.household(name)
            for each in household.members_on(date(2026, 6, 20)):
                bills = household.bills(each.person, 1, 4_000_000)
                facts[each.person] = sorted((b.key, b.total_fen) for b in bills)
        return {alert.alert_id for alert in self.alerts}, facts


def family(spouse: str = SPOUSE) -> list[list[str]]:
    return [member("HK1", HEAD, "户主"), member("HK1", spouse, "配偶")]


def big(city: City, name: str, who: str = HEAD, linkage: Linkage | None = None) -> None:
    city.bills(*((who, f"{name}{n}") for n in range(8)), linkage=linkage)


def begun(folder: Path, vault: Vault) -> City:
    folder.mkdir(exist_ok=True)
    city = City(folder, vault)
    city.roster(*family())
    big(city, "A")
    big(city, "B", SPOUSE)
    return city


def plain_run(folder: Path) -> tuple[set[str], dict[str, list[tuple[str, int]]]]:
    """Nobody's number changes and the key stays."""
    with Vault(folder / "plain.sqlite", b"v" * 32) as vault:
        city = begun(folder / "plain", vault)
        city.read(Outlet(count=1))
        city.read(Outlet(count=1))
        big(city, "C")
        big(city, "D", SPOUSE)
        city.roster(*family())
        big(city, "E", SPOUSE)
        return city.said()


def test_no_alert_id_changes_and_no_fact_is_lost(tmp_path: Path) -> None:
    expected = plain_run(tmp_path)
    assert expected[0]
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        city = begun(tmp_path / "changed", vault)
        done = city.correct((SPOUSE, CORRECTED))
        assert (done.taken, done.merged) == (1, ())
        rotated = city.rotate(*family(CORRECTED))
        assert (rotated.persons, rotated.households, rotated.unknown_households) == (3, 1, ())
        big(city, "C")
        big(city, "D", CORRECTED)
        city.roster(*family(CORRECTED))
        trusted = Linkage(NEW_KEY, synthetic=True)
        big(city, "E", SPOUSE, linkage=trusted)  # a department with the new key and the old number
        assert city.said() == expected
        assert vault.verify() is None
        assert [o.person for o in vault.openings()] == ["*"]


def test_the_vault_can_be_written_while_a_new_key_is_told(tmp_path: Path) -> None:
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        city = begun(tmp_path / "c", vault)
        openings = list[int]()

        class Slow(Outlet):
            def send(self, *said: Any, **more: Any) -> None:
                with Vault(tmp_path / "v.sqlite", b"v" * 32) as desk:
                    desk.open(city.linkage.person(HEAD), actor="王", purpose="入户核实", case_id="c1", at_ms=city.ms)
                    openings.append(len(desk.openings("c1")))
                super().send(*said, **more)

        old, new = (Linkage(key, synthetic=True) for key in (OLD_KEY, NEW_KEY))
        said: dict[str, Any] = {"publisher": Slow(count=1), "roster": None, "issuing_area": None, "actor": "李"}
        assert rotate(old, new, vault=vault, at_ms=city.ms, **said).persons == 2
        assert openings == [1, 2]


def test_every_document_leads_to_the_same_person(tmp_path: Path) -> None:
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        city = begun(tmp_path / "c", vault)
        person = city.linkage.person(SPOUSE)
        city.correct((SPOUSE, "E12345678"), id_type="护照")
        city.correct((SPOUSE, "H01234567"), id_type="港澳台通行证")
        permit = number(7, region="810000")
        city.correct((SPOUSE, permit), id_type="港澳台居民居住证")
        fifteen = SPOUSE[:6] + SPOUSE[8:17]
        found = {
            city.linkage.person("e12345678", "passport"),
            city.linkage.person("H01234567", "permit"),
            city.linkage.person(permit),
            city.linkage.person(fifteen),
        }
        assert found == {person}
        city.correct(("E12345678", CORRECTED))
        assert city.linkage.person(CORRECTED) == Linkage(OLD_KEY, synthetic=True).person(CORRECTED)


def test_a_number_with_a_history_of_its_own_is_named_for_publishing_again(tmp_path: Path) -> None:
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        city = begun(tmp_path / "c", vault)
        city.roster(*family(CORRECTED))  # the correction came as a new person first
        person = city.linkage.person(SPOUSE)
        done = city.correct((SPOUSE, CORRECTED))
        assert done.merged == (person,)
        assert city.linkage.person(CORRECTED) == person
        assert vault.members(city.linkage.household("339901000000", "HK1")).count(person) == 1


def test_two_people_are_never_made_one_by_mistake(tmp_path: Path) -> None:
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        city = begun(tmp_path / "c", vault)
        neighbour = number(9)
        city.roster(*family(), member("HK9", neighbour, "户主"))
        city.correct((SPOUSE, CORRECTED))
        before = vault.aliases()
        done = city.correct((HEAD, CORRECTED), (HEAD, neighbour), (HEAD, "12345"))
        assert done.taken == 0
        assert len(done.problems) == 3
        assert CORRECTED not in str(done.problems)
        assert vault.aliases() == before


def test_a_number_in_the_reason_keeps_a_pair_out(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [(SPOUSE, CORRECTED, f"{CORRECTED} 才是本人"), (HEAD, number(53), "登记错误")]
        csv.writer(file).writerows([("原证件号码", "新证件号码", "原因"), *rows])
    outlet, linkage = Outlet(count=1), Linkage(OLD_KEY, synthetic=True)
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        first = FirstKnown(OLD_KEY, vault.first, synthetic=True)
        done = rename(path, linkage=first, vault=vault, publisher=outlet, at_ms=1)
        assert vault.aliases() == {linkage.person(number(53)): linkage.person(HEAD)}
    assert [(each.row, "证件号码" in each.reason) for each in done.problems] == [(2, True)]
    assert CORRECTED not in str(done.problems)
    assert CORRECTED.encode() not in (tmp_path / "v.sqlite").read_bytes()
