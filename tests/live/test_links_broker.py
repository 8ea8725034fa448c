"""The links stage as a worker on a real broker: killed between facts and state, stopped and started, it comes to the
same."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest

from load_tests.chaos import scope
from load_tests.chaos.events import Message, Pen
from load_tests.chaos.fleet import wait_until
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.topics import read_all
from schemas.feeds.links import SharedAccount
from schemas.records import decode_block
from schemas.topics import HOUSEHOLD_EVENTS

pytestmark = [pytest.mark.live, pytest.mark.timeout(480)]
FAMILIES, SHARING = 24, 4
SINCE = date(2026, 2, 1)


def test_killed_between_facts_and_state_every_household_ends_with_the_right_fact(tmp_path: Path) -> None:
    with lab(tmp_path, workers=("intake", "monitor")) as made:
        made.publish(scope.families(FAMILIES, made.config.partitions))
        made.quiet("intake")  # nobody is watched before
        made.publish(_paid(made, range(FAMILIES)))
        made.quiet("intake")
        for place in ("links.after_outputs", "links.mid_state", "links.after_state"):
            dying = made.fleet.start("links", failpoint=place)
            wait_until(lambda worker=dying: not worker.alive, 120, f"links lives on after {place}")
        last = made.fleet.start("links")
        made.quiet("monitor")
        facts = _newest(made)
        assert len(facts) == FAMILIES
        assert {fact.steps for fact in facts.values()} == {((SINCE.toordinal(), SHARING),)}
        assert last.stop() == 0
        made.fleet.start("links")
        made.publish(_paid(made, [0], until="2026-03-01"))
        made.quiet("intake", "monitor")
        facts = _newest(made)
        ended = (date(2026, 3, 1).toordinal(), SHARING - 1)
        changed = [fact for fact in facts.values() if fact.steps[1:] == (ended,)]
        assert (len(facts), len(changed)) == (FAMILIES, SHARING - 1)


def _paid(made: Lab, people: Iterable[int], until: str | None = None) -> list[Message]:
    pen = Pen(scope.NOW + timedelta(days=1 if until else 0), made.config.partitions)
    end = {"until": until} if until else {}
    return [
        pen.event("civil.payee", f"a{n}-{until or ''}", f"p_{n:032x}",
                  {"account": f"k_{n // SHARING:032x}", "holder": "SELF", "since": SINCE.isoformat(), **end}, SINCE,
                  operation="correct" if until else "record")
        for n in people
    ]  # fmt: skip


def _newest(made: Lab) -> dict[tuple[str, str], SharedAccount]:
    """Of each household and key the fact that its ledger keeps."""
    found: dict[tuple[str, str], SharedAccount] = {}
    for message in read_all(made.config.broker, made.config.partitions, HOUSEHOLD_EVENTS):
        for record in decode_block(message.value):
            fact = getattr(record.body, "fact", None)
            if isinstance(fact, SharedAccount):
                key = (record.household, fact.key)
                if key not in found or found[key].version < fact.version:
                    found[key] = fact
    return found
