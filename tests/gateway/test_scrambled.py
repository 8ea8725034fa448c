"""Numbers that are not numbers, as scanned and converted documents have them: missing, said so, and never 0."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.lines import MAX_ROW
from gateway.publish import publish_file
from gateway.values import BadValue, fen, money, whole
from schemas.envelope import Delivery, Problem
from schemas.errors import DataError
from schemas.facts import Bill
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_publish import BILL, LINKAGE, RECORDED, bill, publish, table

SCRAMBLED = [
    "12*6.00", "*", "***", "1,2O6", "l286", "12a6", "1286yuán", "(yuán)", "壹千", "—", "无", "1.2E+3", "NaN", "inf",
    "１２＊６", "1286元", "#VALUE!", "12 86 34 x", "0x10", "1_286", "٣٤٥", "²", "1286²", "①", "1½",
]  # fmt: skip
RECORD: dict[str, Any] = {
    "identity": number(1), "settle_no": "S1", "settled_on": "2026-05-14", "visit": "INPATIENT", "hospital": "H1",
    "total": 128600, "pooled_pay": 64000, "critical_pay": 12000, "aid_pay": 10000, "account_pay": 2600,
    "in_catalogue_self_paid": 25000, "out_of_catalogue": 15000,
}  # fmt: skip


@pytest.mark.parametrize("text", SCRAMBLED)
def test_no_reader_of_cells_makes_a_number_of_it(text: str) -> None:
    for read in (fen, whole, lambda said: money(said, 1_000_000)):
        with pytest.raises(BadValue):
            read(text)


@pytest.mark.parametrize("text", SCRAMBLED)
def test_a_row_of_a_table_with_it_is_refused_with_its_column(tmp_path: Path, text: str) -> None:
    outlet = Outlet()
    path = table(tmp_path / "a.csv", [bill(number(1), "S1", total=text), bill(number(2), "S2")], encoding="utf-8")
    done = publish(path, outlet)
    assert [(p.row, p.column) for p in done.problems] == [(2, "总费用(元)")]
    assert [d.fact.key for d in outlet.deliveries()] == ["S2"]


@pytest.mark.parametrize("text", SCRAMBLED)
def test_a_line_of_json_with_it_is_refused_with_its_field(tmp_path: Path, text: str) -> None:
    outlet = Outlet()
    path = tmp_path / "a.jsonl"
    lines = [RECORD | {"total": text}, RECORD | {"settle_no": "S2", "identity": number(2)}]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    done = publish_file(path, BILL.kind, publisher=outlet, linkage=LINKAGE, recorded=RECORDED)
    assert [(p.row, p.column) for p in done.problems] == [(1, "total")]
    assert [d.fact.key for d in outlet.deliveries()] == ["S2"]


@pytest.mark.parametrize("value", ["128600", "12*6", 1286.0, 12.5, True, None, "", [], {}])
def test_intake_takes_a_whole_number_of_fen_or_nothing(value: object) -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "urn:x", "type": BILL.event_type, "subject": "p_" + "0" * 32,
        "time": "2026-05-14T10:00:00+08:00", "data": {k: v for k, v in RECORD.items() if k != "identity"},
    }  # fmt: skip
    [fine] = BILL.decode(json.dumps(event).encode(), 1_790_000_000_000)
    assert isinstance(fine, Delivery)
    assert isinstance(fine.fact, Bill)
    assert fine.fact.total_fen == 128600
    event["data"] = RECORD | {"total": value}
    del event["data"]["identity"]  # type: ignore[attr-defined]
    [refused] = BILL.decode(json.dumps(event).encode(), 1_790_000_000_000)
    assert isinstance(refused, Problem)
    assert refused.pointer == "/data/total"


def test_what_is_left_empty_is_absent_and_not_zero(tmp_path: Path) -> None:
    """A blank optional amount leaves no field in the event; a blank required one refuses the row."""
    outlet = Outlet()
    listed = tmp_path / "a.jsonl"
    said = {"identity": number(1), "list_type": "高额医疗费用", "department": "某局", "period": "2026-05"}
    listed.write_text(json.dumps(said | {"line_count": 3, "measure_count": 5}) + "\n", encoding="utf-8")
    publish_file(listed, "screening.list", publisher=outlet, linkage=LINKAGE, recorded=RECORDED)
    assert all("measure" not in event["data"] for event in outlet.events())
    done = publish(table(tmp_path / "a.csv", [bill(number(1), "S1", total="")]), Outlet())
    assert [p.code for p in done.problems] == ["MISSING_FIELD"]


def test_a_line_of_json_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(RECORD) + "\n" + "x" * (MAX_ROW + 1), encoding="utf-8")
    with pytest.raises(DataError, match="第 2 行起的一行超过"):
        publish_file(path, BILL.kind, publisher=Outlet(), linkage=LINKAGE, recorded=RECORDED)
