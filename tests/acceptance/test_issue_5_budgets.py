"""What every rule costs on ledgers of 24 months, beside the rules in service: the same people, facts and closings.

No broker but the one the floor is read from. Three rounds in turn, each between two floors; a floor that moves by more
than 1.3 is read again with its measurement, three times at most. Cost decides nothing here: each figure stands beside
its budget in `docs/acceptance/5.json`.
"""

from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from load_tests.bench import ground
from load_tests.bench.bills import plan
from load_tests.bench.budgets import judged
from load_tests.bench.report import Floors, as_reference, ledgers_in
from load_tests.bench.rounds import BILLS, measure_floor
from tests.acceptance.figures import noted

pytestmark = [pytest.mark.live, pytest.mark.acceptance, pytest.mark.timeout(7200)]
PERSONS, ROUNDS, FLOOR_EVENTS = 2_000, 3, 200_000
KINDS: dict[str, tuple[str, ...]] = {"in_service": (), "every_rule": ("*",)}


def test_every_rule_beside_those_in_service(tmp_path: Path) -> None:
    floors = Floors()
    rounds: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    with ground.broker(tmp_path / "floor") as still:
        ground.create_topics(still.bootstrap, "wall")
        bench = plan(FLOOR_EVENTS, FLOOR_EVENTS // 10)
        ground.publish(still.bootstrap, BILLS, ((None, key, value) for key, value in bench.messages()))
        floors.read = partial(measure_floor, still.bootstrap, tmp_path)
        for _ in range(ROUNDS):
            for kind, trial in KINDS.items():
                rounds[kind].append(as_reference(*floors.beside(partial(ledgers_in, tmp_path, PERSONS, trial))))
    figures: dict[str, Any] = {
        kind: {name: median(each[name] for each in told) for name in told[0]} for kind, told in rounds.items()
    }
    figures["every_rule_over_in_service"] = {
        name: round(value / figures["in_service"][name], 2)
        for name, value in figures["every_rule"].items()
        if "_reference_us_" in name
    }
    figures["budgets"] = {kind: judged({"ledgers": figures[kind]}) for kind in KINDS}
    noted(5, "budgets", figures | {"rounds": ROUNDS} | floors.told())
    assert figures["every_rule_over_in_service"]["warm_reference_us_per_event"] > 1
