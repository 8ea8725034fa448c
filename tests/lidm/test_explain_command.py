"""`lidm explain` over an archived log: story, line, coverage, page, and a replay that can fail and says why."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lidm.main import main
from schemas.alerts import Alert
from schemas.plain_identity import carries_identity
from schemas.topics import ALERTS_SHADOW, HOUSEHOLD_EVENTS
from sinks.embedded import EmbeddedStore
from sinks.rows import placed
from streams.watch import Watch
from tests.sinks.samples import Said
from tests.sinks.test_store import put
from tests.streams.making import Block, alerts, config, story
from tests.streams.test_shadows import BEGINS, RUN, START, draft, live, run, town, watched

pytest.importorskip("chdb")
BLOCKS = story(households=10, weeks=8).blocks
Call = Callable[..., tuple[int, str]]


def told() -> list[Alert]:
    """Every alert of the log, as the monitor said them."""
    watch, said = Watch(0, config()), []
    for offset, at_ms, value in BLOCKS:
        watch.fold(HOUSEHOLD_EVENTS, offset, at_ms, value)
        drained = watch.drain()
        watch.keep(drained.state)
        said += alerts(drained)
    return said


ALERTS = told()
MEDICAL = max((each for each in ALERTS if each.detector == "MED-SELFPAY"), key=lambda each: each.revision)
OTHER = next(each for each in ALERTS if each.detector != "MED-SELFPAY")


@pytest.fixture
def lidm(whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command, on the whole log or on another folder."""
    for name in [name for name in os.environ if name.startswith("LIDM_") and "TEST" not in name]:
        monkeypatch.delenv(name)

    def call(*words: str, folder: Path = whole) -> tuple[int, str]:
        monkeypatch.setenv("LIDM_DATA_DIR", str(folder))
        monkeypatch.setattr(sys, "argv", ["lidm", *words])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


