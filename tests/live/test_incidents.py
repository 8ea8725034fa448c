"""A typhoon strikes a town: one batch of exactly its households, worked through, over a restart, and taken back."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from load_tests.chaos.fleet import wait_until
from schemas.calendar import SHANGHAI
from tests.live.city import lidm
from tests.live.service import TOWN, Service, number_of, service

pytestmark = [pytest.mark.live, pytest.mark.timeout(480)]
DETECTOR, NUMBER, OTHER = "DISASTER-ACCIDENT", "TF202607", "339901002000"


def test_a_town_is_one_batch_that_officers_work_through(tmp_path: Path) -> None:
    today = datetime.now(SHANGHAI).date().isoformat()
    declare = ("incident", "declare", NUMBER, "--sort", "台风", "--on", today, "--area", TOWN, "--reason", "应急局通报")
    with service(tmp_path, trial_detectors=DETECTOR) as first:
        first.call("policy", "activate")
        golive = ("detectors", "golive", "339901000000", DETECTOR, "--per-day", "50")
        code, _, err = lidm(tmp_path, *golive, LIDM_TRIAL_DETECTORS=DETECTOR)
        assert code == 0, err
        homes = {n: TOWN if n < 4 else OTHER for n in range(7)}
        first.call("roster", "load", str(_roster(tmp_path / "roster.csv", homes)))
        first.call(*declare)
        wait_until(lambda: _households(first) == 4, 90, "no batch of four")
        told = first.said("case", "incident", "show", NUMBER)
        assert (told["waiting"], told["visited"], told["need"]) == (4, 0, 0)
        assert {each["area"] for each in told["cases"]} == {TOWN}
        alerts = first.said("alerts", "list", "--all")
        assert {each["household"] for each in alerts} == {each["household"] for each in told["cases"]}
        case = told["cases"][0]["number"]
        first.call("case", "accept", case)
        first.call("case", "verify", case, "--result", "need", "--evidence", "visit:已入户，屋顶受损")
        told = first.said("case", "incident", "show", NUMBER)
        assert (told["waiting"], told["visited"], told["need"]) == (3, 1, 1)
        assert told["cases"][-1]["number"] == case
        assert "共4户，已入户1户，需帮扶1户，未入户3户" in first.call("case", "incident", "show", NUMBER)
        fire = ("incident", "declare", "HZ1", "--sort", "FIRE", "--on", today, "--reason", "消防通报")
        assert "所报地址的1户" in first.call(*fire, "--address", "南斗镇 人民路5号")
        wait_until(lambda: _households(first, "HZ1") == 1, 90, "nobody lives at the address")
        first.call(*declare)
        wait_until(lambda: first.said("incident", "list"), 60, "the archive knows of nothing")
        assert first.stop()[0] == 0
    with service(tmp_path, trial_detectors=DETECTOR) as second:
        assert second.said("case", "incident", "show", NUMBER)["visited"] == 1
        by_number = {each["number"]: each for each in second.said("incident", "list")}
        known = by_number[NUMBER]
        assert by_number["HZ1"]["households"] == 1
        assert (known["number"], known["areas"], known["sort"]) == (NUMBER, [TOWN], "TYPHOON")
        explained = second.said("explain", alerts[0]["alert_id"], "--replay")
        assert explained["replay"]["same"] is True
        assert any(each["what"] == "区域灾害" for each in explained["timeline"]["entries"])
        second.call("incident", "withdraw", NUMBER, "--reason", "通报有误")
        wait_until(lambda: _states(second) == {"withdrawn": 4, "raised": 1}, 90, "nothing was withdrawn")
        told = second.said("case", "incident", "show", NUMBER)
        assert (told["visited"], told["waiting"], told["over"]) == (1, 0, 3)
        assert second.said("case", "incident", "show", "HZ1")["waiting"] == 1
        assert second.stop()[0] == 0


def _households(running: Service, number: str = NUMBER) -> int:
    found: list[dict[str, Any]] = running.said("case", "incident", "list", "--least", "1")
    return sum(each["households"] for each in found if each["number"] == number)


def _states(running: Service) -> Counter[str]:
    return Counter(each["state"] for each in running.said("alerts", "list", "--all"))


def _roster(path: Path, homes: dict[int, str]) -> Path:
    """Households of one, in their towns."""
    head = "户号,与户主关系,姓名,证件号码,责任属地区划代码,核定月收入(元),救助类别,类别起,加入日期,住址\n"
    path.write_text(head + "".join(_rows(homes)), encoding="gb18030")
    return path


def _rows(homes: dict[int, str]) -> Iterable[str]:
    for n, home in homes.items():
        town = "北辰镇" if home == TOWN else "南斗镇"
        yield f"T-{n},户主,示例{n},{number_of(n)},{home},1800.00,低保,2024-01-01,2024-01-01,{town}人民路{n}号\n"
