"""Gaps between what a stage has read and what the broker still has; the commit by which somebody answers for them."""

from collections.abc import Sequence
from typing import Any

from schemas.errors import CallError, Unreachable
from streams.gaps import Gap, GapNote, encode_note


def gaps_of(admin: Any, group: str, topics: Sequence[str], partitions: int) -> list[Gap]:
    """Every partition whose next message for this group is gone. A group that never read begins at 0.

    Raises Unreachable, and CallError while the group has members: they would read on meanwhile.
    """
    from kafka import TopicPartition
    from kafka.admin import OffsetSpec

    from streams.lag import committed_in

    members = sum(len(found["members"]) for found in admin.describe_groups([group]).values())
    if members:
        raise CallError(f"{group} 还有 {members} 个进程：请先停止它们（被强行结束的，等会话到期）")
    places = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]
    committed = committed_in(admin, group, places)
    firsts = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
    found = []
    for place in places:
        at = committed.get(place)
        expected = max(0, at.offset) if at is not None else 0
        if firsts[place].offset > expected:
            found.append(Gap(place.topic, place.partition, expected, firsts[place].offset))
    return found


def accept(admin: Any, group: str, gaps: Sequence[Gap], *, by: str, why: str, at: str) -> None:
    """The group goes on behind these gaps, with a note of who said so. Raises Unreachable when it is not certain."""
    from kafka import TopicPartition
    from kafka.errors import NoError
    from kafka.structs import OffsetAndMetadata

    offsets = {
        TopicPartition(gap.topic, gap.partition): OffsetAndMetadata(
            gap.first, encode_note(GapNote(gap.lost, by, why, at)), -1
        )
        for gap in gaps
    }
    refused = {error.__name__ for error in admin.alter_group_offsets(group, offsets).values() if error is not NoError}
    if refused:
        raise Unreachable(f"{group} 的位置没有改好（{'、'.join(sorted(refused))}）：请确认没有进程在运行后重试")