def filled(folder: Path, blocks: Iterable[Block] = BLOCKS, said: Iterable[Alert] = ALERTS) -> Path:
    """The folder of an embedded run that has ended, with this log and these alerts."""
    store = EmbeddedStore(folder / "store")
    store.migrate()
    store.insert_rows("household_log", [("g1", 0, *block) for block in blocks], "log")
    put(store, *said)
    store.close()
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything archived, nothing altered."""
    return filled(tmp_path_factory.mktemp("whole"))


def test_the_whole_explanation(lidm: Call) -> None:
    code, out = lidm("explain", MEDICAL.alert_id)
    assert code == 0
    for piece in (
        MEDICAL.reason,
        "大额自付医疗预警线（medical_selfpay），星河市（虚构），2023-01-01",
        "星河市民政局（虚构）签发",
        "最近核对 2026-11-01",
        "经过（哪天的事、我们何时知道）",
        "【依据】",
        "数据覆盖（当时）",
        f"lidm explain {MEDICAL.alert_id} --revision {MEDICAL.revision} --replay",
        "重放一致",
    ):
        assert piece in out
    assert not re.search(r"\bp_[0-9a-f]{32}", out)


def test_json_has_both_times_of_what_happened(lidm: Call) -> None:
    code, out = lidm("explain", MEDICAL.alert_id, "--json")
    body = json.loads(out)
    assert code == 0
    assert body["replay"]["same"] is True
    assert body["line"]["as_then"] is True
    resting = {each["key"] for each in body["timeline"]["entries"] if each["evidence"] and each["then"]}
    assert resting == {each.key for each in MEDICAL.evidence}
    spoken = [each for each in body["timeline"]["entries"] if each["what"] == "预警"]
    assert len(spoken) == len(body["revisions"])
    known = [each["known_at"] for each in body["timeline"]["entries"]]
    assert known == sorted(known)
    assert {each["feed"] for each in body["coverage"]} == {
        "civil.household", "medical.reimbursement", "medical.settlement", "vital.death",
    }  # fmt: skip


@pytest.mark.parametrize("then", [MEDICAL, OTHER], ids=lambda each: each.detector)
def test_a_replay_comes_to_the_same(lidm: Call, then: Alert) -> None:
    code, out = lidm("explain", then.alert_id[:12], "--revision", str(then.revision), "--replay")
    assert (code, "重放一致" in out) == (0, True), out


def test_a_replay_says_what_differs(lidm: Call, tmp_path: Path) -> None:
    altered = MEDICAL.model_copy(update={"measure": MEDICAL.measure + 1, "detector_version": "0.9.0"})
    filled(tmp_path, said=[altered])
    code, out = lidm("explain", altered.alert_id, "--revision", str(altered.revision), "--replay", folder=tmp_path)
    assert code == 1
    assert f"measure：当时{altered.measure}，重放得{MEDICAL.measure}" in out
    assert "detector_version：当时0.9.0，重放得" in out
    code, out = lidm("explain", altered.alert_id, "--replay", "--json", folder=tmp_path)
    assert code == 1
    assert [each["field"] for each in json.loads(out.splitlines()[0])["replay"]["differences"]] == [
        "detector_version", "measure",
    ]  # fmt: skip


def test_what_a_shadow_run_said_is_explained_as_such(lidm: Call, tmp_path: Path) -> None:
    blocks = town((BEGINS, START)).blocks
    _, sent = run(town((BEGINS, START)))
    then, values = watched(sent)[0], [each.value or b"" for each in sent if each.topic == ALERTS_SHADOW]
    folder = filled(tmp_path, blocks, live(sent))
    store = EmbeddedStore(folder / "store")
    for number, value in enumerate(values):
        made = placed(Said(ALERTS_SHADOW, value, offset=number), "g1")
        assert made is not None
        store.insert_rows(made.table, [made.row], f"shadow{number}")
    store.close()
    code, out = lidm("explain", then.alert_id, "--revision", str(then.revision), folder=folder)
    assert code == 0, out
    rule = "detectors/risk/medical_selfpay.py"
    for piece in (f"影子运行 {RUN} 所说", f"影子运行{RUN}开始", draft().short, "重放一致", rule):
        assert piece in out
    page = tmp_path / "a.html"
    assert lidm("explain", then.alert_id, "--html", str(page), folder=folder)[0] == 0
    assert f"影子运行 {RUN} 所说" in page.read_text(encoding="utf-8")
    body = json.loads(lidm("explain", then.alert_id, "--json", folder=folder)[1])
    assert (body["shadow_run"], body["replay"]["same"], body["cases"]) == (RUN, True, [])


def test_an_alert_nobody_could_have_said(lidm: Call, tmp_path: Path) -> None:
    invented = MEDICAL.model_copy(update={"alert_id": "00000000-1111-5111-8111-000000000000"})
    further = MEDICAL.model_copy(update={"revision": MEDICAL.revision + 5})
    filled(tmp_path, said=[invented, further])
    code, out = lidm("explain", invented.alert_id, "--replay", folder=tmp_path)
    assert code == 1
    assert "重放没有得出编号" in out
    assert f"同一规则对这一户得出的是{MEDICAL.alert_id}" in out
    code, out = lidm("explain", further.alert_id, "--replay", folder=tmp_path)
    assert code == 1
    assert f"没有第{further.revision}次" in out


def test_a_log_with_a_gap_or_without_the_household(lidm: Call, tmp_path: Path) -> None:
    kept = [block for block in BLOCKS if MEDICAL.household.encode() not in block[2]]
    filled(tmp_path, blocks=kept)
    code, out = lidm("explain", MEDICAL.alert_id, "--replay", folder=tmp_path)
    assert code == 1
    assert "台账日志不完整" in out
    assert "没有这一户的台账日志，不能重放" in out
    assert lidm("explain", MEDICAL.alert_id, folder=tmp_path)[0] == 0
    page = tmp_path / "page.html"
    assert lidm("explain", MEDICAL.alert_id, "--html", str(page), folder=tmp_path)[0] == 0
    assert "归档里没有这一户的台账日志" in page.read_text(encoding="utf-8")


def test_a_revision_that_is_not_there(lidm: Call) -> None:
    code, out = lidm("explain", MEDICAL.alert_id, "--revision", "99")
    assert (code, "没有第99次修订" in out) == (1, True)


class Page(HTMLParser):
    """Tags, attributes that load something, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.loads: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "line", "path", "rect"):
            self.open.append(tag)
        self.loads += [f"{tag}.{name}" for name, _ in attrs if name in ("src", "href", "data") or name[:2] == "on"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("then", [MEDICAL, OTHER], ids=lambda each: each.detector)
def test_the_page_stands_alone_and_names_nobody(lidm: Call, tmp_path: Path, then: Alert) -> None:
    file = tmp_path / "说明.html"
    code, out = lidm("explain", then.alert_id, "--html", str(file))
    assert (code, str(file) in out) == (0, True)
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.loads == []
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert not re.search(r"https?:|url\(|@import|@font-face", text)
    assert not re.search(r"\b[phv]_[0-9a-f]", text)
    assert not carries_identity("".join(page.text))
    assert page.tags.count("svg") == 1
    assert '<html lang="zh-CN">' in text
    assert "@media print" in text
    for piece in ("依据", "界线", "经过", "数据覆盖", "版本与重放", "重放一致"):
        assert piece in text


def test_what_looks_like_an_identity_number_is_never_written(lidm: Call, tmp_path: Path) -> None:
    number = "999999196804010016"
    evidence = [each.model_copy(update={"key": f"单{number}", "source": "<b>x</b>"}) for each in MEDICAL.evidence]
    filled(tmp_path, said=[MEDICAL.model_copy(update={"evidence": evidence})])
    file = tmp_path / "page.html"
    assert lidm("explain", MEDICAL.alert_id, "--html", str(file), folder=tmp_path)[0] == 0
    text = file.read_text(encoding="utf-8")
    assert number not in text
    assert "〔不显示〕" in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text


def test_a_page_that_cannot_be_written_is_a_wrong_call(lidm: Call, tmp_path: Path) -> None:
    code, out = lidm("explain", MEDICAL.alert_id, "--html", str(tmp_path / "none" / "page.html"))
    assert (code, "写不了文件" in out) == (2, True)
