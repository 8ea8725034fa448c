import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from gateway.identities import Linkage
from gateway.roster import RosterReport, load_roster
from gateway.roster_rows import COLUMNS, RosterRow, read_roster
from gateway.tables import open_table
from gateway.vault import Vault
from schemas.errors import DataError
from schemas.facts import Membership
from tests.gateway.outlet import Outlet
from tests.gateway.people import number

LINKAGE = Linkage(b"k" * 32, synthetic=True)
RECORDED = datetime(2026, 6, 3, 9, tzinfo=UTC)
HEADER = [c for c in COLUMNS if c not in {"证件类型", "认定机关", "急难发生地区划代码", "认定地区划代码"}]
TOWN = "339901001000"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with Vault(tmp_path / "vault.sqlite", b"v" * 32) as opened:
        yield opened


def member(household: str, who: str, relation: str = "子女", **changes: str) -> list[str]:
    cells = {
        "户号": household,
        "与户主关系": relation,
        "姓名": "虚构甲",
        "证件号码": who,
        "救助类别": "低保",
        "类别起": "2025-01-01",
        "文号": "星民认〔2025〕12号",
        "联系电话": "13900000001、0571-12345678",
        "住址": "星河市一号, 2幢",
        "加入日期": "2024/1/1",
    }
    if relation == "户主":
        cells |= {
            "责任属地区划代码": TOWN,
            "居住地区划代码": "339901002",
            "核定月收入(元)": "1,800.50",
            "收入认定期间": "2025",
        }
    return [(cells | changes).get(column, "") for column in HEADER]


def write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    if path.suffix == ".xlsx":
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        for row in [HEADER, *rows]:
            sheet.append(list(row))
        book.save(path)
    else:
        with path.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows])
    return path


def load(path: Path, outlet: Outlet, vault: Vault, **options: Any) -> RosterReport:
    return load_roster(path, publisher=outlet, linkage=LINKAGE, vault=vault, recorded=RECORDED, **options)


def memberships(outlet: Outlet) -> list[Membership]:
    return [d.fact for d in outlet.deliveries() if isinstance(d.fact, Membership)]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_household_becomes_memberships_and_only_the_vault_knows_who(tmp_path: Path, vault: Vault, name: str) -> None:
    outlet = Outlet()
    rows = [
        member("HK1", number(1), "户主"),
        member("HK1", number(2), "妻子", 出生日期="1970-05-06"),
        member("HK1", number(3), "侄媳", 救助类别="", 退出日期="2026-05-01"),
    ]
    report = load(write(tmp_path / name, rows), outlet, vault)
    assert report.problems == ()
    head, wife, left = memberships(outlet)
    assert {head.household, wife.household, left.household} == {LINKAGE.household("339901000000", "HK1")}
    assert (head.relation, wife.relation, left.relation) == ("HEAD", "SPOUSE", "OTHER")
    assert head.declared is not None
    assert (head.declared.responsible_area, head.declared.residence_area) == (TOWN, "339901002000")
    assert (head.declared.hukou_area, head.declared.incident_area) == (TOWN, "339901002000")
    assert (head.declared.monthly_income_fen, head.declared.income_period) == (180_050, "2025")
    assert head.declared.income_document == "星民认〔2025〕12号"
    assert wife.declared is None
    assert wife.born == date(1970, 5, 6).toordinal()
    assert head.born == date(1965, 3, 12).toordinal()
    assert [(s.scheme, s.since, s.until) for s in head.statuses] == [("DIBAO", date(2025, 1, 1).toordinal(), None)]
    assert left.statuses == ()
    assert left.until == date(2026, 5, 1).toordinal()
    assert report.new_persons == tuple(LINKAGE.person(number(n)) for n in (1, 2, 3))
    assert vault.members(head.household, date(2026, 6, 1)) == [LINKAGE.person(number(n)) for n in _order(1, 2)]
    who = vault.open(head.person, actor="李", purpose="入户核实", case_id="c1", at_ms=1)
    assert who is not None
    assert (who.name, who.number, who.phones) == ("虚构甲", number(1), ("13900000001", "0571-12345678"))
    assert who.addresses == ("星河市一号, 2幢",)


def _order(*numbers: int) -> list[int]:
    head, *rest = numbers
    return [head, *sorted(rest, key=lambda n: LINKAGE.person(number(n)))]


