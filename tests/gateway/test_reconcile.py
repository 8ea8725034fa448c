"""The roster against the ledgers: thirty planted differences, each reported by itself; none where there is none."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.identities import Linkage
from gateway.reconcile import UNKNOWN, Difference, Reconciled, reconcile
from gateway.roster import load_roster
from gateway.signoffs import Signoffs
from gateway.vault import Vault
from lidm.standing import members_of
from schemas.errors import CallError, DataError
from schemas.feed import FEEDS
from streams.registry import Registry
from streams.routing import Inbound, Router
from streams.watch import Watch
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_roster import HEADER, member, write
from tests.streams.making import Log, config, fold

LINKAGE = Linkage(b"k" * 32, synthetic=True)
RECORDED = datetime(2026, 6, 3, 9, tzinfo=UTC)
ON = date(2026, 6, 3)
DISTRICT = "339901000000"
FAMILIES = 60
Rows = list[list[str]]
AT = {column: index for index, column in enumerate(HEADER)}


def families(count: int = FAMILIES) -> Rows:
    """A head and two children each."""
    rows = []
    for n in range(count):
        rows += [
            member(f"HK{n}", number(n + 1, "19650312"), "户主"),
            member(f"HK{n}", number(n + 1, "19900312")),
            member(f"HK{n}", number(n + 1, "19920312")),
        ]
    return rows


def changed(row: list[str], **cells: str) -> list[str]:
    return [cells.get(column, cell) for column, cell in zip(HEADER, row, strict=True)]


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """The ledgers after the roster was loaded."""
    folder = tmp_path_factory.mktemp("roster")
    outlet = Outlet(count=1)
    with Vault(folder / "v.sqlite", b"v" * 32) as vault:
        load_roster(
            write(folder / "r.csv", families()), publisher=outlet, linkage=LINKAGE, vault=vault, recorded=RECORDED
        )
    log = Log()
    spec = FEEDS["civil.household"]
    ms = int(RECORDED.timestamp() * 1000)
    log.router = Router(Registry(), 1, bytes(range(1, 33)))
    log.router.take(spec, [Inbound(spec.topic, 0, n, ms, m.key, m.value) for n, m in enumerate(outlet.sent)])
    log.letters(log.router.drain()[0])
    made = Watch(0, config())
    fold(made, log.blocks)
    made.keep(made.drain().state)
    return made


def compared(watch: Watch, path: Path, rows: Rows) -> Reconciled:
    here = [m for name in watch.names() for m in members_of(watch.household(name), ON)]
    return reconcile(write(path, rows), here, linkage=LINKAGE, on=ON)


def planted() -> tuple[Rows, Counter[str]]:
    """Thirty differences of five kinds, six of each."""
    rows = families()
    for n in range(6):
        rows[3 * n] = changed(rows[3 * n], 责任属地区划代码="339901003000")
        rows[30 + 3 * n + 1] = changed(rows[30 + 3 * n + 1], 救助类别="特困" if n % 2 else "无")
        joined, relation = ("2024/2/1", "子女") if n % 2 else ("2024/1/1", "孙子")
        rows[60 + 3 * n + 2] = changed(rows[60 + 3 * n + 2], 加入日期=joined, 与户主关系=relation)
    gone = {90 + 3 * n + 1 for n in range(5)}
    gone_and_left = 90 + 3 * 5 + 1
    rows[gone_and_left] = changed(rows[gone_and_left], 退出日期="2026-01-01")
    kept = [row for at, row in enumerate(rows) if at not in gone]
    kept += [member(f"HK{40 + n}", number(n + 100, "20010101")) for n in range(6)]
    return kept, Counter(area=6, status=6, member=6, not_in_roster=6, not_here=6)


def test_the_same_roster_agrees_in_everything(watch: Watch, tmp_path: Path) -> None:
    found = compared(watch, tmp_path / "same.csv", families())
    assert not found.differences
    assert [(d.area, d.people, d.share, d.red) for d in found.districts] == [(DISTRICT, 3 * FAMILIES, 1.0, False)]
    assert not found.red


def test_thirty_planted_differences_are_each_reported(watch: Watch, tmp_path: Path) -> None:
    rows, expected = planted()
    found = compared(watch, tmp_path / "planted.csv", rows)
    assert Counter(each.kind for each in found.differences) == expected
    assert len({(each.kind, each.person) for each in found.differences}) == 30
    assert found.red
    assert found.districts[0].differing == 30
    named = {each.row for each in found.differences if each.kind != "not_in_roster"}
    assert len(named) == 24
    for each in found.differences:
        if each.row:
            assert LINKAGE.person(rows[each.row - 2][AT["证件号码"]]) == each.person
    text = " ".join(str(each.as_json()) for each in found.differences)
    assert "虚构甲" not in text
    assert not [n for n in range(1, 70) if number(n) in text]


def test_a_household_moved_by_a_wrong_number_is_one_difference(watch: Watch, tmp_path: Path) -> None:
    rows = families()
    rows[1] = changed(rows[1], 户号="HK1")
    [only] = compared(watch, tmp_path / "moved.csv", rows).differences
    assert only.kind == "member"
    assert only.row == 3


def test_what_cannot_be_read_counts_as_different(watch: Watch, tmp_path: Path) -> None:
    rows = families()
    rows[4] = changed(rows[4], 证件号码="99999919900312001")
    found = compared(watch, tmp_path / "bad.csv", rows)
    assert sorted(each.kind for each in found.differences) == ["not_in_roster", "unreadable"]
    assert found.red


def test_rows_that_cannot_be_read_count_where_their_household_lives(watch: Watch, tmp_path: Path) -> None:
    """Not in the first district of the file, which need not have a single wrong row."""
    far, bad, rows = "339902001000", "99999919900312001", families(2)
    spoilt = [
        member("HK8", number(80), "户主", 责任属地区划代码=far),
        member("HK8", bad),
        member("HK9", bad, "户主", 责任属地区划代码=far),
        member("HK9", number(81)),
        member("", bad),
    ]
    found = compared(watch, tmp_path / "bad.csv", [*rows, *spoilt])
    where = Counter(each.district for each in found.differences if each.kind == "unreadable")
    assert where == {"339902000000": 3, UNKNOWN: 1}  # a child, a head, the household without it; a row of nobody's
    assert {each.area: each.by_kind.get("unreadable", 0) for each in found.districts} == {
        DISTRICT: 0, "339902000000": 3, UNKNOWN: 1,
    }  # fmt: skip


def test_a_row_of_nobodys_belongs_to_the_area_the_export_is_of(watch: Watch, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.csv", [*families(1), member("", "12345")])
    here = [m for name in watch.names() for m in members_of(watch.household(name), ON)]
    found = reconcile(path, here, linkage=LINKAGE, on=ON, issuing_area=DISTRICT)
    assert [each.area for each in found.districts] == [DISTRICT]


@pytest.fixture
def signoffs(tmp_path: Path) -> Iterator[Signoffs]:
    with Signoffs(tmp_path / "s.sqlite") as opened:
        yield opened


def test_districts_sign_once_and_say_why_when_red(watch: Watch, tmp_path: Path, signoffs: Signoffs) -> None:
    path = tmp_path / "planted.csv"
    found = compared(watch, path, planted()[0])
    run = signoffs.keep(found, path, actor="李", at_ms=1)
    assert signoffs.keep(found, path, actor="李", at_ms=2) == run
    with pytest.raises(CallError, match="说明"):
        signoffs.sign(run, DISTRICT, signer="王局", note="", at_ms=3)
    with pytest.raises(DataError, match="没有这次核对"):
        signoffs.sign(run, "330109000000", signer="王局", note="", at_ms=3)
    signoffs.sign(run, DISTRICT, signer="王局", note="月底前改正", at_ms=4)
    with pytest.raises(DataError, match="已为"):
        signoffs.sign(run, DISTRICT, signer="赵局", note="x", at_ms=5)
    [kept] = signoffs.runs()
    assert kept["districts"][0]["signed_by"] == "王局"
    assert signoffs.verify() is None


def test_differences_keep_their_shape() -> None:
    assert {"kind", "row", "label"} <= Difference("area", "", "", "", 1, "", "").as_json().keys()
