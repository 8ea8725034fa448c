"""Intake is told within which limits the amounts of each feed lie, by the signed line of AMOUNT-UNIT of the place."""

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
import zstandard

from detectors.quality.amount_unit import terms_of
from gateway.publisher import Publisher
from policy.bundle import Bundle
from policy.parameters import Rule
from schemas.amount_limits import AmountLimits, limits_key
from schemas.amounts import Terms, judge, limits
from schemas.partition import partition_of
from schemas.topics import INTAKE_CONTROL
from sinks.amount_days import FieldDays, amount_days
from sinks.household_log import newest_policy
from sinks.store import AlertStore

Told = tuple[str, AmountLimits]
_WINDOWS = 3
"""The first day read is taken for an ordinary one: it must have left the window before a day that counts begins."""


def limits_of(area: str, store: AlertStore, today: date, at_ms: int) -> list[Told]:
    """Of each feed that had cards before today, by the policy activated last; none of them where nobody signed the
    line. Raises StoreError.
    """
    rule = _rule(area, store, today)
    if rule is None:
        return []
    signed = rule.status != "example"
    terms = terms_of(rule)
    days = amount_days(store, today - timedelta(days=_WINDOWS * terms.window), today)
    return [(feed, AmountLimits(at_ms, dict(_fields(said, terms)) if signed else {})) for feed, said in days.items()]


def tell_limits(publisher: Publisher, told: list[Told], stamp_ms: int | None) -> None:
    """One record a feed; the last one holds."""
    count = publisher.partitions(INTAKE_CONTROL)
    for feed, said in told:
        key = limits_key(feed).encode()
        publisher.send(INTAKE_CONTROL, partition_of(key, count), key, msgspec.json.encode(said), stamp_ms)
    publisher.flush()


def _rule(area: str, store: AlertStore, today: date) -> Rule | None:
    activated = newest_policy(store) if area else None
    if activated is None:
        return None
    return Bundle.from_canonical(zstandard.decompress(activated.bundle)).on(today).known("amount_unit", area)


def _fields(said: FieldDays, terms: Terms) -> Iterator[tuple[str, tuple[int, int]]]:
    for name, days in said.items():
        _, usual = judge(days, terms)
        within = limits(usual, terms)
        if within is not None:
            yield name, within