def test_the_batch_of_a_roster_is_closed_for_its_county(tmp_path: Path, vault: Vault) -> None:
    outlet = Outlet()
    report = load(write(tmp_path / "a.csv", [member("HK1", number(1), "户主")]), outlet, vault)
    ends = [m for m in outlet.manifests() if m.what == "end"]
    assert [(m.period, m.areas, m.mode) for m in ends] == [("2026-06", ("339901000000",), "delta")] * 4
    assert sum(m.rows for m in ends) == 1
    assert report.receipt.closed


def test_several_categories_are_one_membership(tmp_path: Path, vault: Vault) -> None:
    outlet = Outlet()
    rows = [
        member("HK1", number(1), "户主"),
        member("HK1", number(1), "户主", 救助类别="刚性支出困难家庭成员", 类别起="2026-01-01", 类别止="2027-01-01"),
    ]
    load(write(tmp_path / "a.csv", rows), outlet, vault)
    (head,) = memberships(outlet)
    assert [s.scheme for s in head.statuses] == ["DIBAO", "GANGXING"]


def test_loading_again_finds_nobody_new_and_somebody_else_is(tmp_path: Path, vault: Vault) -> None:
    path = write(tmp_path / "a.csv", [member("HK1", number(1), "户主")])
    told: list[tuple[str, ...]] = []
    load(path, Outlet(), vault, on_new_persons=told.append)
    write(path, [member("HK1", number(1), "户主"), member("HK1", number(2))])
    load(path, Outlet(), vault, on_new_persons=told.append)
    load(path, Outlet(), vault, on_new_persons=told.append)
    assert told == [(LINKAGE.person(number(1)),), (LINKAGE.person(number(2)),), ()]


def test_who_is_new_is_told_before_the_vault_remembers(tmp_path: Path, vault: Vault) -> None:
    path = write(tmp_path / "a.csv", [member("HK1", number(1), "户主")])

    def full(_: tuple[str, ...]) -> None:
        raise OSError

    with pytest.raises(OSError):
        load(path, Outlet(), vault, on_new_persons=full)
    assert load(path, Outlet(), vault).new_persons == (LINKAGE.person(number(1)),)


def test_a_bad_row_keeps_its_household_and_a_bad_head_does_not(tmp_path: Path, vault: Vault) -> None:
    broken = number(2)[:17] + ("0" if number(2)[17] != "0" else "1")
    rows = [
        member("HK1", number(1), "户主"),
        member("HK1", broken),
        member("HK1", number(3), 救助类别="五保户"),
        member("HK1", number(4), 姓名=""),
        member("HK1", number(5), 加入日期="去年"),
        member("HK2", number(6), "户主", 责任属地区划代码=""),
        member("HK2", number(7)),
        member("HK3", number(8), "户主", 核定月收入=""),
        member("HK3", number(9), "户主"),
        member("", number(10)),
        member("HK4", number(11), "户主", **{"核定月收入(元)": "-1"}),
        member("HK5", number(12), "户主", 证件号码="1.1E+17"),
    ]
    outlet = Outlet()
    report = load(write(tmp_path / "a.csv", rows), outlet, vault)
    assert [m.person for m in memberships(outlet)] == [LINKAGE.person(number(1))]
    assert (report.households, report.memberships, report.persons, report.rows) == (1, 1, 1, 12)
    assert [(p.row, p.column) for p in report.problems] == [
        (3, "证件号码"),
        (4, "救助类别"),
        (5, "姓名"),
        (6, "加入日期"),
        (7, "责任属地区划代码"),
        (8, "户号"),
        (9, "户号"),
        (10, "户号"),
        (11, "户号"),
        (12, "核定月收入(元)"),
        (13, "证件号码"),
    ]
    assert not report.receipt.closed
    said = "\n".join(p.text for p in report.problems) + str(report.as_json())
    for secret in (broken, "五保户", "虚构", "13900000001", "HK", *(number(n) for n in range(1, 13))):
        assert secret not in said


