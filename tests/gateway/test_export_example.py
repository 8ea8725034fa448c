"""The SQL export of the examples gives a file that passes the check as it is."""

import csv
import sqlite3
from pathlib import Path

from tests.gateway.people import number
from tests.gateway.test_check import check

SQL = Path(__file__).resolve().parents[2] / "docs" / "examples" / "export.sql"
TABLES = """
CREATE TABLE psn_info_b (psn_no TEXT, certno TEXT);
CREATE TABLE setl_d (psn_no TEXT, setl_id TEXT, setl_time TEXT, med_type TEXT, fixmedins_code TEXT,
    medfee_sumamt NUMERIC, fulamt_ownpay_amt NUMERIC, overlmt_selfpay NUMERIC, hifp_pay NUMERIC, hifmi_pay NUMERIC,
    hifob_pay NUMERIC, maf_pay NUMERIC, acct_pay NUMERIC, refd_setl_flag TEXT, updt_time TEXT);
"""


def test_the_export_passes_the_check(tmp_path: Path) -> None:
    base = sqlite3.connect(":memory:")
    base.executescript(TABLES)
    for n in range(1, 41):
        base.execute("INSERT INTO psn_info_b VALUES (?, ?)", (f"P{n}", number(n)))
        base.execute(
            "INSERT INTO setl_d VALUES (?, ?, ?, ?, 'H1', ?, 100, 20, 640, 60, 60, 100, 26, '0', ?)",
            (f"P{n}", f"S{n}", f"2026-05-{n % 28 + 1:02d}", ("11", "14", "21", "41")[n % 4], 1200 + n, "2026-05-20"),
        )
    base.execute("UPDATE setl_d SET refd_setl_flag = '1' WHERE setl_id = 'S7'")
    found = base.execute(SQL.read_text(encoding="utf-8"))
    path = tmp_path / "export.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([[column[0] for column in found.description], *found])
    report = check(path)
    assert (report.good, [p.text for p in report.problems]) == (40, [])
