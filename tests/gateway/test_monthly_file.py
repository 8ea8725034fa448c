"""A monthly file sent, sent again, sent with 30 rows gone and 20 changed: as if only the last had been sent."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.courier import Receipt
from gateway.events import BatchPlan
from gateway.publish import publish_file
from gateway.resume import Keeping
from gateway.roster import load_roster
from gateway.vault import Vault
from households.codec import canonical
from schemas.alerts import Alert
from schemas.records import GoliveBody, GoliveRecord
from schemas.topics import ALERTS
from streams.registry import Registry
from streams.routing import Inbound, Router
from streams.watch import Watch
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_publish import LINKAGE, bill, table
from tests.gateway.test_roster import member, write
from tests.streams.making import BY_TOPIC, Log, config, fold, policy_record

CITY = "339901000000"
PLAN = BatchPlan("2026-05", (CITY,), mode="replace_period")
START = datetime(2026, 6, 3, 9, tzinfo=UTC)
PEOPLE, ROWS, GONE, CHANGED = 100, 400, 30, 20
DEAR = {"total": "7036.00", "in_catalogue_self_paid": "6000"}
"""One such bill is over the yearly line of DIBAO."""
Rows = list[list[str]]


def first() -> Rows:
    """Four bills for each person; of the first ten people one is dear, of which five are among those taken back."""
    return [
        bill(number(n % PEOPLE + 1, "19650312"), f"S{n}", **(DEAR if n < 5 or 40 <= n < 45 else {}))
        for n in range(ROWS)
    ]


def last() -> Rows:
    """Thirty rows of it are gone, twenty say something else."""
    rows = first()
    for n in range(130, 130 + CHANGED):
        rows[n] = bill(number(n % PEOPLE + 1, "19650312"), f"S{n}", total="1036.00", in_catalogue_self_paid="0")
    return rows[GONE:]


@dataclass
class City:
    """Gateway, intake and monitor of one partition, with every household of the file in the roster."""

    folder: Path
    log: Log = field(default_factory=Log)
    watch: Watch = field(default_factory=lambda: Watch(0, config()))
    now: datetime = START
    alerts: list[Alert] = field(default_factory=list)
    _folded: int = 0
    _read: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.log.router = Router.of(config(), Registry())
        self.log.control(policy_record(self.ms))
        self.log.tick(self.ms)
        self.log.control(GoliveRecord("", self.ms, "", 0, 0, GoliveBody(CITY, "MED-SELFPAY", 50)))
        outlet = Outlet(count=1)
        rows = [member(f"HK{n}", number(n + 1, "19650312"), "户主") for n in range(PEOPLE)]
        with Vault(self.folder / "v.sqlite", b"v" * 32) as vault:
            load_roster(
                write(self.folder / "roster.csv", rows),
                publisher=outlet, linkage=LINKAGE, vault=vault, recorded=self.now,
            )  # fmt: skip
        self.read(outlet)

    @property
    def ms(self) -> int:
        return int(self.now.timestamp() * 1000)

    def send(self, rows: Rows, *, again: bool = False) -> tuple[Receipt, int]:
        """The receipt, and how many messages were sent; intake and monitor have read them."""
        outlet = Outlet(count=1)
        done = publish_file(
            table(self.folder / "bills.csv", rows), "medical.settlement", publisher=outlet, linkage=LINKAGE,
            recorded=self.now, batch=PLAN, keeping=Keeping(self.folder / "journal", again=again),
        )  # fmt: skip
        self.read(outlet)
        return done.receipt, len(outlet.sent)

    def read(self, outlet: Outlet) -> None:
        """Intake and monitor take what was sent, the monitor's mail to itself as well; a day passes."""
        for message in outlet.sent:
            inbound = Inbound(message.topic, 0, self._read, self.ms, message.key, message.value)
            self._read += 1
            self.log.router.take(BY_TOPIC[message.topic], [inbound])
        self.log.letters(self.log.router.drain()[0])
        self.now += timedelta(days=1)
        self.log.tick(self.ms)
        while self._folded < len(self.log.blocks):
            news, self._folded = self.log.blocks[self._folded :], len(self.log.blocks)
            fold(self.watch, news)
            drained = self.watch.drain()
            self.watch.keep(drained.state)
            self.alerts += [Alert.model_validate_json(m.value or b"") for m in drained.outputs if m.topic == ALERTS]
            self.log.letters(drained.outputs)

    def ledgers(self) -> dict[str, Any]:
        """What every household knows, and which episodes stand."""
        return {name: canonical(self.watch.household(name)) for name in sorted(self.watch.names())}

    def standing(self) -> set[str]:
        """Households with an alert in force."""
        newest = {alert.alert_id: alert for alert in sorted(self.alerts, key=lambda each: each.revision)}
        return {alert.household for alert in newest.values() if alert.state in {"raised", "updated"}}


def only_the_last(folder: Path, days: int) -> City:
    """A city that was sent the last file alone, on the same day."""
    city = City(folder)
    for _ in range(days):
        city.read(Outlet(count=1))
    city.send(last())
    return city


def test_ledgers_equal_having_sent_only_the_last(tmp_path: Path) -> None:
    city = City(tmp_path / "thrice")
    done, count = city.send(first())
    assert (done.sent, done.closed, count) == (ROWS, True, ROWS + 2)
    assert len(city.standing()) == 10

    before = city.ledgers()
    again, nothing = city.send(first())
    assert (again.unchanged, nothing) == (True, 0)
    assert city.ledgers() == before

    changed, _ = city.send(last())
    assert changed.difference is not None
    told = changed.difference
    assert (told.new, told.changed, told.gone, told.unchanged) == (0, CHANGED, GONE, ROWS - GONE - CHANGED)
    expected = only_the_last(tmp_path / "once", days=2)
    assert live(city.ledgers()) == live(expected.ledgers()) != live(before)
    assert len(gone(city.ledgers())) == GONE
    assert not gone(expected.ledgers())
    assert city.standing() == expected.standing()
    assert len(city.standing()) == 5


@pytest.mark.parametrize("times", [1, 2])
def test_sending_the_same_month_anyway_changes_no_answer(tmp_path: Path, times: int) -> None:
    city = City(tmp_path / "again")
    city.send(first())
    before, standing = city.ledgers(), city.standing()
    for _ in range(times):
        done, count = city.send(first(), again=True)
        assert (done.unchanged, count) == (False, ROWS + 2)
    assert live(city.ledgers(), dated=False) == live(before, dated=False)
    assert not gone(city.ledgers())
    assert city.standing() == standing


def live(ledgers: dict[str, Any], *, dated: bool = True) -> dict[str, Any]:
    """Without the marks of what is gone, which say no more than the replaced month does; undated: nor when recorded."""
    return {
        name: {**said, "facts": {who: _live(told, dated) for who, told in said["facts"].items()}}
        | ({} if dated else {"floors": None})
        for name, said in ledgers.items()
    }


def _live(told: list[list[Any]], dated: bool) -> list[list[Any]]:
    return [fact if dated else [*fact[:2], *fact[5:]] for fact in told if fact[-1] != "gone"]


def gone(ledgers: dict[str, Any]) -> list[str]:
    """Keys of what was taken back."""
    told = (each for said in ledgers.values() for facts in said["facts"].values() for each in facts)
    return [fact[1] for fact in told if fact[-1] == "gone"]
