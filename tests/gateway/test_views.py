"""A department's view pulled by watermark: each row once or more, never none; the mark moves only after delivery."""

import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.config import View
from gateway.vault import Vault
from gateway.views import Watermarks, earlier, pull
from schemas.envelope import Manifest
from schemas.errors import CallError, DataError, Retry, Unreachable
from schemas.feed import FEEDS
from tests.gateway.people import number
from tests.gateway.test_inbox import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Vault(tmp_path / "v.sqlite", b"v" * 32) as vault:
        made = Desk(tmp_path, vault)
        yield made
        made.inbox.close()


class Department:
    """A department's database."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "dept.db"
        self.db = sqlite3.connect(self.path)
        self.db.execute("CREATE TABLE v_rent (ID_NO, CONTRACT, PERIOD, ITEM, AMOUNT, PAID, DUE, CHANGED INTEGER)")
        url = folder / "url"
        url.write_text(f"sqlite:///{self.path}")
        url.chmod(0o600)
        self.view = View(
            name="rent",
            url_file=url,
            table="v_rent",
            feed="housing.security",
            watermark="CHANGED",
            columns={
                "ID_NO": "证件号码",
                "CONTRACT": "合同编号",
                "PERIOD": "账期",
                "ITEM": "记录类型",
                "AMOUNT": "金额(元)",
                "PAID": "已缴金额(元)",
                "DUE": "应缴日期",
            },
            page_rows=4,
        )

    def add(self, *rows: tuple[str, int | str], amount: str = "420.50") -> None:
        for contract, changed in rows:
            values = (number(1), contract, "2026-05", "bill", amount, "0", "2026-05-10", changed)
            self.db.execute("INSERT INTO v_rent VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        self.db.commit()


@pytest.fixture
def department(tmp_path: Path) -> Department:
    return Department(tmp_path)


def contracts(desk: Desk) -> list[str]:
    return sorted({key.split("|")[0] for key in desk.facts()})


def test_rows_come_in_pages_and_late_ones_with_the_same_mark_too(desk: Desk, department: Department) -> None:
    marks = Watermarks(desk.folder / "marks.sqlite")
    department.add(*((f"C{n}", n // 2) for n in range(9)))
    taken = pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    assert len(taken) > 1
    assert contracts(desk) == [f"C{n}" for n in range(9)]
    assert marks.read("rent") == (4, 1)
    assert not pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    department.add(("late", 4), ("new", 5))
    pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    assert {"late", "new"} <= set(contracts(desk))
    assert not list((desk.folder / "pulled").iterdir())
    assert number(1).encode() not in desk.readable()


def test_the_mark_stays_where_the_broker_was_away(
    desk: Desk, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Unreachable("消息服务没有应答")

    marks = Watermarks(desk.folder / "marks.sqlite")
    department.add(("C1", 1))
    monkeypatch.setattr(desk.outlet, "flush", away)
    with pytest.raises(Unreachable):
        pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    assert marks.read("rent") == (None, 0)
    monkeypatch.undo()
    pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    assert contracts(desk) == ["C1"]


def test_what_cannot_be_read_is_said_without_the_address(desk: Desk, department: Department) -> None:
    marks = Watermarks(desk.folder / "marks.sqlite")
    missing = department.view.model_copy(update={"table": "nothing"})
    with pytest.raises(Retry) as said:
        pull(missing, desk.inbox, marks, desk.folder / "pulled")
    assert "dept.db" not in str(said.value)
    department.add(*((f"C{n}", 7) for n in range(9)))
    with pytest.raises(DataError, match="page_rows"):
        pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    department.view.url_file.chmod(0o644)
    with pytest.raises(CallError, match="他人读取"):
        pull(department.view, desk.inbox, marks, desk.folder / "pulled")


def test_a_next_mark_that_does_not_fit_beside_known_rows_is_still_read(desk: Desk, department: Department) -> None:
    marks = Watermarks(desk.folder / "marks.sqlite")
    department.add(*((f"A{n}", 1) for n in range(3)))
    pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    department.add(*((f"B{n}", 2) for n in range(3)), ("late", 1))
    pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    assert contracts(desk) == ["A0", "A1", "A2", "B0", "B1", "B2", "late"]
    assert marks.read("rent") == (2, 3)
    department.add(*((f"C{n}", 3) for n in range(5)))
    with pytest.raises(DataError, match="page_rows"):
        pull(department.view, desk.inbox, marks, desk.folder / "pulled")


def test_a_row_seen_later_than_its_stamp_says_is_taken(desk: Desk, department: Department) -> None:
    """A transaction takes its time first and ends afterwards: what came in between has moved the watermark on."""
    marks, day = Watermarks(desk.folder / "marks.sqlite"), "2026-05-18"
    department.add(*((f"C{n}", f"{day} 09:{n:02}:00") for n in range(18, 31)))
    pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    assert not pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    department.add(("late", f"{day} 09:25:30"), ("older", f"{day} 09:19:59"))
    before = len(desk.facts())
    pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    assert "late" in contracts(desk)
    assert "older" not in contracts(desk)
    assert len(desk.facts()) - before == 12  # ten minutes, whatever fits into a page
    assert marks.read("rent") == (f"{day} 09:30:00", 12)
    assert not pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    patient = department.view.model_copy(update={"overlap_minutes": 15})
    pull(patient, desk.inbox, marks, desk.folder / "pulled")
    assert "older" in contracts(desk)


@pytest.mark.parametrize(
    ("mark", "minutes", "before"),
    [
        (datetime(2026, 5, 18, 0, 5, tzinfo=UTC), 10, datetime(2026, 5, 17, 23, 55, tzinfo=UTC)),
        (date(2026, 5, 1), 10, date(2026, 4, 30)),
        (date(2026, 5, 1), 0, date(2026, 5, 1)),
        (date.min, 10, date.min),
        ("2026-05-18 00:05:00", 10, "2026-05-17 23:55:00"),
        ("2026-05-18T00:05:00.123", 10, "2026-05-17T23:55:00"),
        ("20260518000500", 10, "20260517235500"),
        (20260518000500, 10, 20260517235500),
        ("2026/05/01", 1441, "2026/04/29"),
        (2026112233, 10, 2026112233),
        ("2026-5-18 0:05:00", 10, "2026-5-18 0:05:00"),
        (7, 10, 7),
        ("A-17", 10, "A-17"),
    ],
)
def test_how_far_back_a_pull_begins(mark: Any, minutes: int, before: Any) -> None:
    assert earlier(mark, minutes) == before


def closed(desk: Desk) -> set[str]:
    spec = FEEDS["housing.security"]
    said = [each for m in desk.outlet.sent if m.topic == spec.topic for each in spec.decode(m.value, 4_000_000_000_000)]
    return {each.batchid for each in said if isinstance(each, Manifest) and each.what == "end"}


def test_a_month_is_closed_by_the_last_page_of_a_pull_only(
    desk: Desk, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = Watermarks(desk.folder / "marks.sqlite")
    view = department.view.model_copy(update={"period": "2026-05", "areas": ["339901000000"]})
    department.add(*((f"C{n}", n) for n in range(9)))
    seen: list[int] = []
    write = marks.write

    def note(name: str, mark: Any, rows: int) -> None:
        seen.append(len(closed(desk)))
        write(name, mark, rows)

    monkeypatch.setattr(marks, "write", note)
    pull(view, desk.inbox, marks, desk.folder / "pulled")
    assert seen == [0, 0, 1]


def test_a_month_with_a_refused_row_is_closed_by_no_later_page(desk: Desk, department: Department) -> None:
    marks = Watermarks(desk.folder / "marks.sqlite")
    view = department.view.model_copy(update={"period": "2026-05", "areas": ["339901000000"]})
    department.add(("bad", 1), amount="很多")
    department.add(*((f"C{n}", n) for n in range(2, 9)))
    states = [taken.state for taken in pull(view, desk.inbox, marks, desk.folder / "pulled")]
    assert "partly" in states
    assert not closed(desk)
    marks.close()
    marks = Watermarks(desk.folder / "marks.sqlite")
    department.add(("next", 20))
    pull(view, desk.inbox, marks, desk.folder / "pulled")
    assert "next" in contracts(desk)
    assert not closed(desk)
    june = view.model_copy(update={"period": "2026-06"})
    department.add(("june", 21))
    pull(june, desk.inbox, marks, desk.folder / "pulled")
    assert len(closed(desk)) == 1


def test_a_driver_that_is_not_installed_is_named(
    desk: Desk, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    department.view.url_file.write_text("postgresql+psycopg2://u:secret@h/d")
    with pytest.raises(CallError, match="缺少数据库驱动 psycopg2") as said:
        pull(department.view, desk.inbox, Watermarks(desk.folder / "marks.sqlite"), desk.folder / "pulled")
    assert "secret" not in str(said.value)
