"""The gateway's one path: sent, kept sealed, receipted, once; refused to quarantine; the plain file never stays."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gateway.aliases import FirstKnown
from gateway.events import BatchPlan
from gateway.inbox import Arrival, Inbox
from gateway.keeping import Keeping, opened
from gateway.publish import Published, publish_file
from gateway.sources import source_of
from gateway.vault import Entry, Identity, Vault
from gateway.watched import WatchedFolder, plan_of
from schemas.amount_limits import AmountLimits
from schemas.doubts import Doubts
from schemas.envelope import Delivery
from schemas.errors import CallError, DataError, Unreachable
from schemas.feed import FEEDS
from schemas.feed_reports import ReceiptReport, decode_report
from schemas.sealing import new_key_pair
from schemas.topics import FEED_REPORTS
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_publish import bill, table

KIND = "medical.settlement"
PRIVATE, PUBLIC = new_key_pair()
NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)
PLAN = BatchPlan("2026-05", ("339901000000",))


class Desk:
    """A gateway without a broker."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self.outlet, self.now, self.folder = Outlet(), NOW, folder
        self.linkage = FirstKnown(b"k" * 32, vault.first, synthetic=True)
        for n in range(1, 4):
            who = Identity("虚构甲", number(n))
            vault.write([Entry(self.linkage.person(number(n)), "h_1", n == 1, who)], 1)
        self.inbox = Inbox(
            folder / "gateway",
            publisher=lambda: self.outlet,
            linkage=self.linkage,
            vault=vault,
            public_key=PUBLIC,
            now=lambda: self.now,
            keep_days=30,
        )

    def file(self, rows: list[list[str]], name: str = "in.csv") -> Path:
        return table(self.folder / name, rows)

    def facts(self) -> list[str]:
        feeds = {spec.topic: spec for spec in FEEDS.values()}
        sent = [m for m in self.outlet.sent if m.topic in feeds]
        found = [o for m in sent for o in feeds[m.topic].decode(m.value, 4_000_000_000_000)]
        return [o.fact.key for o in found if isinstance(o, Delivery)]

    def reports(self) -> list[ReceiptReport]:
        found = [decode_report(m.value) for m in self.outlet.sent if m.topic == FEED_REPORTS]
        return [each for each in found if isinstance(each, ReceiptReport)]

    def readable(self) -> bytes:
        """Everything that lies below the gateway's folder."""
        return b"|".join(p.read_bytes() for p in sorted((self.folder / "gateway").rglob("*")) if p.is_file())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        made = Desk(tmp_path, vault)
        yield made
        made.inbox.close()


def test_a_file_is_sent_kept_sealed_and_gone(desk: Desk) -> None:
    path = desk.file([bill(number(n), f"S{n}") for n in (1, 2, 3, 9)])
    said = path.read_bytes()
    taken = desk.inbox.take(Arrival(path, KIND, "folder", "市医保局", PLAN))
    assert taken.state == "sent"
    assert taken.receipt is not None
    assert (taken.receipt.sent, taken.receipt.left_out, taken.receipt.closed) == (3, 1, True)
    assert sorted(desk.facts()) == ["S1", "S2", "S3"]
    assert not path.exists()
    [name] = desk.inbox.kept.names()
    kept = desk.folder / "gateway" / "kept" / name
    assert b"".join(opened(kept, PRIVATE)) == said
    assert kept.stat().st_mode & 0o077 == 0
    assert number(1).encode() not in desk.readable()
    [report] = desk.reports()
    assert (report.read, report.sent, report.left_out, report.way, report.department) == (4, 3, 1, "folder", "市医保局")


def test_the_same_file_again_changes_nothing_and_another_month_is_another_file(desk: Desk) -> None:
    rows = [bill(number(1), "S1")]
    first = desk.inbox.take(Arrival(desk.file(rows), KIND, "folder", "", PLAN))
    sent = len(desk.outlet.sent)
    again = desk.inbox.take(Arrival(desk.file(rows), KIND, "upload", "", PLAN))
    assert (again.state, again.receipt) == ("repeated", first.receipt)
    assert len(desk.outlet.sent) == sent
    other = desk.inbox.take(Arrival(desk.file(rows), KIND, "folder", "", BatchPlan("2026-06", PLAN.areas)))
    assert other.state == "sent"
    asked = desk.inbox.take(Arrival(desk.file(rows), KIND, "folder", "", PLAN, again=True))
    assert asked.state == "sent"


