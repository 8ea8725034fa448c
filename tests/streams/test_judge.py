"""A rule that fails or has no parameters neither stops the partition's clock nor the other rules, and is seen."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from detectors.findings import Findings
from detectors.registry import load_detectors
from households.ledger import Household
from policy.bundle import Bundle
from policy.parameters import Policy, PolicyMissing
from schemas.facts import Bill
from schemas.records import FactBody, FactRecord, encode_block
from streams.judge import ANY, Judge
from streams.metrics import METRICS
from streams.watch import Watch
from tests.streams.making import POLICY, Log, config, fold, policy_record, story

CODE = "MED-SELFPAY"
CITY = "339901000000"
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
    today = watch.known.on
    assert today is not None
    again = [watch.household(name).head.rechecks.get(CODE) for name in watch.names()]
    assert all(day is None or day > today for day in again)
    if broken is faulty:  # a fault may be mended tomorrow; missing parameters come with another policy
        assert {today + 1} <= set(again) <= {None, today + 1}


@pytest.mark.timeout(60)
def test_a_day_kept_for_a_rule_that_is_gone_does_not_stop_the_clock() -> None:
    """An upgrade left the rule out, or a shadow run looks at this household no more: nobody moves its day on."""
    log, watch = story(households=4, weeks=3), Watch(0, config())
    fold(watch, log.blocks)
    state = watch.drain().state
    watch.keep(state)
    heir = Watch(0, config(), {code: each for code, each in load_detectors().items() if code != CODE})
    for item in state:
        heir.restore(item.key, item.value)
    heir.opened()
    waiting = [day for name in heir.names() if (day := heir.household(name).head.rechecks.get(CODE)) is not None]
    assert waiting
    start, last = len(log.blocks), max(at for _, at, _ in log.blocks)
    log.tick(last + (min(waiting) - (watch.known.on or 0) + 1) * DAY_MS)
    fold(heir, log.blocks[start:])
    today = heir.known.on or 0
    assert today > min(waiting)
    assert not [day for name in heir.names() for day in heir.household(name).head.rechecks.values() if day <= today]


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


@pytest.mark.parametrize(
    ("status", "signed"), [("example", False), ("{pilot: {signed_by: 局（虚构）, until: 2099-12-31}}", True)]
)
def test_a_value_a_rule_can_do_without_is_watched_where_it_is_published(
    tmp_path: Path, status: str, *, signed: bool
) -> None:
    folder = tmp_path / "policy"
    shutil.copytree(POLICY, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    standards = folder / CITY / "standards.yaml"
    head, mean, tail = standards.read_text(encoding="utf-8").partition("disposable_income_year:\n  values:\n")
    value = "amount: 1元, document: {title: 通知, number: null}"
    dated = f"    2026-06-01: {{status: {status}, {value}}}\n"
    rest = tail[tail.index("  last_value_still_valid_on") :]
    standards.write_text(head + mean + dated + rest, encoding="utf-8")
    bundle, rule = Bundle.load(folder), load_detectors()["RIGID-RATIO"]
    judge, days = Judge({}), [bundle.on(date(2026, month, 1)) for month in (4, 5, 7)]
    _, before, after = (judge.outlook(rule, day, CITY) for day in days)  # what was found in April holds in May
    assert (before.next_change, before.signed) == (date(2026, 6, 1), True)
    assert after.signed is signed
