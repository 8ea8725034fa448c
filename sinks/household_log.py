"""The archived log as one household needs it: the blocks that name it and the records of its whole partition.

The engine looks for names in the blocks, so that a province's log does not travel to answer for one family.
A block too many is harmless: who folds them reads every record.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, TypeVar, get_args

from schemas.cases import beijing
from schemas.errors import DataError
from schemas.partition import partition_of
from schemas.records import (
    EverybodysRecord,
    IncidentRecord,
    PolicyBody,
    PolicyRecord,
    ShadowRecord,
    SwitchRecord,
    decode_block,
)
from sinks.store import AlertStore, LogBlock, Param

_EVERYBODYS = [each.__struct_config__.tag for each in get_args(EverybodysRecord)]
_NAMED = "position(block, %(h)s) > 0 OR " + " OR ".join(f"position(block, '{kind}') > 0" for kind in _EVERYBODYS)
_CANDIDATES = 50
_PAGE_BYTES = 4_000_000
_PAGE_BLOCKS = 2000
_Told = TypeVar("_Told", IncidentRecord, ShadowRecord, SwitchRecord)


class Extent(NamedTuple):
    """What of a household's partition is archived in one generation: offsets, and how many blocks between them."""

    generation: str
    partition: int
    first: int
    last: int
    blocks: int

    @property
    def whole(self) -> bool:
        """Whether nothing is missing from the beginning up to `last`."""
        return self.first == 0 and self.blocks == self.last + 1


def extents(store: AlertStore, household: str) -> list[Extent]:
    """The household's partition in each generation, oldest first; empty when no log is archived."""
    counts = store.query(
        "SELECT generation AS g, max(`partition`) AS p FROM household_log GROUP BY g ORDER BY g"
    )  # every partition has ticks, so the highest one tells how many there are
    found = []
    for generation, highest in counts:
        partition = partition_of(household, int(str(highest)) + 1)
        ((first, last, blocks),) = store.query(
            "SELECT min(`offset`) AS a, max(`offset`) AS z, uniqExact(`offset`) AS n FROM household_log "
            "WHERE generation = %(g)s AND `partition` = %(p)s",
            {"g": str(generation), "p": partition},
        )
        if int(str(blocks)):
            found.append(Extent(str(generation), partition, int(str(first)), int(str(last)), int(str(blocks))))
    return found


def blocks_of(store: AlertStore, household: str, within: list[Extent]) -> Iterator[LogBlock]:
    """Every block that can matter to a household, in the order it was folded. Pages are bounded."""
    for extent in within:
        at: dict[str, Param] = {"g": extent.generation, "p": extent.partition, "h": household}
        found = store.query(  # the engine goes through the blocks once; the pages are then found by their offsets
            "SELECT `offset` AS o, length(block) AS n FROM household_log "  # noqa: S608
            f"WHERE generation = %(g)s AND `partition` = %(p)s AND ({_NAMED}) ORDER BY o LIMIT 1 BY o",
            at,
        )
        for page in _pages([(int(str(offset)), int(str(size))) for offset, size in found]):
            rows = store.query(
                "SELECT `offset` AS o, known_at_ms, hex(block) FROM household_log WHERE generation = %(g)s "
                "AND `partition` = %(p)s AND `offset` >= %(first)s AND `offset` <= %(last)s AND `offset` IN %(page)s "
                "ORDER BY o LIMIT 1 BY o",
                {**at, "first": page[0], "last": page[-1], "page": page},
            )
            for offset, known_at, block in rows:
                place = (extent.generation, extent.partition, int(str(offset)))
                yield LogBlock(*place, int(str(known_at)), bytes.fromhex(str(block)))


def _pages(blocks: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Offsets in pages of bounded size."""
    page: list[int] = []
    size = 0
    for offset, length in blocks:
        if page and (size + length > _PAGE_BYTES or len(page) == _PAGE_BLOCKS):
            yield page
            page, size = [], 0
        page.append(offset)
        size += length
    if page:
        yield page


def newest_policy(store: AlertStore) -> PolicyBody | None:
    """The bundle that was activated last, None when the archive holds none."""
    rows = store.query(
        "SELECT hex(block) AS b FROM household_log WHERE position(block, 'policy.activated') > 0 "
        "ORDER BY generation DESC, known_at_ms DESC, `partition`, `offset` DESC LIMIT %(n)s",
        {"n": _CANDIDATES},
    )
    for (block,) in rows:
        bodies = [each.body for each in decode_block(bytes.fromhex(str(block))) if isinstance(each, PolicyRecord)]
        if bodies:
            return bodies[-1]
    return None


def reached(store: AlertStore) -> datetime:
    """The newest moment the archived log tells of. Raises DataError when it is empty."""
    ((newest, blocks),) = store.query("SELECT max(known_at_ms) AS a, count() AS n FROM household_log")
    if not int(str(blocks)):
        raise DataError("归档里没有台账日志")
    return beijing(int(str(newest)))


def shadows(store: AlertStore) -> list[ShadowRecord]:
    """Every beginning and end of a shadow run, in order. Every partition holds them all; the first one tells."""
    return _of_everybody(store, ShadowRecord)


def switches(store: AlertStore) -> list[SwitchRecord]:
    """Every stop and resumption of a detector, in order. Every partition holds them all; the first one tells."""
    return _of_everybody(store, SwitchRecord)


def incidents(store: AlertStore) -> list[IncidentRecord]:
    """Every declaration and withdrawal of an area's incident, in order. Every partition holds them all; the first one
    tells."""
    return _of_everybody(store, IncidentRecord)


def _of_everybody(store: AlertStore, kind: type[_Told]) -> list[_Told]:
    rows = store.query(
        "SELECT generation AS g, `offset` AS o, hex(block) FROM household_log "
        "WHERE `partition` = 0 AND position(block, %(tag)s) > 0 ORDER BY g, o LIMIT 1 BY g, o",
        {"tag": str(kind.__struct_config__.tag)},
    )
    records = (each for _, _, block in rows for each in decode_block(bytes.fromhex(str(block))))
    return [each for each in records if isinstance(each, kind)]
