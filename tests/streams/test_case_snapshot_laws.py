"""Whatever people, alerts and the clock do: a snapshot taken at any point and the events after it equal every event."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from cases.snapshot import decode_record, encode_record
from schemas.cases import decode_event, encode_event
from streams.case_log import filled
from streams.case_partition import CasePartition
from streams.case_snapshot import Snapshot, snapshot_of
from streams.casework import Casework
from streams.statelog import Item
from tests.streams.case_topics import known
from tests.streams.making import PUBLIC_KEY
from tests.streams.test_casework_machine import CaseMachine

PARTITION = 1


class SnapshotMachine(CaseMachine):
    """The machine of all case work, that also keeps a state log and comes back from it."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Item] = []

    @rule(cut=st.integers(0, 6), times=st.integers(1, 2))
    def snapshot(self, cut: int, times: int) -> None:
        """A checkpoint; or one that a crash cuts off, its marker first."""
        items = [filled(item, len(self.events)) for item in snapshot_of(self.work, PARTITION)]
        if cut < len(items):
            self.log += items[: len(items) - cut] * times
        if cut:
            self.restart_from_snapshot()

    @rule(pick=st.integers(0, 1000), kept=st.sets(st.integers(0, 50)))
    def compact(self, pick: int, kept: set[int]) -> None:
        """The broker removes what is superseded, perhaps not everywhere."""
        begin = pick % (len(self.log) + 1)
        last = {item.key: at for at, item in enumerate(self.log[:begin])}
        self.log = [item for at, item in enumerate(self.log) if at >= begin or at == last[item.key] or at in kept]

    @rule()
    def restart_from_snapshot(self) -> None:
        self.work = self._restored(self.log, len(self.events))

    @rule(pick=st.integers(0, 1000))
    def crash_after_snapshot(self, pick: int) -> None:
        """Inputs answered long ago are read again by who never read their events: nothing is said twice."""
        self.restart_from_snapshot()
        self.read_again(pick)

    @rule(pick=st.integers(0, 1000), until=st.integers(0, 1000))
    def any_point(self, pick: int, until: int) -> None:
        """A snapshot of the first events, as if it were the only one."""
        taken = pick % (len(self.events) + 1)
        early = self._folded(taken)
        items = [filled(item, taken) for item in snapshot_of(early, PARTITION)]
        self._restored(items, taken + until % (len(self.events) - taken + 1))

    def _folded(self, until: int) -> Casework:
        work = self._fresh()
        for event in self.events[:until]:
            assert work.restore(event)
        return work

    def _restored(self, log: list[Item], until: int) -> Casework:
        snapshot = Snapshot()
        for item in log:
            snapshot.take(item.key, item.value)
        part, begin = CasePartition(PARTITION, 2, PUBLIC_KEY), 0
        if snapshot.marker is not None:
            begin = snapshot.marker.next
            for key, value in snapshot.records():
                part.restore(key, value)
        for event in self.events[begin:until]:
            part.restore(event.household.encode(), encode_event(decode_event(encode_event(event))))
        part.opened()
        whole = known(self._folded(until))
        mine = known(part.work)
        assert mine == whole
        assert {name: repr(value) for name, value in _told(mine).items()} == {
            name: repr(value) for name, value in _told(whole).items()
        }
        return part.work

    def teardown(self) -> None:
        super().teardown()
        for case_id in self.work.view.chains:
            record = self.work.record(case_id)
            assert decode_record(encode_record(record)) == record
        self._restored(self.log, len(self.events))


def _told(knowledge: dict[str, Any]) -> dict[str, Any]:
    """What a next answer is made of, in its order."""
    return {name: list(knowledge[name].items()) for name in ("_of_lane", "_numbers")} | {"order": knowledge["order"]}


TestSnapshotMachine = SnapshotMachine.TestCase
TestSnapshotMachine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