def test_bad_rows_go_to_quarantine_sealed(desk: Desk) -> None:
    wrong = number(2)[:-1] + ("0" if number(2)[-1] != "0" else "1")
    taken = desk.inbox.take(Arrival(desk.file([bill(number(1), "S1"), bill(wrong, "S2")]), KIND, "folder", "", PLAN))
    assert taken.state == "partly"
    assert [each.code for each in taken.problems] == ["BAD_IDENTITY"]
    [name] = desk.inbox.quarantine.names()
    assert wrong in b"".join(opened(desk.folder / "gateway" / "quarantine" / name, PRIVATE)).decode("utf-8-sig")
    assert wrong.encode() not in desk.readable()
    assert desk.reports()[0].refused == {"BAD_IDENTITY": 1}


def test_a_file_that_is_no_table_is_refused_whole(desk: Desk) -> None:
    path = desk.folder / "x.csv"
    path.write_text("甲,乙\n1,2\n", encoding="utf-8")
    taken = desk.inbox.take(Arrival(path, KIND, "upload", "", PLAN))
    assert taken.state == "refused"
    assert "表头" in taken.reason
    assert len(desk.inbox.quarantine.names()) == 1
    assert not path.exists()
    assert not desk.outlet.sent


def test_a_broker_that_is_away_leaves_the_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unreachable("消息服务没有应答")

    monkeypatch.setattr(desk.outlet, "flush", away)
    path = desk.file([bill(number(1), "S1")])
    with pytest.raises(Unreachable):
        desk.inbox.take(Arrival(path, KIND, "folder", "", PLAN))
    assert path.exists()
    monkeypatch.undo()
    assert desk.inbox.take(Arrival(path, KIND, "folder", "", PLAN)).state == "sent"


def test_kept_files_are_deleted_after_their_days_and_cannot_be_cut(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "kept", PUBLIC, days=30)
    plain = tmp_path / "plain"
    plain.write_bytes(bytes(2_500_000))
    kept = keeping.keep(plain, "x", NOW)
    assert sum(map(len, opened(kept, PRIVATE))) == 2_500_000
    whole = kept.read_bytes()
    kept.write_bytes(whole[: 4 + int.from_bytes(whole[:4], "big")])
    with pytest.raises(DataError, match="损坏"):
        list(opened(kept, PRIVATE))
    assert not keeping.sweep(NOW + timedelta(days=29, hours=23))
    assert keeping.sweep(NOW + timedelta(days=30)) == [kept.name]
    assert not keeping.names()


def test_what_a_killed_run_left_half_sealed_is_swept(desk: Desk) -> None:
    left = [desk.folder / "gateway" / kind / "20260603T090000-x.tmp" for kind in ("kept", "quarantine")]
    for path in left:
        path.write_bytes(b"half")
    desk.inbox.take(Arrival(desk.file([bill(number(1), "S1")]), KIND, "folder", "", PLAN))
    assert desk.inbox.sweep() == [path.name for path in left]
    assert [len(folder.names()) for folder in (desk.inbox.kept, desk.inbox.quarantine)] == [1, 0]


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_the_folder_takes_whole_files_only(desk: Desk) -> None:
    clock = Clock()
    watched = WatchedFolder(desk.folder / "drop", desk.inbox, settle_seconds=10, now=clock)
    watched.prepare()
    target = desk.folder / "drop" / KIND
    whole = desk.file([bill(number(1), "S1")]).read_bytes()
    growing = target / "2026-05_339901000000_bills.csv"
    growing.write_bytes(whole[:50])
    (target / "x.csv.part").write_bytes(whole)
    (target / ".hidden.csv").write_bytes(whole)
    assert not watched.look()
    clock.at = 11
    growing.write_bytes(whole)
    assert not watched.look()
    clock.at = 15
    assert not watched.look()
    clock.at = 21.5
    [taken] = watched.look()
    assert taken.state == "sent"
    assert taken.receipt is not None
    assert taken.receipt.period == "2026-05"
    assert sorted(p.name for p in target.iterdir()) == [".hidden.csv", ".taking", "x.csv.part"]
    assert not list((target / ".taking").iterdir())
    for name, state in (("2026-05_339901000000_x.csv", "repeated"), ("2026-05_339901000000_x_again.csv", "sent")):
        (target / name).write_bytes(whole)
        assert not watched.look()
        clock.at += 11
        assert [each.state for each in watched.look()] == [state]


