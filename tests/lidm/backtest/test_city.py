"""A planned city whose every rule is folded twice with the same values under another document: nobody comes or goes."""

from datetime import date
from pathlib import Path
from typing import Any

from gateway.identities import Linkage
from gateway.vault import Vault
from lidm.backtest.tally import ANY
from lidm.backtest.work import Question, back_test
from load_tests.city.driver import Driver
from load_tests.city.logged import Logged
from load_tests.city.planner import City, Config
from policy.bundle import Bundle
from schemas.sealing import new_key_pair
from sinks.log_file import save
from tests.lidm.backtest.planned import bundle


def cited_otherwise() -> Bundle:
    """The policy in force with another number on every document."""
    plain: Any = bundle().plain()
    for rules in plain["rules"].values():
        for rule in rules.values():
            for value in rule["values"]:
                value["document"]["number"] = "星民〔2026〕9号"
    return Bundle(plain)


def test_the_same_values_under_another_document_move_nobody(tmp_path: Path) -> None:
    city = City(Config(households=60, months=8, seed=5), tmp_path)
    service = Logged(new_key_pair()[1], 2)
    with Vault(tmp_path / "vault.sqlite", b"v" * 32) as vault:
        Driver(city, service, Linkage(b"k" * 32, synthetic=True), vault, bundle()).run()
    log = save(tmp_path / "log", service.blocks())
    answer = back_test(log, Question(cited_otherwise(), "in-force", date(2025, 4, 1), date(2025, 8, 31)))
    assert answer.tally.named == []
    assert all(both.before == both.after for both in answer.tally.work.values())
    found = {cell.detector for cell, count in answer.tally.cells.items() if count.before == count.after > 0}
    assert len(found - {ANY}) >= 4
