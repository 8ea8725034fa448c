"""A publication that is killed goes on where it stood; what was sent before is left alone or told apart."""

import json
import os
import stat
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.born import birth_of
from gateway.arrived import Standing, ends_batch, rows_of
from gateway.publish import Published, publish_file
from gateway.resume import Keeping
from schemas.envelope import Delivery, Manifest
from schemas.errors import DataError, Unreachable
from tests.gateway.outlet import Outlet, Sent
from tests.gateway.people import number
from tests.gateway.test_commands import Run, data, run
from tests.gateway.test_publish import LINKAGE, PLAN, RECORDED, bill, table

__all__ = ["data", "run"]


class Mortal(Outlet):
    """A broker that keeps what it got when the sender dies after so many messages; unflushed ones may be lost."""

    def __init__(self, dies_after: int | None = None, loses: int = 0, name: str = "c1") -> None:
        super().__init__()
        self.name = name
        self.dies_after, self.loses = dies_after, loses

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        if self.dies_after is not None and len(self.sent) >= self.dies_after:
            if self.loses:
                del self.sent[max(self.flushed, len(self.sent) - self.loses) :]
            raise Unreachable("电缆断了")
        super().send(topic, partition, key, value, timestamp_ms)

    def delivered(self, topic: str) -> dict[int, tuple[int, int]]:
        places: dict[int, list[int]] = {}
        for message in self.sent[: self.flushed]:
            mine = places.setdefault(message.partition, [])
            mine.append(len(mine))
        return {partition: (mine[0], mine[-1]) for partition, mine in places.items()}

    def arrived(self, topic: str, batchid: str, after: Sequence[int]) -> list[tuple[int, bool]]:
        found = []
        for partition, last in enumerate(after):
            mine = [m for m in self.sent if m.partition == partition][last + 1 :]
            rows = sum(rows_of(m.value, batchid) for m in mine)
            found.append((rows, any(ends_batch(m.value, batchid) for m in mine)))
        return found

    def standing(self, topic: str) -> Standing:
        return Standing(self.name, tuple(sum(m.partition == p for m in self.sent) for p in range(self.count)))


def send(path: Path, outlet: Mortal, folder: Path, again: bool = False, hours: int = 0, **options: Any) -> Published:
    keeping = Keeping(folder, outlet.arrived, again, every_rows=20, standing=outlet.standing)
    options.setdefault("batch", PLAN)
    when = RECORDED + timedelta(hours=hours)
    return publish_file(
        path, "medical.settlement", publisher=outlet, linkage=LINKAGE, recorded=when, keeping=keeping, **options
    )


def people(count: int, **changes: str) -> list[list[str]]:
    return [bill(number(n % 60 + 1), f"S{n}", **changes) for n in range(count)]


