"""The price list knows which rules were asked, and adds nothing to what they answer."""

from pathlib import Path

from load_tests.city.planner import Config
from load_tests.city.price import city_log, price_of, table
from load_tests.city.scenarios.catalogue import EVERY
from schemas.records import FactRecord, decode_block


def test_every_rule_has_a_price_and_who_was_asked_a_higher_one(tmp_path: Path) -> None:
    config = Config(households=40, months=8, seed=3, only=frozenset({"HELP-SEEKING"}))
    blocks = city_log(tmp_path, config, partitions=2)
    price = price_of(blocks, config.households, rounds=1)
    assert price.facts == sum(isinstance(each, FactRecord) for b in blocks for each in decode_block(b.block)) > 100
    assert set(price.rules) == set(EVERY)
    asked, spared = price.rules["HELP-SEEKING"], price.rules["SAFETY-SILENCE"]
    assert asked.evaluated > 0
    assert spared.asked > 0, "the cheap question is asked of everybody"
    assert spared.evaluated < asked.evaluated, "no home of this city has an alarm"
    lines = table(price).splitlines()
    assert len(lines) == len(EVERY) + 2
    assert [line for line in lines if line.startswith("HELP-SEEKING")]