def test_what_comes_under_the_same_name_meanwhile_is_another_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = WatchedFolder(desk.folder / "drop", desk.inbox, settle_seconds=0)
    watched.prepare()
    path = desk.folder / "drop" / KIND / "2026-05_339901000000_x.csv"
    path.write_bytes(desk.file([bill(number(1), "S1")]).read_bytes())
    corrected = desk.file([bill(number(1), "S2")]).read_bytes()

    def meanwhile(*args: Any, **more: Any) -> Published:
        monkeypatch.undo()
        path.write_bytes(corrected)
        return publish_file(*args, **more)

    monkeypatch.setattr("gateway.inbox.publish_file", meanwhile)
    watched.look()
    assert [each.state for each in watched.look()] == ["sent"]
    assert (desk.facts(), path.exists()) == (["S1"], True)
    watched.look()
    assert [each.state for each in watched.look()] == ["sent"]
    assert (desk.facts(), path.exists()) == (["S1", "S2"], False)


def test_what_a_killed_run_was_taking_is_taken_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    folder = desk.folder / "drop"
    watched = WatchedFolder(folder, desk.inbox, settle_seconds=0)
    watched.prepare()
    (folder / KIND / "2026-05_339901000000_x.csv").write_bytes(desk.file([bill(number(1), "S1")]).read_bytes())
    watched.look()
    monkeypatch.setattr("gateway.inbox.publish_file", killed)
    with pytest.raises(KeyboardInterrupt):
        watched.look()
    monkeypatch.undo()
    [taken] = WatchedFolder(folder, desk.inbox, settle_seconds=3600).look()
    assert (taken.state, taken.receipt and taken.receipt.period) == ("sent", "2026-05")
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_each_department_has_a_folder_where_several_send_a_feed(desk: Desk) -> None:
    kind, name = "vital.death", "2026-05_339901000000_replace.jsonl"
    watched = WatchedFolder(desk.folder / "drop", desk.inbox, settle_seconds=0)
    watched.prepare()
    line = {"identity": number(1), "id": "殡-1", "reported_by": "cremation", "died_on": "2026-05-02"}
    places = [desk.folder / "drop" / kind, *(desk.folder / "drop" / kind / each for each in ("市公安局", "市卫健委"))]
    for place in places:
        place.mkdir(exist_ok=True)
        (place / name).write_text(json.dumps(line) + "\n", encoding="utf-8")
    watched.look()
    taken = watched.look()
    assert [each.state for each in taken] == ["refused", "sent", "sent"]
    assert "本单位名称" in taken[0].reason
    events = [json.loads(m.value) for m in desk.outlet.sent if m.topic == FEEDS[kind].topic]
    sources = {source_of(kind, each) for each in ("市公安局", "市卫健委")}
    assert {each["source"] for each in events} == sources
    assert len(sources) == 2
    assert [each.department for each in desk.reports()] == ["市公安局", "市卫健委"]
    assert not [path for path in (desk.folder / "drop").rglob("*") if path.is_file()]


