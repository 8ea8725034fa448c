"""`lidm store`, `kpi`, `alerts`, `explain` over a folder an embedded run left behind, and over a running one."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lidm.commands import alerts, explain, kpi, store
from lidm.settings import Settings
from lidm.tables import table
from schemas.alerts import Missing
from schemas.errors import CallError, DataError, Unreachable
from sinks.embedded import EmbeddedStore
from sinks.remote import RemoteStore
from sinks.store import StoreError
from tests.sinks.samples import TOWN, alert, events
from tests.sinks.test_store import put

pytest.importorskip("chdb")
ALERT = alert(1).model_copy(update={"coverage": [Missing(feed="medical.reimbursement", last_covered="2026-01")]})


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two alerts, one handled, in the folder of an embedded run that has ended."""
    for name in [name for name in os.environ if name.startswith("LIDM_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path))
    filled = EmbeddedStore(tmp_path / "store")
    filled.migrate()
    put(filled, ALERT, alert(2), alert(2, 2, "withdrawn"), *events("case-1", [ALERT], verified=1, closed=True))
    filled.close()
    return tmp_path


def run(command: object, *arguments: str) -> Result:
    """The command's result; its own errors are raised."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False)  # type: ignore[arg-type]


def test_alerts_list_shows_what_stands_with_areas_above(data_dir: Path) -> None:
    listed = json.loads(run(alerts.command, "list", "--area", "339901000000", "--json").output)
    assert [each["alert_id"] for each in listed] == [ALERT.alert_id]
    everything = run(alerts.command, "list", "--all").output.splitlines()
    assert len(everything) == 2
    assert "撤回" in "".join(everything)
    with pytest.raises(CallError):
        run(alerts.command, "list", "--area", "1")
    assert run(alerts.command, "list", "--detector", "NONE").output == "没有符合条件的预警\n"


def test_alerts_show_has_every_revision_and_the_case(data_dir: Path) -> None:
    shown = run(alerts.command, "show", "00000002").output
    assert "第 1 次" in shown
    assert "第 2 次" in shown
    assert "lidm case show case-1" in run(alerts.command, "show", ALERT.alert_id).output
    with pytest.raises(CallError):
        run(alerts.command, "show", "0000")
    with pytest.raises(DataError):
        run(alerts.command, "show", "ffff")


def test_explain_leads_to_rule_parameters_document_and_cases(data_dir: Path) -> None:
    told = run(explain.command, ALERT.alert_id[:10]).output
    for piece in (
        ALERT.reason,
        "52,000元",
        "50,000元",
        "《星河市监测办法》（星民〔2025〕1号） 试点",
        "MED-SELFPAY@1.0.0",
        "medical.reimbursement：只到 2026-01",
        "lidm case show case-1",
    ):
        assert piece in told
    sources = json.loads(run(explain.command, ALERT.alert_id, "--json").output)["sources"]
    root = Path(explain.ROOT)
    assert sources["rule"] == "detectors/risk/medical_selfpay.py"
    assert sources["parameters"] == "policy/339901000000/risk/medical_selfpay.yaml"
    assert (root / sources["rule"]).exists()
    assert (root / sources["parameters"]).exists()


def test_kpi_counts_a_visit_and_names_the_area(data_dir: Path) -> None:
    (row,) = json.loads(run(kpi.command, "show", "--json").output)
    assert (row["area"], row["raised"], row["handled"], row["withdrawn"]) == (TOWN, 1, 1, 1)
    (city,) = json.loads(run(kpi.command, "show", "--area", "339901000000", "--json").output)
    assert city["handling_rate"] == 1
    assert "100.0%" in run(kpi.command, "show").output
    with pytest.raises(CallError):
        run(kpi.command, "show", "--from", "März")


def test_store_status_and_preflight(data_dir: Path) -> None:
    told = json.loads(run(store.command, "status", "--json").output)
    assert told["rows"] == {"alerts": 3, "case_events": 3, "blocks": 0, "rejected": 0}
    assert all(check["ok"] for check in json.loads(run(store.command, "preflight", "--json").output))
    assert run(store.command, "migrate").output == "没有待执行的迁移\n"
    assert "0001_alerts" in run(store.command, "status").output


def test_preflight_names_what_differs(data_dir: Path) -> None:
    broken = EmbeddedStore(data_dir / "store")
    broken.execute("ALTER TABLE alerts DROP COLUMN reason")
    broken.execute("DROP TABLE rejected")
    broken.close()
    result = CliRunner().invoke(store.command, ["preflight"])
    assert isinstance(result.exception, DataError)
    assert "reason 应为 String，实为 缺失" in result.output
    assert "lidm store migrate" in result.output


def test_without_any_store_the_message_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path / "none"))
    with pytest.raises(Unreachable, match="make up"):
        run(alerts.command, "list")


@pytest.fixture
def answering() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A process that answers queries as the running service does."""
    asked: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            allowed = self.headers["Authorization"] == "Bearer t" and self.path == "/store/query"
            asked.append(json.loads(body))
            self.send_response(200 if allowed else 403)
            self.end_headers()
            self.wfile.write(json.dumps({"rows": [["26.9.2", 1]]}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.live
def test_a_running_service_is_asked_and_only_asked(answering: tuple[str, list[dict[str, object]]]) -> None:
    url, asked = answering
    remote = RemoteStore(url, "t")
    assert remote.query("SELECT %(a)s", {"a": ["x"]}) == [("26.9.2", 1)]
    assert asked == [{"sql": "SELECT %(a)s", "params": {"a": ["x"]}}]
    assert remote.version() == (26, 9, 2)
    with pytest.raises(StoreError):
        RemoteStore(url, "wrong").query("SELECT 1")
    with pytest.raises(CallError):
        remote.migrate()
    with pytest.raises(CallError):
        RemoteStore("http://example.org:80", "t")
    with pytest.raises(Unreachable):
        RemoteStore("http://127.0.0.1:9", "t").query("SELECT 1")


def test_a_table_is_aligned_although_letters_are_wide() -> None:
    assert table(("月", "x"), [("a", "y")]) == "月  x\na   y"


def test_a_migration_that_copies_rows_waits_for_the_archive_to_stop(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = EmbeddedStore(data_dir / "store")
    filled.execute("ALTER TABLE schema_migrations DELETE WHERE id = 10 SETTINGS mutations_sync = 2")
    filled.close()
    asked: list[str] = []

    def archiving(settings: Settings) -> None:
        asked.append(settings.store)
        if len(asked) == 1:
            raise CallError("归档环节还在运行")

    monkeypatch.setattr(store, "_nobody_archives", archiving)
    with pytest.raises(CallError):
        run(store.command, "migrate")
    assert run(store.command, "migrate").output == "已执行 0010_screens\n"
    assert json.loads(run(store.command, "status", "--json").output)["rows"]["alerts"] == 3
    assert len(asked) == 2