@pytest.mark.parametrize("array", [1, 7])
@pytest.mark.parametrize("deaths", [[3], [60], [107], [25, 90], [4, 5, 6], [205]])
@pytest.mark.parametrize("loses", [0, 9])
def test_each_row_arrives_once_whenever_it_is_killed(tmp_path: Path, array: int, deaths: list[int], loses: int) -> None:
    path = table(tmp_path / "a.csv", people(200))
    outlet = Mortal()
    for hour, death in enumerate(deaths):
        outlet.dies_after, outlet.loses = (death if array == 1 else 4 + death // 7), loses
        with pytest.raises(Unreachable):
            send(path, outlet, tmp_path / "j", hours=hour, array=array)
        assert not any(m.what == "end" for m in outlet.manifests()) or death == 205
    outlet.dies_after = None
    done = send(path, outlet, tmp_path / "j", hours=9, array=array)
    keys = [d.fact.key for d in outlet.deliveries()]
    assert sorted(keys) == sorted(f"S{n}" for n in range(200))
    assert {d.batchid for d in outlet.deliveries()} == {done.receipt.batchid}
    begins = [m for m in outlet.manifests() if m.what == "begin"]
    assert 4 <= len(begins) <= 8  # a second begin is sent only where the first was never noted, before any row
    ends = {s.partition: o.rows for s in outlet.sent for o in _manifests(s) if o.what == "end"}
    assert [ends[p] for p in range(4)] == list(done.receipt.partitions)
    assert sum(m.what == "end" for m in outlet.manifests()) == 4
    assert done.receipt.sent == 200
    assert done.receipt.closed


def _manifests(sent: Sent) -> list[Manifest]:
    one = Outlet()
    one.sent.append(sent)
    return one.manifests()


def test_bad_rows_of_the_first_run_stay_in_the_file(tmp_path: Path) -> None:
    rows = people(100)
    rows[5][0], rows[80][0] = "12345", "67890"
    path, outlet, bad = table(tmp_path / "a.csv", rows), Mortal(60), tmp_path / "bad.csv"
    with pytest.raises(Unreachable):
        send(path, outlet, tmp_path / "j", bad_rows=bad)
    outlet.dies_after = None
    done = send(path, outlet, tmp_path / "j", bad_rows=bad)
    text = bad.read_text(encoding="utf-8")
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["12345", "67890"]
    assert text.count("\ufeff") == 1
    assert (done.receipt.read, done.receipt.sent, done.receipt.bad, done.receipt.closed) == (100, 98, 2, False)


def test_an_unchanged_file_is_not_sent_again_unless_asked(tmp_path: Path) -> None:
    path, outlet = table(tmp_path / "a.csv", people(30)), Mortal()
    first = send(path, outlet, tmp_path / "j")
    count = len(outlet.sent)
    again = send(path, outlet, tmp_path / "j", hours=5)
    assert len(outlet.sent) == count
    assert (again.receipt.unchanged, again.receipt.batchid) == (True, first.receipt.batchid)
    assert (again.receipt.sent, again.receipt.offsets) == (30, first.receipt.offsets)
    forced = send(path, outlet, tmp_path / "j", again=True, hours=5)
    assert (forced.receipt.unchanged, len(outlet.sent)) == (False, 2 * count)
    assert forced.receipt.batchid != first.receipt.batchid


@pytest.mark.parametrize("name", ["c2", "c1", ""])
@pytest.mark.parametrize("dies_after", [None, 60])
def test_what_another_broker_got_is_sent_to_this_one(tmp_path: Path, name: str, dies_after: int | None) -> None:
    """Another one by its name; or one that holds less than was delivered, whatever it is called."""
    path, first = table(tmp_path / "a.csv", people(100)), Mortal(dies_after)
    if dies_after is None:
        send(path, first, tmp_path / "j")
    else:
        with pytest.raises(Unreachable):
            send(path, first, tmp_path / "j")
    other = Mortal(name=name)
    done = send(path, other, tmp_path / "j", hours=1)
    assert (done.receipt.unchanged, done.receipt.resumed_at, done.receipt.closed) == (False, None, True)
    assert sorted(d.fact.key for d in other.deliveries()) == sorted(f"S{n}" for n in range(100))
    assert send(path, other, tmp_path / "j", hours=2).receipt.unchanged


def test_a_broker_of_another_name_is_another_however_much_it_holds(tmp_path: Path) -> None:
    path, first, other = table(tmp_path / "a.csv", people(100)), Mortal(), Mortal(name="c2")
    send(table(tmp_path / "b.csv", people(200)), other, tmp_path / "theirs")
    send(path, first, tmp_path / "j")
    assert not send(path, other, tmp_path / "j", hours=1).receipt.unchanged


def test_a_changed_file_tells_the_difference_in_rows(tmp_path: Path) -> None:
    rows = people(100)
    outlet = Mortal()
    assert send(table(tmp_path / "a.csv", rows), outlet, tmp_path / "j").receipt.difference is None
    changed = [bill(number(n % 60 + 1), f"S{n}", hospital="H2") for n in range(20)]
    path = table(tmp_path / "a.csv", [*changed, *rows[20:70], *[bill(number(3), "NEW")]])
    outlet.dies_after = len(outlet.sent) + 50
    with pytest.raises(Unreachable):
        send(path, outlet, tmp_path / "j", hours=1)
    outlet.dies_after = None
    said = send(path, outlet, tmp_path / "j", hours=2).receipt.difference
    assert said is not None
    assert (said.before, said.new, said.changed, said.unchanged, said.gone) == (100, 1, 20, 50, 30)
    assert (said.new_rows, said.changed_rows[:2], said.gone_rows[0]) == ([72], [2, 3], 72)
    assert "新增 1 行（第 72 行）" in said.text
    same = send(table(tmp_path / "a.csv", rows), Mortal(), tmp_path / "j", hours=3).receipt.difference
    assert same is not None
    assert (same.new, same.changed, same.gone) == (30, 20, 1)


def test_the_journal_is_private_and_knows_nobody(tmp_path: Path) -> None:
    send(table(tmp_path / "a.csv", people(30)), Mortal(), tmp_path / "j")
    for file in (tmp_path / "j").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        raw = file.read_bytes()
        assert not any(number(n).encode() in raw or LINKAGE.person(number(n)).encode() in raw for n in range(1, 61))


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", people(3))
    send(path, Mortal(), tmp_path / "j")
    next((tmp_path / "j").glob("*.json")).write_text("{")
    with pytest.raises(DataError, match="已损坏"):
        send(path, Mortal(), tmp_path / "j")


def test_loose_rows_go_on_too_and_repeats_are_the_same_facts(tmp_path: Path) -> None:
    path, outlet = table(tmp_path / "a.csv", people(100)), Mortal(57)
    with pytest.raises(Unreachable):
        send(path, outlet, tmp_path / "j", batch=None)
    outlet.dies_after = None
    done = send(path, outlet, tmp_path / "j", batch=None, hours=1)
    assert done.receipt.resumed_at == 41
    assert {d.fact.key for d in outlet.deliveries()} == {f"S{n}" for n in range(100)}
    versions: dict[str, set[Any]] = {}
    for delivery in outlet.deliveries():
        assert isinstance(delivery, Delivery)
        versions.setdefault(delivery.fact.key, set()).add(delivery.fact.version)
    assert all(len(found) == 1 for found in versions.values())


def test_the_command_says_what_it_did(run: Run, data: Path, tmp_path: Path) -> None:
    run("gateway", "init", "--synthetic")
    path, receipt = table(tmp_path / "bills.csv", people(30)), tmp_path / "receipt.json"
    words = ("feed", "publish", "medical.settlement", path, "--period", "2026-05", "--area", "339901000000")
    at = ("--at", "2026-06-03 09:00:00")
    assert run(*words, *at, "--receipt", receipt).code == 0
    said = json.loads(receipt.read_text())
    assert len(said["file_digest"]) == 64
    assert all(last >= first >= 0 for first, last in said["offsets"])
    again = run(*words, *at)
    assert (again.code, "没有重发" in again.out) == (0, True)
    table(path, people(31))
    changed = run(*words, *at)
    assert "新增 1 行（第 32 行）" in changed.out
    assert "没有重发" in run(*words, *at).out
    announced = data / "run" / "service.json"
    announced.write_text(json.dumps({**json.loads(announced.read_text()), "born": birth_of(os.getpid())}))
    restarted = run(*words, *at)
    assert (restarted.code, "没有重发" in restarted.out, "已送达 31 行" in restarted.out) == (0, False, True)


def test_the_journal_keeps_no_file_name(tmp_path: Path) -> None:
    for name, kept in (("钱多多_999999196503120017.csv", ".csv"), ("a.钱多多", "")):
        folder = tmp_path / f"j{len(kept)}"
        send(table(tmp_path / name, people(3)), Mortal(), folder)
        [journal] = folder.glob("*.json")
        assert json.loads(journal.read_text())["file"] == kept
        assert "钱多多" not in journal.read_text()
