"""`lidm incident`: what a declaration must say, that every partition has it, and what is declared now."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from cases.deadlines import default_deadlines
from gateway.keys import init_keys, read_key
from gateway.vault import Entry, Identity, Vault
from lidm.incidents import declared_now
from lidm.settings import load_settings
from schemas.alerts import Areas
from schemas.cases import encode_event
from schemas.feeds.emergency import IncidentSort
from schemas.records import IncidentBody, IncidentRecord
from schemas.topics import CASE_EVENTS
from streams.casework import Casework
from tests.cases.builders import alert, ms
from tests.lidm.conftest import PARTITIONS, Call, records

TOWN, DAY, AT = "339901001000", date(2026, 7, 12), "2026-07-12T20:00:00"
HOME = Areas(hukou=TOWN, residence=TOWN, responsible=TOWN, incident=TOWN)
WORDS = ("TF202607", "--sort", "台风", "--on", "2026-07-12", "--area", TOWN, "--reason", "应急局通报", "--at", AT)


def bodies(broker: str) -> list[list[IncidentBody]]:
    return [[each.body for each in found if isinstance(each, IncidentRecord)] for found in records(broker).values()]


def test_declared_and_withdrawn_in_every_partition(lidm: Call, mock_broker: str) -> None:
    code, out = lidm("incident", "declare", *WORDS)
    assert code == 0, out
    assert "TF202607 2026-07-12台风影响北辰镇，已登记" in out
    code, out = lidm("incident", "withdraw", "TF202607", "--reason", "通报有误", "--at", AT, "--json")
    assert (code, json.loads(out)["partitions"]) == (0, PARTITIONS), "nobody knows what is declared: it is done"
    first = IncidentBody("TF202607", "declare", "TYPHOON", DAY.toordinal(), (TOWN,), (), "operator", "应急局通报")
    last = IncidentBody("TF202607", "withdraw", "", 0, (), (), "operator", "通报有误")
    assert bodies(mock_broker) == [[first, last]] * PARTITIONS


@pytest.mark.parametrize(
    ("place", "word", "says"),
    [
        (0, "TF 1", "事件编号应为"),
        (0, "T" * 65, "事件编号应为"),
        (0, "TF|1", "事件编号应为"),
        (0, "999999198805041236", "事件编号应为"),
        (2, "海啸", "没有“海啸”这种事件，有：FIRE 火灾、FLOOD 洪涝"),
        (4, "2026-07-13", "受灾日期2026-07-13还没有到"),
        (4, "昨天", "--on"),
        (6, "123", "区划代码123不在areas.yaml里"),
        (8, " ", "须写明理由"),
        (8, "见999999198805041236", "证件"),
    ],
)
def test_a_wrong_call(lidm: Call, place: int, word: str, says: str) -> None:
    """Without a broker: it is refused before anything is sent."""
    code, out = lidm("incident", "declare", *WORDS[:place], word, *WORDS[place + 1 :])
    assert code == 2
    assert says in out


def test_an_address_becomes_pseudonyms_and_nothing_else(lidm: Call, mock_broker: str, tmp_path: Path) -> None:
    fire = ("incident", "declare", "HZ1", "--sort", "FIRE", "--on", "2026-07-12", "--at", AT, "--reason", "消防通报")
    assert lidm(*fire, "--address", "北辰镇幸福路1号")[0] == 1, "no vault here"
    keys = init_keys(tmp_path / "keys", synthetic=True)
    who = [Identity("示例甲", "N1", (), ("北辰镇幸福路１号 2室",)), Identity("示例乙", "N2", (), ("北辰镇幸福路2号",))]
    with Vault(load_settings().vault, read_key(keys.vault)) as vault:
        vault.write([Entry(f"p_{n}", f"h_{n}", True, each) for n, each in enumerate(who)], 1)
    code, out = lidm(*fire, "--address", "北辰镇幸福路1号")
    assert (code, "所报地址的1户" in out, "h_0" in out) == (0, True, False), out
    [told] = {each for found in bodies(mock_broker) for each in found}
    assert (told.areas, told.households, told.number) == ((), ("h_0",), "HZ1")
    assert "幸福路" not in str(told)
    with Vault(load_settings().vault, read_key(keys.vault)) as vault:
        assert [each.purpose for each in vault.openings()] == ["HZ1：消防通报"]
    code, out = lidm(*fire, "--address", "南斗镇人民路")
    assert (code, "名册里没有住在这个地址的家庭" in out, "南斗" in out) == (1, True, False)
    both = ("--address", "北辰镇幸福", "--area", TOWN)
    for wrong, says in ((("--address", "幸福路"), "地址太短"), (both, "只写一种"), ((), "只写一种")):
        code, out = lidm(*fire, *wrong)
        assert (code, says in out) == (2, True), out


def test_several_towns_at_once(lidm: Call, mock_broker: str) -> None:
    code, out = lidm("incident", "declare", *WORDS, "--area", "339901002000", "--area", TOWN)
    assert (code, "影响北辰镇、南斗镇，" in out) == (0, True), out
    assert {each.areas for found in bodies(mock_broker) for each in found} == {(TOWN, "339901002000")}


@pytest.mark.parametrize("sort", ["TYPHOON", "typhoon", "台风"])
def test_a_sort_by_code_or_label(lidm: Call, mock_broker: str, sort: str) -> None:
    assert lidm("incident", "declare", *WORDS[:2], sort, *WORDS[3:])[0] == 0
    assert {each.sort for found in bodies(mock_broker) for each in found} == {IncidentSort.TYPHOON.value}


def test_what_is_declared_now_is_what_was_said_last() -> None:
    def said(number: str, to: str, day: int, at_ms: int) -> IncidentRecord:
        body = IncidentBody(number, to, "FLOOD", DAY.toordinal() + day, (TOWN,), (), "王", f"{at_ms}")  # type: ignore[arg-type]
        return IncidentRecord("", at_ms, "", 0, 0, body)

    log = [("A", "declare", 0, 1), ("B", "declare", 1, 2), ("A", "declare", 5, 3), ("C", "declare", 0, 4),
           ("C", "withdraw", 0, 5), ("B", "withdraw", 0, 6), ("B", "declare", 2, 7)]  # fmt: skip
    found = declared_now(said(*each) for each in log)
    assert [(each.number, each.day.day, each.reason) for each in found] == [("A", 17, "3"), ("B", 14, "7")]


def test_nothing_to_see_says_so(lidm: Call, mock_broker: str) -> None:
    code, out = lidm("incident", "list")
    assert (code, "连接不上归档库" in out) == (3, True)
    owner = Producer({"bootstrap.servers": mock_broker})
    owner.list_topics(CASE_EVENTS, timeout=10)
    code, out = lidm("case", "incident", "list")
    assert (code, out.strip()) == (0, "没有涉及多户的灾害")
    code, out = lidm("case", "incident", "show", "TF202607")
    assert (code, "没有TF202607的个案" in out) == (1, True)
    assert lidm("case", "incident", "show", "TF202607", "--area", "123")[0] == 2


def test_the_checklist_from_the_topic(lidm: Call, mock_broker: str) -> None:
    desk, owner = Casework(0, PARTITIONS, default_deadlines()), Producer({"bootstrap.servers": mock_broker})
    for name, severity in (("a", 3), ("b", 4)):
        rule: dict[str, Any] = {"detector": "DISASTER-ACCIDENT", "cause": "TF202607", "areas": HOME}
        told = alert(name, household=f"h_{name}", severity=severity, **rule)
        for event in desk.on_alert(told, ms("2026-07-12 20:00")):
            owner.produce(CASE_EVENTS, encode_event(event), event.household, 0)
    owner.flush(10)
    code, out = lidm("case", "incident", "show", "TF202607", "--area", TOWN, "--json")
    told = json.loads(out)
    assert (code, told["households"], told["waiting"], told["visited"]) == (0, 2, 2, 0), out
    assert [each["household"] for each in told["cases"]] == ["h_b", "h_a"]
    code, out = lidm("case", "incident", "show", "TF202607")
    assert (code, "共2户，已入户0户" in out, "待签收" in out) == (0, True, True)
    assert json.loads(lidm("case", "incident", "list", "--json")[1])[0]["households"] == 2
    assert lidm("case", "incident", "show", "TF202607", "--area", "339901002000")[0] == 1
