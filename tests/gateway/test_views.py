"""A department's view pulled by watermark: each row once or more, never none; the mark moves only after delivery."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import View
from gateway.vault import Vault
from gateway.views import Watermarks, pull
from schemas.errors import CallError, DataError, Unreachable
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

    def add(self, *rows: tuple[str, int]) -> None:
        for contract, changed in rows:
            values = (number(1), contract, "2026-05", "bill", "420.50", "0", "2026-05-10", changed)
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
    with pytest.raises(Unreachable) as said:
        pull(missing, desk.inbox, marks, desk.folder / "pulled")
    assert "dept.db" not in str(said.value)
    department.add(*((f"C{n}", 7) for n in range(9)))
    with pytest.raises(DataError, match="page_rows"):
        pull(department.view, desk.inbox, marks, desk.folder / "pulled")
    department.view.url_file.chmod(0o644)
    with pytest.raises(CallError, match="他人读取"):
        pull(department.view, desk.inbox, marks, desk.folder / "pulled")
