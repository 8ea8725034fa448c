"""What each rule costs: one city's log folded with the rules in service and with every rule, and the time inside each.

`python -m load_tests.city.price --households 600 --months 14`. CPU of this process alone: intake and files are made
before. Rounds alternate, the best of each counts. The time inside a rule is taken in a run of its own with a clock
around every question, so its sums are some tenths above those of the rounds; shares are what they are for.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import wraps
from pathlib import Path

from detectors.findings import Findings
from detectors.registry import Detector, Sure, running
from gateway.identities import Linkage
from gateway.vault import Vault
from households.ledger import Household
from load_tests.city.driver import Driver
from load_tests.city.logged import Logged
from load_tests.city.planner import City, Config
from policy.bundle import Bundle
from policy.parameters import Policy
from schemas.records import FactRecord, decode_block
from schemas.sealing import new_key_pair
from schemas.topics import HOUSEHOLD_EVENTS
from sinks.store import LogBlock
from streams.config import StreamConfig
from streams.watch import Watch

ALL = ("*",)
_POLICY = Path(__file__).resolve().parents[2] / "policy"
_BLOCKS_PER_CHECKPOINT = 40


@dataclass(slots=True)
class Spent:
    """Time inside one rule: its whole question and the cheap one before it."""

    evaluated: int = 0
    evaluate_ns: int = 0
    asked: int = 0
    quiet_ns: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """CPU in microseconds per fact: folding with the rules in service, with every rule, and inside each rule."""

    households: int
    facts: int
    in_service_us: float
    every_rule_us: float
    rules: dict[str, Spent]

    @property
    def ratio(self) -> float:
        """What every rule costs against those in service."""
        return self.every_rule_us / self.in_service_us

    def us(self, code: str) -> float:
        """Microseconds per fact inside a rule."""
        spent = self.rules[code]
        return (spent.evaluate_ns + spent.quiet_ns) / 1000 / self.facts


def city_log(folder: Path, config: Config, partitions: int) -> list[LogBlock]:
    """What intake and monitor wrote for a city of every rule."""
    city = City(replace(config, every_rule=True), folder)
    service = Logged(new_key_pair()[1], partitions, ALL)
    with Vault(folder / "vault.sqlite", b"v" * 32) as vault:
        Driver(city, service, Linkage(b"k" * 32, synthetic=True), vault, Bundle.load(_POLICY)).run()
    return list(service.blocks())


def price_of(blocks: Sequence[LogBlock], households: int, rounds: int) -> Price:
    """Folds the log again and again."""
    facts = sum(isinstance(each, FactRecord) for block in blocks for each in decode_block(block.block))
    few, every = running(), running(ALL)
    best: dict[bool, float] = {}
    for number in range(rounds * 2):
        all_of_them = bool(number % 2)
        used = folded(blocks, every if all_of_them else few)
        best[all_of_them] = min(used, best.get(all_of_them, used))
    spent = {code: Spent() for code, each in every.items() if each.about == "household"}
    timed = {code: _timed(each, spent[code]) if code in spent else each for code, each in every.items()}
    folded(blocks, timed)
    return Price(households, facts, best[False] * 1e6 / facts, best[True] * 1e6 / facts, spent)


def folded(blocks: Iterable[LogBlock], detectors: Mapping[str, Detector]) -> float:
    """Seconds of CPU to fold a log with these rules."""
    blocks = list(blocks)
    partitions = max(block.partition for block in blocks) + 1
    config = StreamConfig("nowhere:0", partitions, clock="driven", seal_public_key=new_key_pair()[1])
    watches = [Watch(p, config, detectors) for p in range(partitions)]
    for watch in watches:
        watch.opened()
    began = time.process_time()
    for number, block in enumerate(blocks, 1):
        watch = watches[block.partition]
        watch.fold(HOUSEHOLD_EVENTS, block.offset, block.known_at, block.block)
        if number % _BLOCKS_PER_CHECKPOINT == 0:
            watch.keep(watch.drain()[1])
    return time.process_time() - began


def _timed(detector: Detector, spent: Spent) -> Detector:
    """The same rule with a clock around its questions."""
    evaluate, quiet = detector.evaluate, detector.quiet

    @wraps(evaluate)
    def asked(household: Household, on: date, policy: Policy) -> Findings:
        began = time.thread_time_ns()
        try:
            return evaluate(household, on, policy)
        finally:
            spent.evaluate_ns += time.thread_time_ns() - began
            spent.evaluated += 1

    def cheap(on: date, policy: Policy, area: str) -> Sure:
        sure = quiet(on, policy, area) if quiet is not None else None

        def nothing(household: Household) -> bool:
            began = time.thread_time_ns()
            try:
                return sure is not None and sure(household)
            finally:
                spent.quiet_ns += time.thread_time_ns() - began
                spent.asked += 1

        return nothing

    return replace(detector, evaluate=asked, quiet=cheap if quiet is not None else None)


def table(price: Price) -> str:
    """The price list, the dearest rule first."""
    lines = [
        f"{price.households} households, {price.facts} facts: {price.in_service_us:.1f} µs a fact with the rules in "
        f"service, {price.every_rule_us:.1f} µs with every rule, {price.ratio:.2f} times",
        f"{'rule':20} {'µs a fact':>10} {'of service':>10} {'evaluated':>10} {'µs each':>8} {'asked':>9}",
    ]
    for code in sorted(price.rules, key=price.us, reverse=True):
        spent = price.rules[code]
        each = spent.evaluate_ns / 1000 / max(1, spent.evaluated)
        share = price.us(code) / price.in_service_us
        lines.append(f"{code:20} {price.us(code):10.2f} {share:10.1%} {spent.evaluated:10} {each:8.1f} {spent.asked:9}")
    return "\n".join(lines)


def main() -> None:
    """Prints the price list, with `--json` as an object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=600)
    parser.add_argument("--months", type=int, default=14)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        blocks = city_log(Path(folder), Config(asked.households, asked.months, seed=5), partitions=4)
    price = price_of(blocks, asked.households, asked.rounds)
    print(json.dumps(asdict(price)) if asked.json else table(price))


if __name__ == "__main__":
    main()
