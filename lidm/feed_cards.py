"""Report cards are made, stored, and told to the units of their feeds, where rules about data read them.

A card goes to its unit first and to the store afterwards: what was not told to the end is told again the next time,
and told twice it is one fact. Only cards that say something new are sent.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime

import structlog

from cases.workdays import WorkCalendar
from gateway.publisher import BrokerPublisher, Publisher
from lidm.amount_limits import limits_of, tell_limits
from lidm.settings import Settings
from lidm.ways_in import moment_of, publisher_of
from schemas.errors import LidmError
from schemas.fact import Fact
from schemas.feed_declaration import declared_unit
from schemas.feed_reports import CardReport, encode_report
from schemas.feed_units import unit_of
from schemas.feeds.report_cards import FeedDay, FeedPeriod
from schemas.partition import partition_of
from schemas.records import FactBody, FactRecord, encode_block
from schemas.topics import FEED_REPORTS, HOUSEHOLD_EVENTS, Catalogue
from sinks.card_records import cards
from sinks.store import AlertStore
from streams.metrics import METRICS

log = structlog.get_logger("lidm.cards")
EVERY_SECONDS = 3600.0
FIRST_SECONDS = 60.0
LOOK_SECONDS = 5.0
BLOCK_RECORDS = 200
SOURCE = "lidm"


def make_cards(
    settings: Settings, store: AlertStore, *, at: datetime | None = None, days: int = 3, inside: bool = False
) -> list[CardReport]:
    """Makes the cards of the last `days` days up to `at` (Beijing time, now), and sends those that are new.

    From the cards stored so far it tells intake within which limits amounts lie.

    `inside`: in the process of the embedded service, whose settings name its broker as if it were a real one.
    Raises StoreError and Unreachable; what was sent before stays sent, and making again does no harm.
    """
    catalogue = Catalogue.load()
    recorded, stamp = moment_of(settings, at)
    at_ms = int(recorded.timestamp() * 1000)
    worked = WorkCalendar().is_workday
    found = cards(store, catalogue, recorded.date(), at_ms=at_ms, worked=worked, days=days)
    limits = limits_of(settings.area, store, recorded.date(), at_ms)
    if found or limits:
        with BrokerPublisher(settings.bootstrap, embedded=True) if inside else publisher_of(settings) as publisher:
            send(publisher, found, catalogue, settings.area, stamp)
            tell_limits(publisher, limits, stamp)
    return found


def recall_limits(settings: Settings, store: AlertStore) -> None:
    """Tells intake, before it reads a row, what the cards of before say of amounts: the broker in memory has forgotten.

    What somebody let through for some days is forgotten with it. Where the limits cannot be told, rows pass until the
    next cards, and the log says so.
    """
    try:
        recorded, stamp = moment_of(settings, None)
        limits = limits_of(settings.area, store, recorded.date(), int(recorded.timestamp() * 1000))
        if limits:
            with BrokerPublisher(settings.bootstrap, embedded=True) as publisher:
                tell_limits(publisher, limits, stamp)
    except LidmError as error:
        log.warning("amount_limits_not_told", reason=error.message_zh)


def send(publisher: Publisher, found: list[CardReport], catalogue: Catalogue, area: str, stamp_ms: int | None) -> None:
    """Cards to the units of their feeds, and then to the store. `area`: who answers for the units; empty: no units."""
    count = publisher.partitions(HOUSEHOLD_EVENTS)
    blocks: dict[int, list[FactRecord]] = defaultdict(list)
    declared = set[str]()
    for each in found if area else ():
        unit = unit_of(each.feed, each.department, catalogue.owner(each.feed))
        said = [FactBody(unit, fact_of(each))]
        if unit not in declared:
            declared.add(unit)
            said.insert(0, declared_unit(unit, area, each.at_ms))
        blocks[partition_of(unit, count)] += [FactRecord(unit, each.at_ms, "", 0, 0, body) for body in said]
    for partition, records in sorted(blocks.items()):
        for start in range(0, len(records), BLOCK_RECORDS):
            block = encode_block(records[start : start + BLOCK_RECORDS])
            publisher.send(HOUSEHOLD_EVENTS, partition, b"", block, stamp_ms)
    publisher.flush()
    count = publisher.partitions(FEED_REPORTS)
    for each in found:
        key = each.feed.encode()
        publisher.send(FEED_REPORTS, partition_of(key, count), key, encode_report(each), stamp_ms)
    publisher.flush()


def fact_of(card: CardReport) -> Fact:
    """What a card says, as a fact of its feed's unit."""
    day = date.fromisoformat(card.period if card.span == "day" else f"{card.period}-01")
    head = (card.period, card.at_ms, 0, f"card-{card.at_ms}", SOURCE, False, day.toordinal())
    if card.span == "month":
        closed = date.fromisoformat(card.closed_on).toordinal() if card.closed_on else None
        due = date.fromisoformat(card.due).toordinal()
        return FeedPeriod(*head, card.feed, card.department, card.volume, due, closed)
    flaws = tuple(sorted(card.identities.items()))
    amounts = tuple((name, tuple(sorted(counts.items()))) for name, counts in sorted(card.amounts.items()))
    return FeedDay(*head, card.feed, card.department, card.every, card.worked, card.rows, card.read, flaws, amounts)


async def keep_cards(
    settings: Settings, store: AlertStore, caught_up: Callable[[], bool], *, inside: bool = False
) -> None:
    """Every hour, beside the archive, on the wall clock. Where it cannot, it says so and tries again an hour later.

    Waits until the archive has caught up: what it has not read yet would look like silence of a department.
    """
    await asyncio.sleep(FIRST_SECONDS)
    if not settings.area:
        log.warning("feed_units_without_area", note="没有设置 LIDM_AREA：报告单照常生成，数据质量规则不会运行")
    while True:
        while not caught_up():
            await asyncio.sleep(LOOK_SECONDS)
        try:
            made = await asyncio.to_thread(make_cards, settings, store, inside=inside)
            METRICS.set("lidm_feed_cards_made_timestamp_seconds", datetime.now().timestamp())
            log.info("feed_cards_made", cards=len(made))
        except LidmError as error:
            log.warning("feed_cards_not_made", reason=error.message_zh)
        except Exception as error:  # a fault of ours must not end what nobody would notice
            log.error("feed_cards_failed", error=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)
