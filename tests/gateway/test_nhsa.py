"""The national settlement table, as it is exported, becomes bills: with its own column names and no other help."""

from pathlib import Path

import pytest

from gateway.mapping import load_mapping
from schemas.facts import Bill
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_publish import publish, table

FILE = Path(__file__).resolve().parents[2] / "schemas" / "mappings" / "nhsa-settlement.yaml"
NAMED = (
    "setl_id", "medfee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt", "hifp_pay",
    "hifmi_pay", "hifob_pay", "maf_pay", "acct_pay",
)  # fmt: skip
ROW = {
    "setl_id": "33990120260514000123", "mdtrt_id": "M1", "psn_cert_type": "01", "certno": number(1),
    "setl_time": "2026-05-14 10:21:33", "med_type": "21", "fixmedins_code": "H33990100001",
    "medfee_sumamt": "12860.00", "fulamt_ownpay_amt": "1200.00", "overlmt_selfpay": "300.00",
    "preselfpay_amt": "860.50", "inscp_scp_amt": "10499.50", "hifp_pay": "6400.00", "hifmi_pay": "1200.00",
    "hifob_pay": "0.00", "maf_pay": "1000.00", "acct_pay": "260.00", "clr_type": "21",
}  # fmt: skip


def exported(folder: Path, *rows: dict[str, str]) -> Path:
    """Rows as the platform exports them."""
    return table(folder / "setl_d.csv", [list(row.values()) for row in rows], list(ROW), encoding="utf-8")


def test_every_named_column_is_used() -> None:
    assert set(NAMED) <= load_mapping(FILE, "medical.settlement").headings()


def test_a_settlement_becomes_a_bill_whose_parts_add_up(tmp_path: Path) -> None:
    outlet = Outlet()
    done = publish(exported(tmp_path, ROW), outlet, mapping=load_mapping(FILE))
    assert done.problems == ()
    (delivery,) = outlet.deliveries()
    assert isinstance(delivery.fact, Bill)
    assert delivery.fact.key == ROW["setl_id"]
    # 860.50 + 10,499.50 − 6,400 − 1,200 − 1,000 − 260 and 1,200 + 300.
    assert (delivery.fact.in_catalogue_fen, delivery.fact.out_of_catalogue_fen) == (250_000, 150_000)
    assert (delivery.fact.total_fen, delivery.fact.account_fen, delivery.fact.visit) == (1_286_000, 26_000, "INPATIENT")
    (event,) = outlet.events()
    assert (event["data"]["critical_pay"], event["data"]["settled_on"]) == (120_000, "2026-05-14")


def test_a_refund_is_negative_in_every_part(tmp_path: Path) -> None:
    money = {name: f"-{value}" for name, value in ROW.items() if name in NAMED[1:]}
    outlet = Outlet()
    publish(exported(tmp_path, {**ROW, **money, "setl_id": "R1"}), outlet, mapping=load_mapping(FILE))
    (delivery,) = outlet.deliveries()
    assert isinstance(delivery.fact, Bill)
    assert (delivery.fact.total_fen, delivery.fact.in_catalogue_fen) == (-1_286_000, -250_000)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"med_type": "990"}, "BAD_FIELD"),
        ({"medfee_sumamt": "128600.00"}, "SUM_MISMATCH"),
        ({"acct_pay": "5000.00"}, "BAD_FIELD"),
        ({"maf_pay": "***"}, "BAD_FIELD"),
    ],
)
def test_what_does_not_fit_is_refused_and_never_counts_as_nothing(
    tmp_path: Path, changes: dict[str, str], code: str
) -> None:
    done = publish(exported(tmp_path, {**ROW, **changes}, ROW), Outlet(), mapping=load_mapping(FILE))
    assert [problem.code for problem in done.problems] == [code]
