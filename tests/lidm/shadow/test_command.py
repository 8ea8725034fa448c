"""`lidm detectors shadow` as it is typed: orders in every partition, and the report of an archived run."""

import csv
import json
import stat
from functools import cache
from pathlib import Path

import pytest
import zstandard

from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.plain_identity import carries_identity
from schemas.records import Record, ShadowBody, ShadowRecord
from schemas.topics import ALERTS, ALERTS_SHADOW
from sinks.embedded import EmbeddedStore
from sinks.rows import alert_row
from streams.watch import Watch
from tests.lidm.backtest.test_command import drafted
from tests.lidm.conftest import Call, records
from tests.streams.making import POLICY, config, fold, story

pytest.importorskip("chdb")
CITY, CODE, NAME = "339901000000", "MED-SELFPAY", "line-1"


def test_orders_are_in_every_partition(lidm: Call, mock_broker: str, tmp_path: Path) -> None:
    draft = drafted(tmp_path / "draft", "OTHER: 15000元", "OTHER: 12000元")
    begin = ("detectors", "shadow", "start")
    code, out = lidm(*begin, NAME, "--area", CITY, "--policy", draft, "--reason", "试新线")
    assert code == 0, out
    assert CODE in out
    assert "JOB-LOSS" not in out, "it reads no parameter that differs"
    code, out = lidm(*begin, "again", "--area", CITY, "--rule", "JOB-LOSS", "--reason", "看看")
    assert code == 0, out
    code, out = lidm("detectors", "shadow", "stop", NAME, "--reason", "看完了")
    assert code == 0, out
    for found in records(mock_broker).values():
        first, second, last = (each.body for each in found if isinstance(each, ShadowRecord))
        assert (first.name, first.to, first.area) == (NAME, "start", CITY)
        assert CODE in first.detectors
        assert Bundle.from_canonical(zstandard.decompress(first.bundle)).hash == first.hash
        assert (second.detectors, second.bundle) == (("JOB-LOSS",), b"")
        assert (last.name, last.to, last.reason) == (NAME, "stop", "看完了")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Bad_Name", "--area", CITY, "--rule", CODE), "小写字母"),
        (("a", "--area", "999999000000", "--rule", CODE), "区划代码"),
        (("a", "--area", CITY), "--rule"),
        (("a", "--area", CITY, "--rule", "EDU-BURDEN"), "LIDM_TRIAL_DETECTORS"),
    ],
)
def test_what_is_refused(lidm: Call, words: tuple[str, ...], said: str) -> None:
    code, out = lidm("detectors", "shadow", "start", *words, "--reason", "试")
    assert code == 2
    assert said in out


def test_a_draft_that_changes_nothing_is_refused(lidm: Call) -> None:
    words = ("detectors", "shadow", "start", "same", "--area", CITY, "--policy", str(POLICY), "--reason", "试")
    code, out = lidm(*words)
    assert code == 1
    assert "没有规则读得到的差别" in out


def begin(at_ms: int) -> Record:
    draft = Bundle.load(POLICY).narrowed(CITY, "medical_selfpay", {"line": {"OTHER": 300_000, "DIBAO": 300_000}})
    told = (draft.hash, zstandard.compress(draft.canonical()))
    return ShadowRecord("", at_ms, "", 0, 0, ShadowBody(NAME, "start", CITY, (CODE,), *told, "王", "试新线", 5))


@cache
def town() -> tuple[Watch, dict[str, list[Alert]], list[tuple[str, int, int, int, bytes]]]:
    """A town with a run beside it: the watch at the end, what was said by topic, its log."""
    log = story(40, 8, {4: (begin,)})
    watch = Watch(0, config())
    fold(watch, log.blocks)
    said: dict[str, list[Alert]] = {ALERTS: [], ALERTS_SHADOW: []}
    for letter in watch.drain().outputs:
        if letter.topic in said:
            said[letter.topic].append(Alert.model_validate_json(letter.value or b""))
    return watch, said, [("g1", 0, *block) for block in log.blocks]


@pytest.fixture
def archived(tmp_path: Path) -> Path:
    """The archive of the town."""
    _, said, log = town()
    store = EmbeddedStore(tmp_path / "store")
    store.migrate()
    store.insert_rows("household_log", log, "log")
    for table, topic in (("alerts", ALERTS), ("alerts_shadow", ALERTS_SHADOW)):
        store.insert_rows(table, [alert_row(each, each.model_dump_json()) for each in said[topic]], table)
    store.close()
    return tmp_path


def in_force(*, shadow: bool) -> set[str]:
    watch = town()[0]
    return {
        name
        for name in watch.names()
        for each in watch.household(name).head.episodes
        if each.ended is None and each.shadow == shadow and each.detector.startswith(CODE)
    }


def test_the_report_is_what_the_ledgers_say(lidm: Call, archived: Path) -> None:
    before, after = in_force(shadow=False), in_force(shadow=True)
    assert after - before, "else there is nothing to report"
    page, named = archived / "a.html", archived / "a.csv"
    words = ("detectors", "shadow", "report", NAME, "--html", str(page), "--households", str(named))
    code, out = lidm(*words, "--json")
    assert code == 0, out
    said = json.loads(out)
    (rule,) = said["rules"]
    assert (rule["code"], rule["before"], rule["after"]) == (CODE, len(before), len(after))
    assert (rule["gained"], rule["lost"]) == (len(after - before), len(before - after))
    assert said["run"]["reason"] == "试新线"
    assert sum(each["households"] for each in said["reasons"] if each["change"] == "gained") == rule["gained"]
    assert "3,000元" in {each["line"] for each in said["reasons"]}
    assert stat.S_IMODE(named.stat().st_mode) == 0o600
    rows = list(csv.DictReader(named.open(encoding="utf-8-sig")))
    assert {row["户代码"] for row in rows if row["变化"] == "新增"} == after - before
    assert all(row["理由"] for row in rows)
    html = page.read_text(encoding="utf-8")
    assert not carries_identity(html)
    assert "h_0" not in html
    code, out = lidm("detectors", "shadow", "report", NAME)
    assert code == 0
    assert "要放出" in out
    assert "h_0" not in out


def test_live_lists_know_nothing_of_it(lidm: Call, archived: Path) -> None:
    code, out = lidm("alerts", "list", "--json", "--limit", "500")
    assert code == 0, out
    assert out.count('"detector"') > 10
    assert "~" not in out


def test_runs_are_listed_and_others_are_unknown(lidm: Call, archived: Path) -> None:
    code, out = lidm("detectors", "shadow", "list", "--json")
    assert code == 0, out
    (run,) = json.loads(out)
    assert (run["name"], run["detectors"], run["until"]) == (NAME, [CODE], None)
    assert lidm("detectors", "shadow", "list")[1].startswith(NAME)
    code, out = lidm("detectors", "shadow", "report", "nobody")
    assert code == 1
    assert "没有叫nobody的试运行" in out


def test_a_name_is_used_once_and_only_a_run_under_way_ends(lidm: Call, archived: Path) -> None:
    code, out = lidm("detectors", "shadow", "start", NAME, "--area", CITY, "--rule", CODE, "--reason", "再试")
    assert (code, "名称只用一次" in out) == (1, True), out
    code, out = lidm("detectors", "shadow", "stop", "nobody", "--reason", "看过了")
    assert (code, "没有叫nobody而且还在进行的试运行" in out) == (1, True), out
