"""What `lidm feed check` finds, and that it takes exactly what publishing takes."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import sources
from gateway.advice import advice
from gateway.check_report import CheckReport
from gateway.checking import check_file
from gateway.problems import RowProblem
from gateway.publish import Published
from lidm.feed_pages.words import mend
from schemas.doubts import DOUBTED
from schemas.feed import FEEDS
from schemas.labels import ProblemCode
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_commands import Run, data, run
from tests.gateway.test_publish import BILL, HEADER, RECORDED, bill, publish, table

__all__ = ["data", "run"]

DEATH = FEEDS["vital.death"]


def check(path: Path, feed: str = "medical.settlement", **options: Any) -> CheckReport:
    return check_file(path, FEEDS[feed], recorded=RECORDED, synthetic=True, **options)


def test_the_summary_counts_what_is_there(tmp_path: Path) -> None:
    one = number(1)
    rows = [bill(one, "S1"), bill(one, "S1"), bill(one, "S1", visit="门诊")]
    rows.append(bill(number(2), "S2", settled_on="2026-04-30"))
    report = check(table(tmp_path / "a.csv", [*rows, bill("1.1E+17", "S3")]))
    assert (report.rows, report.good, report.bad, report.encoding, report.format) == (5, 4, 1, "gb18030", "CSV")
    assert (report.repeated, report.identical, report.repeats[0]) == (2, 1, (3, 2))
    assert report.months == {"2026-04": 1, "2026-05": 3}
    assert report.identity_share == 0.8
    assert report.by_code == {"BAD_IDENTITY": 1}


def test_every_mistake_of_a_row_is_told_with_how_to_mend_it(tmp_path: Path) -> None:
    wrong = bill(number(1)[:17] + "O", total="12*6.00", settled_on="20240230", visit="急诊", hospital="")
    report = check(table(tmp_path / "a.csv", [wrong]))
    assert [(p.row, p.column, p.code) for p in report.problems] == [
        (2, "证件号码", "BAD_IDENTITY"),
        (2, "结算日期", "BAD_FIELD"),
        (2, "就诊类型", "BAD_FIELD"),
        (2, "医疗机构编码", "MISSING_FIELD"),
        (2, "总费用(元)", "BAD_FIELD"),
    ]
    told = report.as_json()["problems"]
    assert all(each["advice"] for each in told)
    assert "遮盖" in told[4]["reason"]
    said = json.dumps(report.as_json(), ensure_ascii=False, default=str)
    for secret in (number(1)[:17], "12*6", "急诊"):
        assert secret not in said


def test_good_and_bad_rows_go_to_files(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [bill(number(1), "S1"), bill("x", "S2"), bill(number(3), "S3")])
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    check(path, bad_rows=bad, good_rows=good)
    with good.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [HEADER, bill(number(1), "S1"), bill(number(3), "S3")]
    with bad.open(encoding="utf-8-sig", newline="") as file:
        assert [row[-2] for row in csv.reader(file)] == ["原行号", "3"]
    assert check(good).bad == 0


def test_amounts_far_from_all_sense_are_pointed_out(tmp_path: Path) -> None:
    zero = {"pooled_pay": "0", "critical_pay": "0", "aid_pay": "0", "account_pay": "0", "out_of_catalogue": "0"}
    rows = [bill(number(n % 99 + 1), f"S{n}", total="0.13", in_catalogue_self_paid="0.13", **zero) for n in range(300)]
    report = check(table(tmp_path / "a.csv", rows))
    assert report.bad == 0
    assert any("总费用" in warning and "单位" in warning for warning in report.warnings)


def test_many_numbers_that_end_in_zeros_are_pointed_out(tmp_path: Path) -> None:
    ending = [n for n in (number(order, born=f"1950{m:02d}{d:02d}") for order in (100, 200, 300, 400)
                          for m in range(1, 13) for d in range(1, 28)) if n.endswith("000")]  # fmt: skip
    assert len(ending) > 10
    report = check(table(tmp_path / "a.csv", [bill(who, f"S{n}") for n, who in enumerate(ending)]))
    assert any("前 15 位" in warning for warning in report.warnings)


def places(found: CheckReport | Published) -> list[tuple[int, str, str]]:
    """The first mistake of each row: publishing stops there, checking tells all."""
    first: dict[int, tuple[int, str, str]] = {}
    for each in found.problems:
        first.setdefault(each.row, (each.row, each.column, each.code))
    return list(first.values())


def test_both_name_the_column_as_the_file_does(tmp_path: Path) -> None:
    row = [*bill(number(1), "S1"), "2030-01-01 08:00:00"]
    path = table(tmp_path / "a.csv", [row], [*HEADER, "记录时间"], encoding="utf-8-sig")
    told = places(check(path))
    assert [(column, code) for _, column, code in told] == [("记录时间", "FUTURE_DATE")]
    assert places(publish(path, Outlet())) == told


TEXTS = [
    "", "0", "-", "1,286.00", "640", "-5", "1*3", "二", "2026-05-14", "20240230", "45292", "2030-01-01", "1800-01-01",
    "住院", "OUTPATIENT", "S1", "a|b", "a\u200bb", "\x00", "x" * 70, number(7), number(8)[:17], "镇(zhèn)", "登记",
    "冲销", "更正", "2026-05-20 08:00:00",
]  # fmt: skip
cells = st.sampled_from(TEXTS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.integers(0, len(HEADER) + 2), cells, max_size=3), min_size=1, max_size=25))
def test_check_takes_exactly_what_publishing_takes(tmp_path: Path, changes: list[dict[int, str]]) -> None:
    rows = []
    for n, change in enumerate(changes):
        row = [*bill(number(n + 1), f"S{n}"), "", "", ""]
        for at, text in change.items():
            row[at] = text
        rows.append(row)
    path = table(tmp_path / "a.csv", rows, [*HEADER, "业务流水号", "操作", "记录时间"], encoding="utf-8-sig")
    done = publish(path, Outlet())
    report = check(path)
    assert (report.good, report.bad) == (done.receipt.sent, done.receipt.bad)
    assert places(report) == places(done)


odd = st.sampled_from([*TEXTS, True, 1.5, [], {}, "record", "reverse", "2026-05-09T08:00:00"])
values = st.one_of(st.none(), st.integers(-2, 3), st.text("ab|0９\u200b", max_size=5), odd)
BESIDE = ["id", "operation", "recordedtime", "sequence", "id_type", "x"]
names = st.sampled_from([*(f.name for f in DEATH.fields), *BESIDE])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(names, values, max_size=3), min_size=1, max_size=25))
def test_check_takes_exactly_what_publishing_takes_of_json(tmp_path: Path, changes: list[dict[str, Any]]) -> None:
    base = {"identity": number(1), "reported_by": "cremation", "died_on": "2026-05-02"}
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(base | change) + "\n" for change in changes), encoding="utf-8")
    done = publish(path, Outlet(), feed="vital.death")
    report = check(path, "vital.death")
    assert (report.good, report.bad) == (done.receipt.sent, done.receipt.bad)


def test_the_command_tells_people_and_machines(run: Run, tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [bill(number(1)), bill("12345", "S2")])
    told = run("feed", "check", path, "--feed", "medical.settlement", "--synthetic")
    assert told.code == 1
    assert "第 3 行「证件号码」" in told.out
    assert "怎样改" in told.out
    assert "合格 1 行" in told.out
    assert (tmp_path / "a.bad.csv").exists()
    machine = json.loads(run("feed", "check", path, "--feed", "medical.settlement", "--synthetic", "--json").out)
    assert (machine["good"], machine["bad"], machine["problems"][0]["row"]) == (1, 1, 3)
    good = table(tmp_path / "b.csv", [bill(number(1))])
    assert run("feed", "check", good, "--feed", "medical.settlement", "--synthetic").code == 0
    assert run("feed", "check", good, "--feed", "medical.nothing").code == 2
    assert run("feed", "check", good, "--feed", "medical.settlement", "--bad-rows", good).code == 2
    hint = run("feed", "check", good, "--feed", "medical.settlement")
    assert "--synthetic" in hint.out


def test_an_amount_that_is_right_has_a_way_on() -> None:
    """A clerk is told the same of it as whoever writes messages."""
    told = RowProblem(3, "总费用(元)", ProblemCode.AMOUNT_UNIT.label, code=DOUBTED)
    assert mend(DOUBTED).split("；")[-1] == advice(told).split("；")[-1] == "金额属实请告知数据专员放行"


def test_what_the_gateways_sources_begin_with_stands_in_one_place() -> None:
    files = Path(sources.__file__).parent.glob("*.py")
    assert [each.name for each in files if "urn:lidm:gateway" in each.read_text(encoding="utf-8")] == ["sources.py"]


def test_checking_needs_no_key_and_no_broker(tmp_path: Path) -> None:
    report = check_file(table(tmp_path / "a.csv", [bill(number(1))]), BILL, recorded=datetime.now(UTC), synthetic=True)
    assert report.good == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_are_detected_and_reported(tmp_path: Path, encoding: str) -> None:
    report = check(table(tmp_path / "a.csv", [bill(number(1))], encoding=encoding))
    assert (report.good, report.encoding) == (1, encoding)
