"""`lidm feed sandbox`: what the service made of a file, whom it left out, which rules would read it; nothing stays."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import DataError
from tests.gateway.people import number
from tests.gateway.test_publish import bill, table
from tests.gateway.test_roster import member, write

KIND = "medical.settlement"


@pytest.mark.timeout(280)
def test_what_is_understood_refused_and_out_of_scope_is_counted(tmp_path: Path) -> None:
    roster = write(tmp_path / "roster.csv", [member("HK1", number(1), "户主"), member("HK1", number(2), "子女")])
    rows = [bill(number(1), "S1"), bill(number(2), "S2"), bill(number(3), "S3"), bill("1.1E+17", "S4")]
    path, data = table(tmp_path / "bills.csv", rows), tmp_path / "data"
    words = ["feed", "sandbox", str(path), "--feed", KIND, "--roster", str(roster), "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    done = subprocess.run(
        [sys.executable, "-m", "lidm.main", *words],
        env={**environment, "LIDM_DATA_DIR": str(data)}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == DataError.exit_code, done.stderr
    said = json.loads(done.stdout)
    counts = {name: said[name] for name in ("rows", "refused", "sent", "understood", "out_of_scope", "rejected")}
    assert counts == {"rows": 4, "refused": 1, "sent": 3, "understood": 2, "out_of_scope": 1, "rejected": {}}
    assert "MED-SELFPAY" in {each["code"] for each in said["detectors"]}
    assert not any(number(n) in done.stdout + done.stderr for n in (1, 2, 3))
    assert not data.exists() or not [each for each in data.rglob("*") if each.is_file()]
