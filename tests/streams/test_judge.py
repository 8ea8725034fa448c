"""A rule that fails or has no parameters neither stops the partition's clock nor the other rules, and is seen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from detectors.findings import Findings
from detectors.registry import load_detectors
from households.ledger import Household
from policy.parameters import Policy, PolicyMissing
from schemas.facts import Bill
from schemas.records import FactBody, FactRecord, encode_block
from streams.judge import ANY
from streams.metrics import METRICS
from streams.watch import Watch
from tests.streams.making import Log, config, fold, policy_record, story

CODE = "MED-SELFPAY"
DAY_MS = 86_400_000


def faulty(household: Household, on: date, policy: Policy) -> Findings:
    """A rule with a fault."""
    raise ZeroDivisionError


def unruled(household: Household, on: date, policy: Policy) -> Findings:
    """A rule whose parameters ended."""
    raise PolicyMissing("medical_selfpay", household.responsible_area, on)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("broken", "metric"), [(faulty, "lidm_detector_failures_total"), (unruled, "lidm_policy_missing_total")]
)
def test_a_rule_that_cannot_answer_when_due_lets_time_pass_and_is_seen(
    broken: Callable[[Household, date, Policy], Findings], metric: str
) -> None:
    answers = dict(load_detectors())
    rule = answers[CODE]
    broken_now = False

    def sometimes(household: Household, on: date, policy: Policy) -> Findings:
        if broken_now:
            return broken(household, on, policy)
        findings = rule.evaluate(household, on, policy)
        findings.recheck(date.fromordinal(on.toordinal() + 1))
        return findings

    answers[CODE] = replace(rule, evaluate=sometimes, quiet=None)
    watch, log = Watch(0, config(), answers), story(households=4, weeks=3)
    fold(watch, log.blocks)
    broken_now = True
    before, last = METRICS.value(metric, detector=CODE), max(at for _, at, _ in log.blocks)
    start = len(log.blocks)
    for days in (2, 4):
        log.tick(last + days * DAY_MS)
    fold(watch, log.blocks[start:])
    assert METRICS.value(metric, detector=CODE) > before
    today = watch.household(watch.names()[0])
    assert all(day > 1 for slot, day in today.head.rechecks.items() if slot != ANY)


def test_a_fact_of_tomorrow_waits_for_tomorrow_and_one_of_today_does_not() -> None:
    log = Log()
    log.control(policy_record(0))
    log.tick(DAY_MS * 20_000)
    watch = Watch(0, config())
    fold(watch, log.blocks)
    today = date(1970, 1, 1).toordinal() + 20_000
    name, person = "h_" + "0" * 32, "p_" + "0" * 32
    for number, day in enumerate((today, today + 3)):
        bill = Bill(f"b{number}", 1, 0, f"e{number}", "测试", False, day, 1, 0, 0, 1, "INPATIENT")
        block = encode_block([FactRecord(name, 0, "", 0, number, FactBody(person, bill))])
        fold(watch, [(len(log.blocks) + number, 0, block)])
    assert watch.household(name).head.rechecks[ANY] == today + 3


def test_a_future_bill_that_takes_the_place_of_another_members_is_looked_at_now() -> None:
    log = Log()
    log.control(policy_record(0))
    log.tick(DAY_MS * 20_000)
    watch = Watch(0, config())
    fold(watch, log.blocks)
    today, name = date(1970, 1, 1).toordinal() + 20_000, "h_" + "0" * 32
    for number, day in enumerate((today, today + 3)):
        bill = Bill("b", number, 0, f"e{number}", "测试", False, day, 1, 0, 0, 1, "INPATIENT")
        block = encode_block([FactRecord(name, 0, "", 0, number, FactBody(f"p_{number:032x}", bill))])
        fold(watch, [(len(log.blocks) + number, 0, block)])
    assert watch.household(name).head.rechecks[ANY] == today + 1
