"""`lidm backtest` as it is typed: from a saved log and from a store, on one process and on two, and what it refuses."""

import csv
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.plain_identity import carries_identity
from sinks.log_file import save
from sinks.store import LogBlock
from tests.lidm.backtest.planned import BETWEEN, REFUNDED, blocks, homes, saved
from tests.lidm.conftest import Call
from tests.lidm.test_feed_pages import Elements
from tests.streams.making import POLICY

JUNE = ("--from", "2026-06-01", "--to", "2026-06-30")
LINES = "policy/339901000000/risk/medical_selfpay.yaml"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(saved(tmp_path_factory.mktemp("log")).path)


def drafted(folder: Path, old: str, new: str) -> str:
    """The repository's policy with one thing changed in the city's medical lines."""
    made = folder / "policy"
    shutil.copytree(POLICY, made, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = folder / LINES
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return str(made)


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> str:
    return drafted(tmp_path_factory.mktemp("draft"), "OTHER: 15000元", "OTHER: 12000元")


def test_in_words(lidm: Call, log: str, draft: str) -> None:
    code, out = lidm("backtest", "--policy", draft, *JUNE, "--log", log, "--jobs", "1")
    assert code == 0, out
    gained = len(BETWEEN) + len(REFUNDED)
    row = next(line.split() for line in out.splitlines() if line.startswith("MED-SELFPAY"))
    assert row[3:] == ["12", str(gained), "0", "0", "0"]
    assert "2026-06-01 至 2026-06-30，现行口径" in out
    assert "北辰镇" in out
    assert not re.search(r"\b[phv]_[0-9a-f]", out)


def test_two_processes_come_to_the_same_as_one(lidm: Call, log: str, draft: str, tmp_path: Path) -> None:
    words = ("backtest", "--policy", draft, *JUNE, "--log", log, "--json", "--households")
    code, one = lidm(*words, str(tmp_path / "1.csv"), "--jobs", "1")
    two = subprocess.run(  # a process of its own, because its helpers live as long as it does
        [sys.executable, "-m", "lidm.main", *words, str(tmp_path / "2.csv"), "--jobs", "2"],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "LIDM_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (code, two.returncode) == (0, 0), two.stderr
    assert json.loads(one) == json.loads(two.stdout)
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert json.loads(one)["total"]["gained"] == len(BETWEEN) + len(REFUNDED)


def test_households_are_named_only_on_request_and_only_by_code(
    lidm: Call, log: str, draft: str, tmp_path: Path
) -> None:
    names, html = tmp_path / "names.csv", tmp_path / "page.html"
    words = ("backtest", "--policy", draft, *JUNE, "--log", log, "--jobs", "1")
    code, out = lidm(*words, "--households", str(names), "--html", str(html))
    assert code == 0, out
    with names.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["户代码"] for row in rows} == homes(BETWEEN) | homes(REFUNDED)
    assert {(row["规则"], row["变化"], row["身份"]) for row in rows} == {("MED-SELFPAY", "新增", "OTHER")}
    assert stat.S_IMODE(names.stat().st_mode) == 0o600
    assert not re.search(r"\b[phv]_[0-9a-f]", html.read_text(encoding="utf-8") + out)


def test_the_page_stands_alone(lidm: Call, log: str, draft: str, tmp_path: Path) -> None:
    html = tmp_path / "page.html"
    law = ("--law", "counterfactual")
    code, out = lidm("backtest", "--policy", draft, *JUNE, "--log", log, "--jobs", "1", *law, "--html", str(html))
    assert code == 0, out
    text = html.read_text(encoding="utf-8")
    page = Elements(text)
    assert (page.open, page.fetched) == ([], [])
    assert {link.removeprefix("#") for link in page.links} <= page.anchors
    assert not re.search(r"https?:|url\(|@import|@font-face", text)
    assert text.count("<svg ") == 3
    assert not carries_identity(text)
    for piece in ("按规则", "按身份", "按地区", "工作量", "依据", "反事实口径", "@media print", "MED-SELFPAY"):
        assert piece in text


def test_a_store_gives_what_the_file_saved_from_it_gives(lidm: Call, draft: str, tmp_path: Path) -> None:
    pytest.importorskip("chdb")
    from sinks.embedded import EmbeddedStore

    store = EmbeddedStore(tmp_path / "store")
    store.migrate()
    store.insert_rows("household_log", list(blocks()), "log")
    store.close()
    file = tmp_path / "kept.log"
    assert lidm("store", "save-log", str(file))[0] == 0
    words = ("backtest", "--policy", draft, *JUNE, "--jobs", "1", "--json")
    (first, from_store), (second, from_file) = lidm(*words), lidm(*words, "--log", str(file))
    assert (first, second) == (0, 0)
    assert json.loads(from_store) == json.loads(from_file)
    assert json.loads(from_file)["total"]["gained"] == len(BETWEEN) + len(REFUNDED)


def test_a_broken_draft_is_refused_in_the_loaders_words(lidm: Call, log: str, tmp_path: Path) -> None:
    broken = drafted(tmp_path, "OTHER: 15000元", "OTHER: 一万五")
    code, out = lidm("backtest", "--policy", broken, *JUNE, "--log", log)
    assert code == 1
    _, checked = lidm("policy", "check", "--dir", broken)
    assert out == checked
    assert re.match(r"policy/339901000000/risk/medical_selfpay\.yaml 第\d+行：", out)


@pytest.mark.parametrize(
    ("words", "expected", "said"),
    [
        (("--policy", "nowhere", *JUNE), 2, "没有这个参数目录"),
        (("--policy", ".", "--from", "2026-06-30", "--to", "2026-06-01"), 2, "窗口倒了"),
        (("--policy", str(POLICY), *JUNE, "--log", "nowhere"), 2, "没有这个文件"),
        (("--policy", str(POLICY), *JUNE, "--log", __file__), 1, "不是 lidm store save-log 保存的"),
        (("--policy", str(POLICY), *JUNE), 3, "make up"),
    ],
)
def test_what_is_refused(lidm: Call, words: tuple[str, ...], expected: int, said: str) -> None:
    code, out = lidm("backtest", *words)
    assert (code, said in out) == (expected, True), out


def test_an_empty_window_and_an_empty_log_say_so(lidm: Call, log: str, draft: str, tmp_path: Path) -> None:
    one = ("--jobs", "1")
    code, out = lidm("backtest", "--policy", draft, "--from", "2027-01-01", "--to", "2027-02-01", "--log", log, *one)
    assert (code, "里没有记录" in out) == (1, True), out
    nothing: list[LogBlock] = []
    empty = save(tmp_path / "empty.log", nothing)
    code, out = lidm("backtest", "--policy", draft, *JUNE, "--log", str(empty.path), *one)
    assert (code, "没有台账日志" in out) == (1, True), out