def test_a_row_in_another_unit_goes_to_quarantine_and_its_batch_stays_open(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubts = Doubts()
    doubts.learn(KIND, AmountLimits(1, {"total": (1_000, 10_000_000)}))
    monkeypatch.setattr(desk.inbox, "_doubts", lambda: doubts)
    dear = bill(number(2), "S2", total="12860000.00", in_catalogue_self_paid="12858964.00")
    taken = desk.inbox.take(Arrival(desk.file([bill(number(1), "S1"), dear]), KIND, "upload", "某局", PLAN))
    assert (taken.state, taken.receipt and taken.receipt.closed, desk.facts()) == ("partly", False, ["S1"])
    assert [each.code for each in taken.problems] == ["AMOUNT_UNIT"]
    [bad] = [name for name in desk.inbox.quarantine.names() if ".bad" in name]
    assert b"S2" in b"".join(opened(desk.folder / "gateway" / "quarantine" / bad, PRIVATE))
    [report] = desk.reports()
    assert report.refused == {"AMOUNT_UNIT": 1}


def test_a_folder_named_after_a_person_is_no_department(desk: Desk) -> None:
    place = desk.folder / "drop" / KIND / number(1)
    place.mkdir(parents=True)
    (place / "x.csv").write_bytes(desk.file([bill(number(1), "S1")]).read_bytes())
    watched = WatchedFolder(desk.folder / "drop", desk.inbox, settle_seconds=0)
    watched.look()
    [taken] = watched.look()
    assert (taken.state, desk.facts()) == ("refused", [])
    assert number(1).encode() not in desk.readable()


def test_a_receipt_counts_what_is_wrong_with_numbers_and_how_large_amounts_are(desk: Desk) -> None:
    good, old = number(1), number(1)[:6] + number(1)[8:17]
    wrong = number(2)[:-1] + ("0" if number(2)[-1] != "0" else "1")
    two = number(2)
    bad = [wrong, "1.1E+17", two[:10] + "O" + two[11:], two[:9] + "*" * 9, two[:16], two[:15] + "000"]
    rows = [bill(who, f"S{n}") for n, who in enumerate([good, good, *bad])]
    desk.inbox.take(Arrival(desk.file(rows), KIND, "upload", "某局", PLAN))
    desk.inbox.take(Arrival(desk.file([bill(old, "T1"), bill(good, "T2")], "b.csv"), KIND, "upload", "某局", PLAN))
    first, second = desk.reports()
    assert first.identities == {"checksum": 1, "excel": 2, "letters": 1, "masked": 1, "length": 1}
    assert second.identities == {"fifteen": 1}
    assert first.amounts["total"] == {(128_600).bit_length(): 2}
    assert "disease" not in first.amounts


def test_names_say_what_the_batch_is() -> None:
    assert plan_of("2026-05_339901000000_x.csv") == PLAN
    assert plan_of("2026-05_339901000000_replace.csv") == BatchPlan("2026-05", PLAN.areas, "replace_period")
    two = plan_of("2026-05_339901000000+330109000000.xlsx")
    assert two is not None
    assert two.areas == ("339901000000", "330109000000")
    assert plan_of("单笔补报.csv") is None
    for wrong in ("2026-13_339901000000.csv", "2026-5_339901000000_x.csv", "2026-05_33990100_x.csv"):
        with pytest.raises(CallError, match="改名后重新投递"):
            plan_of(wrong)


@pytest.mark.parametrize(
    "mode", ["Replace", "replaced", "x_replace", "snapshots", "Snapshot", "repalce", "replace-x", "replace_snapshot"]
)
def test_a_mode_written_wrongly_is_not_an_increment(mode: str) -> None:
    for name in (f"2026-05_339901000000_{mode}.csv", f"{mode}_again.csv"):
        with pytest.raises(CallError, match="方式写错"):
            plan_of(name)
    assert plan_of("2026-05_339901000000_rent_again.csv") == PLAN


def test_a_name_with_a_month_there_is_not_is_refused_and_seen(desk: Desk) -> None:
    watched = WatchedFolder(desk.folder / "drop", desk.inbox, settle_seconds=0)
    watched.prepare()
    path = desk.folder / "drop" / KIND / "2026-13_339901000000_replace.csv"
    said = desk.file([bill(number(1), "S1")]).read_bytes()
    path.write_bytes(said)
    watched.look()
    [taken] = watched.look()
    assert (taken.state, path.exists(), desk.outlet.sent) == ("refused", False, [])
    [written] = (desk.folder / "gateway" / "receipts").glob("*.json")
    receipt = json.loads(written.read_text(encoding="utf-8"))
    assert (receipt["feed"], receipt["state"]) == (KIND, "refused")
    assert "月份" in receipt["reason"]
    [name] = desk.inbox.quarantine.names()
    assert b"".join(opened(desk.folder / "gateway" / "quarantine" / name, PRIVATE)) == said
    renamed = path.with_name("2026-12_339901000000_replace.csv")
    renamed.write_bytes(said)
    watched.look()
    [taken] = watched.look()
    assert (taken.state, taken.receipt and taken.receipt.period) == ("sent", "2026-12")


def test_somebody_over_the_line_passes_and_stays_watched(desk: Desk) -> None:
    kind = "medical.year_total"
    stranger = number(50)
    rows = [
        {"identity": stranger, "year": "2026", "as_of": "2026-04", "borne": 900_000},
        {"identity": stranger, "year": "2026", "as_of": "2026-05", "borne": 1_000_000},
    ]
    path = desk.folder / "y.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    taken = desk.inbox.take(Arrival(path, kind, "upload", ""))
    assert taken.receipt is not None, taken.reason
    assert (taken.receipt.sent, taken.receipt.left_out) == (1, 1)
    followed = desk.file([bill(stranger, "S9")], "later.csv")
    later = desk.inbox.take(Arrival(followed, KIND, "upload", ""))
    assert later.receipt is not None
    assert later.receipt.sent == 1


def test_a_folder_says_that_the_broker_is_away_and_keeps_one_copy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unreachable("消息服务没有应答")

    monkeypatch.setattr(desk.outlet, "flush", away)
    watched = WatchedFolder(desk.folder / "drop", desk.inbox, settle_seconds=0)
    watched.prepare()
    wrong = number(2)[:-1] + ("0" if number(2)[-1] != "0" else "1")
    whole = desk.file([bill(number(1), "S1"), bill(wrong, "S2")]).read_bytes()
    (desk.folder / "drop" / KIND / "2026-05_339901000000_x.csv").write_bytes(whole)
    watched.look()
    for _ in range(3):
        desk.now += timedelta(seconds=2)
        with pytest.raises(Unreachable):
            watched.look()
    assert len(desk.inbox.kept.names()) == 1
    assert not desk.inbox.quarantine.names()
    monkeypatch.undo()
    assert [each.state for each in watched.look()] == ["partly"]
    assert len(desk.inbox.kept.names()) == 1
    assert len(desk.inbox.quarantine.names()) == 1


def test_a_workbook_cut_short_is_refused_and_the_next_file_is_taken(desk: Desk) -> None:
    headings, *rows = csv.reader(io.StringIO(desk.file([bill(number(1), "S1")] * 40).read_text(encoding="gb18030")))
    book = openpyxl.Workbook()
    for row in [headings, *rows]:
        book.worksheets[0].append(row)
    whole, cut = desk.folder / "whole.xlsx", desk.folder / "cut.xlsx"
    book.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(cut, "w") as new:
        for each in old.namelist():
            said = old.read(each)
            new.writestr(each, said[: len(said) * 3 // 4] if each.endswith("sheet1.xml") else said)
    taken = desk.inbox.take(Arrival(cut, KIND, "folder", "", PLAN))
    assert (taken.state, cut.exists()) == ("refused", False)
    assert "损坏" in taken.reason
    assert len(desk.inbox.quarantine.names()) == 1
    assert desk.inbox.take(Arrival(whole, KIND, "folder", "", PLAN)).state != "refused"


def test_what_no_reader_foresaw_is_set_aside(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*_: object, **__: object) -> None:
        raise SyntaxError("x")

    monkeypatch.setattr("gateway.inbox.publish_file", odd)
    path = desk.file([bill(number(1), "S1")])
    taken = desk.inbox.take(Arrival(path, KIND, "folder", "", PLAN))
    assert (taken.state, path.exists()) == ("refused", False)
    assert "SyntaxError" in taken.reason


def test_a_file_nobody_may_read_or_that_went_holds_up_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    watched = WatchedFolder(desk.folder / "drop", desk.inbox, settle_seconds=0, now=clock)
    watched.prepare()
    target = desk.folder / "drop" / KIND
    locked, fine = target / "a.csv", target / "b.csv"
    said = desk.file([bill(number(1), "S1")]).read_bytes()
    locked.write_bytes(desk.file([bill(number(1), "S2")]).read_bytes())
    fine.write_bytes(said)
    (target / "c.csv").symlink_to(target / "gone.csv")
    opened_before, tried = Path.open, []

    def refuse(path: Path, *args: Any, **more: Any) -> Any:
        if path == locked:
            tried.append(path)
            raise PermissionError(13, "x")
        return opened_before(path, *args, **more)

    monkeypatch.setattr(Path, "open", refuse)
    watched.look()
    assert [each.state for each in watched.look()] == ["sent"]
    assert not watched.look()
    assert len(tried) == 1
    assert locked.exists()
    monkeypatch.undo()
    clock.at = 61
    assert [each.state for each in watched.look()] == ["sent"]


def test_a_whole_month_sent_back_to_its_first_version_is_sent(desk: Desk) -> None:
    plan = BatchPlan("2026-05", PLAN.areas, "replace_period")

    def send(key: str, *, again: bool = False) -> str:
        path = desk.file([bill(number(1), key)])
        desk.now += timedelta(minutes=1)
        return desk.inbox.take(Arrival(path, KIND, "folder", "", plan, again=again)).state

    states = [send(key) for key in ("S1", "S1", "S2", "S1", "S1")]
    assert states == ["sent", "repeated", "sent", "sent", "repeated"]
    assert desk.facts() == ["S1", "S2", "S1"]
    assert send("S1", again=True) == "sent"
