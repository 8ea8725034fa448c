"""`lidm gateway run` against a real Kafka: folder, HTTPS page, database view and sealed topic end in the same facts."""

import hashlib
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from gateway.keys import KeyFiles, read_key
from gateway.roster import load_roster
from lidm.ways_in import linkage_of, publisher_of, vault_of
from load_tests.chaos.events import bill as bill_data
from load_tests.chaos.fleet import wait_until
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.topics import read_all
from schemas.feed import FEEDS
from schemas.feed_reports import ReceiptReport, decode_report
from schemas.records import FactRecord, decode_block
from schemas.topics import FEED_REPORTS, HOUSEHOLD_EVENTS, Catalogue, inbox_topic
from tests.gateway.people import number
from tests.gateway.test_publish import bill, table
from tests.gateway.test_roster import member, write
from tests.gateway.test_sealed import event
from tests.live.secured import certificate_for_loopback

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
KIND = "medical.settlement"
CODE = "口令-一二三"
NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)


def department_database(folder: Path) -> Path:
    database = folder / "dept.db"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE v_paid (ID_NO, MON, ENT, BASE, CHANGED INTEGER)")
        db.execute("INSERT INTO v_paid VALUES (?, '2026-04', 'E1', '4000', 1)", (number(2),))
    url = folder / "url"
    url.write_text(f"sqlite:///{database}")
    url.chmod(0o600)
    return url


