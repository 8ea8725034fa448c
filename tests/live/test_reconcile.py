"""`lidm roster load`, then `reconcile` against the ledgers of a running monitor, then a district signs."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lidm.commands.roster import command
from load_tests.chaos.lab import Lab, lab
from schemas.calendar import SHANGHAI
from schemas.errors import DataError
from tests.gateway.test_reconcile import DISTRICT, families, planted
from tests.gateway.test_roster import write

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
AT = "2026-06-03T09:00:00"


def call(made: Lab, *words: object) -> Result:
    return CliRunner().invoke(command, [str(w) for w in words], env={"LIDM_DATA_DIR": str(made.settings.data_dir)})


def test_differences_are_listed_and_signed_for(tmp_path: Path) -> None:
    with lab(tmp_path / "lab", workers=("intake", "monitor")) as made:
        made.begin(int(datetime(2026, 6, 3, 9, tzinfo=SHANGHAI).timestamp() * 1000))
        loaded = call(made, "load", write(tmp_path / "roster.csv", families()), "--at", AT)
        assert loaded.exit_code == 0, loaded.output
        made.quiet("intake", "monitor")
        same = call(made, "reconcile", tmp_path / "roster.csv", "--on", "2026-06-03", "--json")
        assert same.exit_code == 0, same.output
        assert json.loads(same.stdout)["share"] == 1.0

        other = write(tmp_path / "other.csv", planted()[0])
        out = tmp_path / "out.csv"
        found = call(made, "reconcile", other, "--on", "2026-06-03", "--out", out)
        assert isinstance(found.exception, DataError)
        assert "红" in found.output
        assert len(out.read_text(encoding="utf-8-sig").splitlines()) == 31
        runs = json.loads(call(made, "runs", "--json").stdout)["runs"]
        red = next(run["run"] for run in runs if run["districts"][0]["red"])
        done = call(made, "sign", red, "--area", DISTRICT, "--by", "王局", "--note", "月底前改正")
        assert done.exit_code == 0, done.output
        assert "王局" in call(made, "runs").output