def test_one_number_under_two_names_is_nobodys_until_somebody_looks(tmp_path: Path, vault: Vault) -> None:
    """Whose bills and flats would follow it? Both rows stay out, whichever household they are in; the rest comes in."""
    twin, outlet = number(2), Outlet()
    rows = [
        member("1", number(1), "户主"),
        member("1", twin, 姓名="虚构乙"),
        member("2", number(3), "户主"),
        member("2", twin[:6] + twin[8:17], 姓名="虚构丙"),
        member("3", twin, "户主", 姓名="虚构丙"),
        member("3", number(4)),
    ]
    report = load(write(tmp_path / "a.csv", rows), outlet, vault)
    assert {each.person for each in memberships(outlet)} == {LINKAGE.person(number(1)), LINKAGE.person(number(3))}
    assert not vault.knows(LINKAGE.person(twin))
    assert {(each.row, each.code) for each in report.problems if "姓名不同" in each.reason} == {
        (3, "BAD_IDENTITY"),
        (5, "BAD_IDENTITY"),
        (6, "BAD_IDENTITY"),
    }
    assert "与第 5 行" in next(each.reason for each in report.problems if each.row == 3)
    assert [each.reason for each in report.problems if each.row == 7] == ["本户户主行有误，全户未入"]
    assert not any(twin in each.text for each in report.problems)


def test_a_name_the_vault_does_not_know_is_taken_and_told(tmp_path: Path, vault: Vault) -> None:
    load(write(tmp_path / "a.csv", [member("1", number(1), "户主"), member("1", number(2))]), Outlet(), vault)
    changed = [member("1", number(1), "户主", 姓名="虚 构 甲"), member("1", number(2), 姓名="虚构丁")]
    report = load(write(tmp_path / "b.csv", changed), Outlet(), vault)
    assert report.renamed == (3,)
    assert report.as_json()["renamed"] == [3]
    assert not report.problems


def test_a_household_number_belongs_to_who_issued_it(tmp_path: Path, vault: Vault) -> None:
    path = write(tmp_path / "a.csv", [member("HK1", number(1), "户主")])
    outlet = Outlet()
    load(path, outlet, vault, issuing_area="339902000000")
    assert memberships(outlet)[0].household == LINKAGE.household("339902000000", "HK1")


def test_an_export_of_changes_need_not_repeat_the_head(tmp_path: Path, vault: Vault) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        row = [*member("HK1", number(2), 退出日期="2026-05-01"), "339901000000"]
        csv.writer(file).writerows([[*HEADER, "认定地区划代码"], row, [*member("HK2", number(3)), ""]])
    outlet = Outlet()
    report = load(path, outlet, vault)
    assert [m.household for m in memberships(outlet)] == [LINKAGE.household("339901000000", "HK1")]
    assert [(p.row, p.column) for p in report.problems] == [(3, "户号")]


@pytest.mark.parametrize("who", ["ABCD00202613990001", "ABCDEF196503120017"])
@pytest.mark.parametrize("born", ["1965-03-12", ""])
def test_only_a_resident_number_tells_birth_and_sex(tmp_path: Path, who: str, born: str) -> None:
    """A number of 18 characters of another document may hold a date, or what looks like one and is none."""
    path = tmp_path / "a.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        rows = [[*member("HK1", number(1), "户主"), ""], [*member("HK1", who, 出生日期=born), "其他"]]
        csv.writer(file).writerows([[*HEADER, "证件类型"], *rows])
    with open_table(path) as table:
        resident, other = (each.found for each in read_roster(table, LINKAGE))
    assert isinstance(resident, RosterRow)
    assert isinstance(other, RosterRow)
    assert (resident.born, resident.sex) == (date(1965, 3, 12), "M")
    assert (other.born, other.sex) == (date(1965, 3, 12) if born else None, None)


def test_moving_is_an_end_here_and_a_beginning_there(tmp_path: Path, vault: Vault) -> None:
    rows = [
        member("HK1", number(1), "户主"),
        member("HK1", number(2), 退出日期="2026-05-01"),
        member("HK2", number(2), "户主", 加入日期="2026-05-01"),
    ]
    outlet = Outlet()
    load(write(tmp_path / "a.csv", rows), outlet, vault)
    _, before, after = memberships(outlet)
    assert before.person == after.person
    assert before.until == after.day
    new = LINKAGE.household("339901000000", "HK2")
    assert vault.members(new, date(2026, 6, 1)) == [after.person]
    assert after.person not in vault.members(LINKAGE.household("339901000000", "HK1"), date(2026, 6, 1))


def test_headings_of_something_else_are_refused(tmp_path: Path, vault: Vault) -> None:
    path = tmp_path / "a.csv"
    path.write_text("甲,乙\n1,2\n")
    outlet = Outlet()
    with pytest.raises(DataError, match="缺少列"):
        load(path, outlet, vault)
    assert outlet.sent == []
