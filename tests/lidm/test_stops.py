"""Where rules are stopped, as the archive tells it: shown in the list, asked before a resumption."""

import json
import os
import sys
from pathlib import Path

import pytest

from lidm.main import main
from lidm.settings import load_settings
from lidm.stops import stops_now, stops_of
from schemas.records import SwitchBody, SwitchRecord, encode_block
from sinks.embedded import EmbeddedStore

pytest.importorskip("chdb")
CODE, CITY, TOWN = "MED-SELFPAY", "339901000000", "339901001000"
AT = 1_780_000_000_000


def switch(to: str, area: str = CITY, at_ms: int = AT, detector: str = CODE) -> SwitchRecord:
    body = SwitchBody(area, detector, to, "王某", "核对口径")  # type: ignore[arg-type]
    return SwitchRecord("", at_ms, "", 0, 0, body)


def test_the_first_stop_stays_and_only_its_own_area_ends_it() -> None:
    told = [switch("stop"), switch("stop", at_ms=AT + 1), switch("stop", TOWN), switch("resume", "339901002000")]
    assert [(each.area, each.since.timestamp() * 1000) for each in stops_of(told)] == [(CITY, AT), (TOWN, AT)]
    assert [each.area for each in stops_of([*told, switch("resume")])] == [TOWN]


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive in which a rule is stopped in the city and another one in a town was."""
    for name in [name for name in os.environ if name.startswith("LIDM_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path))
    store = EmbeddedStore(tmp_path / "store")
    store.migrate()
    told = [switch("stop"), switch("stop", TOWN, detector="JOB-LOSS"), switch("resume", TOWN, detector="JOB-LOSS")]
    rows = [("g1", 0, offset, AT, encode_block([record])) for offset, record in enumerate(told)]
    store.insert_rows("household_log", rows, "t")
    store.close()
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["lidm", *words])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_the_list_says_what_is_stopped_where_by_whom_and_why(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "detectors", "list") == 0
    assert f"{CODE} 在{CITY}停用" in (said := capsys.readouterr().out)
    assert "王某：核对口径" in said
    assert "JOB-LOSS 在" not in said
    assert call(monkeypatch, "detectors", "list", "--json") == 0
    stopped = {each["code"]: each["stopped"] for each in json.loads(capsys.readouterr().out)}
    assert [each["area"] for each in stopped[CODE]] == [CITY]
    assert stopped["JOB-LOSS"] == []


def test_what_is_not_stopped_is_not_resumed(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "detectors", "resume", CODE, "--area", TOWN, "--reason", "已核对") == 1
    said = capsys.readouterr().err
    assert "没有停用" in said
    assert f"{CODE} 在{CITY}停用" in said


def test_without_an_archive_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path))
    assert stops_now(load_settings()) is None