@dataclass
class Running:
    """A gateway process and how to reach it."""

    made: Lab
    folder: Path
    process: "subprocess.Popen[bytes]"
    cert: Path
    log: Path

    @property
    def page(self) -> str:
        said = json.loads((self.made.settings.data_dir / "run" / "gateway.json").read_text())
        return str(said["upload"]).replace("127.0.0.1", "localhost")

    def ask(self, request: urllib.request.Request | str) -> tuple[int, str]:
        context = ssl.create_default_context(cafile=str(self.cert))
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310 - loopback
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def upload(self, file: bytes, name: str = "in.csv", accept: str = "text/html", **fields: str) -> tuple[int, str]:
        boundary = uuid.uuid4().hex
        said = {"code": CODE, "feed": KIND, "period": "", "areas": "", "mode": "delta"} | fields
        parts = [f'Content-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in said.items()]
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
        parts.append(head.encode() + file + b"\r\n")
        body = b"".join(f"--{boundary}\r\n".encode() + part for part in parts) + f"--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": accept}
        return self.ask(urllib.request.Request(f"{self.page}upload", body, headers))  # noqa: S310 - loopback


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("gateway")
    with lab(folder / "lab", workers=("intake",)) as made:
        roster = write(folder / "roster.csv", [member("HK1", number(1), "户主"), member("HK1", number(2))])
        with vault_of(made.settings) as vault, publisher_of(made.settings) as way:
            linkage = linkage_of(made.settings)
            ms = int(NOW.timestamp() * 1000)
            load_roster(roster, publisher=way, linkage=linkage, vault=vault, recorded=NOW, timestamp_ms=ms)
        made.quiet("intake")
        cert, key = certificate_for_loopback(folder)
        department = {"name": "市医保局", "code_sha256": hashlib.sha256(CODE.encode()).hexdigest(), "feeds": [KIND]}
        columns = {"ID_NO": "证件号码", "MON": "缴费月份", "ENT": "单位编号", "BASE": "缴费基数(元)"}
        columns = {**columns, **_labels("employment.contribution")}
        config = {
            "folder": str(folder / "drop"),
            "settle_seconds": 1,
            "upload": {"port": 0, "certificate": str(cert), "key": str(key), "departments": [department]},
            "views": [
                {
                    "name": "paid",
                    "url_file": str(department_database(folder)),
                    "table": "v_paid",
                    "feed": "employment.contribution",
                    "columns": columns,
                    "watermark": "CHANGED",
                }
            ],
            "sealed": True,
        }
        path = folder / "gateway.yaml"
        path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LIDM_")}
        environment["LIDM_DATA_DIR"] = str(made.settings.data_dir)
        log = folder / "gateway.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "lidm.main", "gateway", "run", str(path)],
                env=environment,
                stdout=out,
                stderr=out,
            )
        try:
            face = made.settings.data_dir / "run" / "gateway.json"
            wait_until(lambda: face.exists() or process.poll() is not None, 30, "the gateway does not start")
            assert process.poll() is None, log.read_text()
            yield Running(made, folder, process, cert, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _labels(kind: str) -> dict[str, str]:
    from gateway.rows import column_of

    fields = [column_of(f) for f in FEEDS[kind].fields]
    return dict(zip(("MON", "ENT", "BASE"), fields, strict=False))


def keys(made: Lab) -> set[str]:
    blocks = read_all(made.config.broker, made.config.partitions, HOUSEHOLD_EVENTS)
    return {r.body.fact.key for m in blocks for r in decode_block(m.value) if isinstance(r, FactRecord)}


def test_four_ways_one_result_and_no_number_outside(running: Running, tmp_path: Path) -> None:
    made = running.made
    status, text = running.ask(running.page)
    assert status == 200
    assert "部门数据上传" in text
    assert "医保结算" in text

    status, text = running.upload(
        table(tmp_path / "u.csv", [bill(number(1), "UP1"), bill(number(9), "UP9")]).read_bytes()
    )
    assert status == 200, text
    assert "已受理" in text
    assert "不在关注范围" in text

    drop = running.folder / "drop" / KIND / "2026-05_339901000000_x.csv"
    drop.write_bytes(table(tmp_path / "f.csv", [bill(number(1), "FOLDER1")]).read_bytes())

    sealed = event("SEALED1", number(2))
    private = KeyFiles.under(made.settings.keys_dir)
    from gateway.sealed import seal_identity

    sealed["sealedid"] = seal_identity(read_key(private.seal_public, secret=False), number(2), "urn:dept", "SEALED1")
    sealed["data"] = bill_data("SEALED1", date(2026, 5, 18), 1_000)
    made.producer.send(inbox_topic(KIND), json.dumps(sealed).encode(), partition=1).get(10)

    wanted = {"UP1", "FOLDER1", "SEALED1"}
    wait_until(lambda: wanted <= keys(made), 60, f"missing: {wanted}")
    wait_until(lambda: any("|2026-04|" in k or "E1" in k for k in keys(made)), 30, "the view's row is missing")
    assert "UP9" not in keys(made)
    wait_until(lambda: not drop.exists(), 10, "the plain file stays")
    reports = [decode_report(m.value) for m in read_all(made.config.broker, made.config.partitions, FEED_REPORTS)]
    ways = {each.way for each in reports if isinstance(each, ReceiptReport)}
    assert ways == {"folder", "sealed", "upload", "view:paid"}

    numbers = [number(n).encode() for n in (1, 2, 9)]
    for topic in set(Catalogue.load().names):
        for message in read_all(made.config.broker, made.config.partitions, topic):
            said = b"|".join([message.key or b"", message.value or b""])
            assert not [n for n in numbers if n in said], topic
    gateway = made.settings.data_dir / "gateway"
    lying = b"|".join(p.read_bytes() for p in gateway.rglob("*") if p.is_file()) + running.log.read_bytes()
    assert not [n for n in numbers if n in lying]


def test_the_page_refuses_politely(running: Running, tmp_path: Path) -> None:
    file = table(tmp_path / "u.csv", [bill(number(1), "P1")]).read_bytes()
    assert running.upload(file, code="falsch")[0] == 400
    status, text = running.upload(file, feed="vital.death")
    assert status == 400
    assert "没有报送这类数据的权限" in text
    assert running.upload(file, name="x.exe")[0] == 400
    status, text = running.upload(file, period="2026-05", areas="星河市")
    assert status == 400
    assert "12 位" in text
    wrong = number(2)[:-1] + ("0" if number(2)[-1] != "0" else "1")
    body = table(tmp_path / "w.csv", [bill(wrong, "P2")]).read_bytes()
    status, text = running.upload(body, accept="application/json")
    said = json.loads(text)
    assert status == 200
    assert said["state"] == "partly"
    assert said["problems"][0]["code"] == "BAD_IDENTITY"
    assert wrong not in text
    status, text = running.upload("甲,乙\n<script>,2\n".encode())
    assert status == 422
    assert "<script>" not in text
