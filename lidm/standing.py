"""Who the service holds in which household on a day, read from the ledgers as they are now."""

from collections.abc import Iterator
from datetime import date

import msgspec

from gateway.identities import issuing_area_of
from gateway.reconcile import Member, in_force
from households.ledger import Household
from lidm.compose import stream_config
from lidm.reading import read_topic
from lidm.settings import Settings
from lidm.stores import open_store
from schemas.provisional import is_provisional
from schemas.topics import MEMBERS, STATE
from streams.lag import Lag
from streams.rebuild import LoggedBlock, fold_log, read_state
from streams.registry import decode_stay
from streams.watch import Watch


def members_now(settings: Settings, on: date) -> Iterator[Member]:
    """Every member of a declared household on a day, household by household. Raises Unreachable."""
    for watch in _watches(settings).values():
        for name in watch.names():
            if not is_provisional(name):
                yield from members_of(watch.household(name), on)


def people_over_a_line(settings: Settings) -> set[str]:
    """Everybody who was ever given a provisional household, as the routing hints tell. Raises Unreachable."""
    found = set()
    for message in read_topic(settings, MEMBERS):
        try:
            stay = decode_stay(message.value or b"")
        except msgspec.DecodeError:
            continue  # a deletion, or not ours
        if is_provisional(stay.household):
            found.add(stay.person)
    return found


def members_of(household: Household, on: date) -> Iterator[Member]:
    """The members of one household on a day as the roster would list them."""
    declared = household.declared_on(on) or household.declared
    areas = (declared.responsible_area, declared.residence_area, declared.hukou_area) if declared else None
    district = issuing_area_of(declared.responsible_area) if declared else ""
    for each in household.members_on(on):
        held = (
            (s.scheme, date.fromordinal(s.since), date.fromordinal(s.until) if s.until else None) for s in each.statuses
        )
        yield Member(
            person=each.person,
            household=household.id,
            relation=each.relation,
            since=date.fromordinal(each.since),
            until=date.fromordinal(each.until) if each.until else None,
            statuses=in_force(held, on),
            areas=areas if each.relation == "HEAD" else None,
            district=district,
        )


def _watches(settings: Settings) -> dict[int, Watch]:
    config = stream_config(settings)
    if not settings.embedded:
        lag = Lag(config.broker, config.partitions)
        try:
            ends = lag.ends(STATE)
        finally:
            lag.close()
        return read_state(config, ends)
    store = open_store(settings)
    try:
        return fold_log((LoggedBlock(*block) for block in store.read_household_log()), config)
    finally:
        store.close()
