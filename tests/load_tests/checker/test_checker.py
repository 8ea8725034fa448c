"""The checker agrees with the service about a small city, and says so aloud when it does not."""

import json
from pathlib import Path

import pytest

from load_tests.checker.__main__ import main, record
from load_tests.checker.rules import RULES

HOUSEHOLDS, MONTHS, SEED = 75, 6, 3
ALWAYS = ("MED-SELFPAY", "RIGID-RATIO", "PACKAGE-GAP", "INCOME-LINE")
"""Rules that find somebody in a city as small as this."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded city."""
    held = tmp_path_factory.mktemp("recorded")
    record([held / "0"], HOUSEHOLDS, MONTHS, SEED, list(RULES))
    return held


def said(folder: Path, capsys: pytest.CaptureFixture[str], *rules: str) -> tuple[int, dict[str, dict[str, object]]]:
    """Exit code and verdicts by rule."""
    code = main(["--folder", str(folder), "--json", *(word for rule in rules for word in ("--rule", rule))])
    return code, {one["code"]: one for one in json.loads(capsys.readouterr().out)}


def test_both_say_the_same_of_every_household_in_every_week(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, verdicts = said(folder, capsys)
    assert {code: one["lines"] for code, one in verdicts.items()} == {code: [] for code in RULES}
    assert all(verdicts[code]["positive"] for code in ALWAYS)


def test_an_alert_that_is_missing_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "0" / "alerts.jsonl"
    whole = path.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    lost = next(json.loads(line) for line in lines if '"MED-SELFPAY"' in line)
    try:
        path.write_text("".join(line for line in lines if lost["alert_id"] not in line), encoding="utf-8")
        code, verdicts = said(folder, capsys, "MED-SELFPAY")
    finally:
        path.write_text(whole, encoding="utf-8")
    assert code == 1
    told = verdicts["MED-SELFPAY"]["lines"]
    assert isinstance(told, list)
    assert any(lost["household"] in line and "only the checker" in line for line in told)


def test_a_rule_that_found_nobody_is_no_agreement(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "0"
    empty.mkdir()
    for path in (folder / "0").glob("*.json*"):
        (empty / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (empty / "raw").mkdir()
    for path in (folder / "0" / "raw").glob("*.jsonl"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = lines[:1] if path.stem == "medical.settlement" else lines
        (empty / "raw" / path.name).write_text("".join(kept), encoding="utf-8")
    alerts = [line for line in (empty / "alerts.jsonl").read_text().splitlines(keepends=True) if "MED-SELF" not in line]
    (empty / "alerts.jsonl").write_text("".join(alerts), encoding="utf-8")
    code, verdicts = said(tmp_path, capsys, "MED-SELFPAY")
    assert (code, verdicts["MED-SELFPAY"]["positive"], verdicts["MED-SELFPAY"]["differing"]) == (1, 0, 0)
