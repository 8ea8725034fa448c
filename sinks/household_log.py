"""The archived log as one household needs it: the blocks that name it and the records of its whole partition.

The engine looks for names in the blocks, so that a province's log does not travel to answer for one family.
A block too many is harmless: who folds them reads every record.
"""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.partition import partition_of
from schemas.records import PolicyBody, PolicyRecord, decode_block
from sinks.store import AlertStore, LogBlock, Param

EVERYBODYS = ("tick", "batch.part", "policy.activated", "golive")
"""Kinds of records that concern every household of a partition."""
_NAMED = "position(block, %(h)s) > 0 OR " + " OR ".join(f"position(block, '{kind}') > 0" for kind in EVERYBODYS)
_CANDIDATES = 50


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


def blocks_of(store: AlertStore, household: str, within: list[Extent], page: int = 64) -> Iterator[LogBlock]:
    """Every block that can matter to a household, in the order it was folded. Pages are bounded."""
    for extent in within:
        yield from _blocks(store, household, extent, page)


def _blocks(store: AlertStore, household: str, extent: Extent, page: int) -> Iterator[LogBlock]:
    here = (
        f"FROM household_log WHERE generation = %(g)s AND `partition` = %(p)s AND `offset` >= %(first)s AND ({_NAMED})"
    )
    start = 0
    while True:
        at: dict[str, Param] = {
            "g": extent.generation, "p": extent.partition, "first": start, "n": page, "h": household,
        }  # fmt: skip
        rows = store.query(
            f"SELECT `offset` AS o, known_at_ms, hex(block) {here} ORDER BY o LIMIT 1 BY o LIMIT %(n)s",
            at,
        )
        if not rows:
            return
        for offset, known_at, block in rows:
            start = int(str(offset)) + 1
            yield LogBlock(
                extent.generation, extent.partition, start - 1, int(str(known_at)), bytes.fromhex(str(block))
            )


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
