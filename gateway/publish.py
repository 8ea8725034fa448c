"""Publishes a department's file: plain identity numbers in, pseudonymous CloudEvents of a feed out.

Every row passes the decoder intake uses, so what is sent is accepted. Bad rows are named and kept for mending, good
ones go. A batch with bad rows stays open (`close_with_bad` overrides): a person whose row could not be read must not
count as absent, nor may a half-sent month replace a whole one.
"""

from collections import Counter
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from gateway.columns import Columns
from gateway.courier import Courier, Receipt
from gateway.difference import Difference
from gateway.events import BatchPlan, Envelope, Parsed, envelope_of
from gateway.identities import Linkage
from gateway.mapping import Mapping
from gateway.problems import BadRows, RowProblem
from gateway.publisher import Publisher
from gateway.resume import Keeper, Keeping
from gateway.rows import FileProgress, Rows, open_rows
from gateway.sources import source_for
from schemas.amounts import EVERY, FIRST_ROWS, Amounts, note
from schemas.doubts import DOUBTED, Doubts
from schemas.envelope import Delivery, Problem
from schemas.errors import CallError, DataError
from schemas.feed import FEEDS, FeedSpec

KEPT_PROBLEMS: Final = 1_000
_TELL_EVERY: Final = 1_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Published:
    """The receipt, and the first problems (all are counted in the receipt).

    `codes`: rows refused by code. `identities`: refused numbers by flaw, and `fifteen`, good ones of the old form.
    `amounts`: those of a sample of rows, by field and order of magnitude.
    """

    receipt: Receipt
    problems: tuple[RowProblem, ...]
    codes: Counter[str] = field(default_factory=Counter)
    identities: Counter[str] = field(default_factory=Counter)
    amounts: Amounts = field(default_factory=dict)


def feed_spec(kind: str) -> FeedSpec:
    """The feed of a kind. Raises CallError that lists the feeds there are."""
    if kind not in FEEDS:
        raise CallError(f"没有数据类 {kind}；有：{'、'.join(FEEDS)}")
    return FEEDS[kind]


def publish_file(
    path: Path,
    feed: str,
    *,
    publisher: Publisher,
    linkage: Linkage,
    recorded: datetime,
    batch: BatchPlan | None = None,
    source: str | None = None,
    mapping: Mapping | None = None,
    array: int = 1,
    persons: Collection[str] | None = None,
    bad_rows: Path | None = None,
    close_with_bad: bool = False,
    keep: Callable[[Parsed], bool] | None = None,
    timestamp_ms: int | None = None,
    ended: Callable[[], datetime] | None = None,
    progress: FileProgress | None = None,
    keeping: Keeping | None = None,
    doubts: Doubts | None = None,
) -> Published:
    """Publishes a file and returns when the broker has all of it.

    `recorded` (aware) stands for rows without 记录时间 and for the manifests; `ended` tells the time of the end
    manifest; `timestamp_ms` is the Kafka timestamp of every message on a driven clock. `persons`: send only these
    pseudonyms. `keep`: whether a row is in scope; what is not is counted as left out. `keeping`: go on after a crash,
    leave alone what was sent before, tell what differs. `doubts`: refuse rows whose amounts intake would
    hold back. Raises CallError, DataError (no batch was closed) and Unreachable.
    """
    if persons is not None and (batch is not None or keeping is not None):
        raise CallError("只补发部分人员时不能声明批次：补发历史不关闭任何月份，也不得替换整期")
    spec = feed_spec(feed)
    file = _File(path, spec, linkage, mapping, persons, bad_rows, keep, progress, doubts)
    source = source_for(spec.kind, batch, source)
    way = _Way(publisher, source, recorded, batch, array, timestamp_ms, close_with_bad, ended)
    return _send(file, way) if keeping is None else _send_kept(file, way, keeping)


@dataclass(frozen=True)
class _File:
    """The file, how it is read, and which of its rows go."""

    path: Path
    spec: FeedSpec
    linkage: Linkage
    mapping: Mapping | None
    persons: Collection[str] | None
    bad_rows: Path | None
    keep: Callable[[Parsed], bool] | None
    progress: FileProgress | None
    doubts: Doubts | None


@dataclass(frozen=True)
class _Way:
    """Where the rows go, in which batch, and what they say of time."""

    publisher: Publisher
    source: str
    recorded: datetime
    batch: BatchPlan | None
    array: int
    timestamp_ms: int | None
    close_with_bad: bool
    ended: Callable[[], datetime] | None

    @property
    def known_at_ms(self) -> int:
        """When intake will know the rows."""
        return self.timestamp_ms if self.timestamp_ms is not None else int(self.recorded.timestamp() * 1000)

    def envelope(self, spec: FeedSpec) -> Envelope:
        """Raises CallError where the feed does not take such a batch."""
        return envelope_of(spec.kind, self.source, self.recorded, self.batch)

    def courier(self, spec: FeedSpec, envelope: Envelope) -> Courier:
        """Raises Unreachable."""
        return Courier(
            self.publisher, spec.topic, envelope, plan=self.batch, array=self.array, timestamp_ms=self.timestamp_ms
        )


def _send_kept(file: _File, way: _Way, keeping: Keeping) -> Published:
    """Sends the file by its journal: goes on after a crash, and sends nothing where this very file was sent before."""
    if not file.path.is_file():
        raise CallError(f"没有这个文件：{file.path}")
    with Keeper.alone(keeping, file.path, file.spec, way.source, way.batch, file.mapping, way.recorded) as keeper:
        batch = replace(way.batch, batchid=keeper.progress.batchid) if way.batch else None
        return _send(file, replace(way, batch=batch, recorded=keeper.recorded), keeper)


def _send(file: _File, way: _Way, keeper: Keeper | None = None) -> Published:
    envelope = way.envelope(file.spec)
    courier = way.courier(file.spec, envelope)
    if keeper is not None and keeper.unchanged:
        return Published(_unchanged(keeper, courier), ())
    short_before = file.linkage.fifteen
    kept_bytes = keeper.progress.bad_bytes if keeper is not None and keeper.resumed else 0
    with (
        closing(BadRows(file.bad_rows, kept_bytes)) as bad,
        open_rows(file.path, file.spec, file.linkage, bad, file.mapping) as rows,
    ):
        run = _Run(file, envelope, courier, rows, way.known_at_ms)
        run.all(keeper, bad)
        closed = way.batch is not None and (way.close_with_bad or not run.bad)
        courier.end(close=closed, at=way.ended() if way.ended else way.recorded)
        difference = keeper.finish(complete=closed or not run.bad) if keeper is not None else None
    receipt = courier.receipt(read=run.read, bad=run.bad, left_out=run.left_out, closed=closed)
    if keeper is not None:
        receipt = _kept(receipt, keeper, difference)
    if old := file.linkage.fifteen - short_before:
        run.identities["fifteen"] = old
    return Published(receipt, tuple(run.problems), run.codes, run.identities, run.amounts)


def _kept(receipt: Receipt, keeper: Keeper, difference: Difference | None) -> Receipt:
    said = keeper.progress
    return replace(
        receipt,
        file_digest=said.file_digest,
        mapping_digest=said.mapping_digest,
        resumed_at=keeper.resumed_at,
        difference=difference,
    )


def _unchanged(keeper: Keeper, courier: Courier) -> Receipt:
    """The receipt of a file that was sent before: what is known of that sending."""
    said = keeper.progress
    courier.resume(said, [(0, False)] * len(said.rows))
    receipt = courier.receipt(read=said.read, bad=said.bad, left_out=said.left_out, closed=True)
    return replace(_kept(receipt, keeper, None), resumed_at=None, unchanged=True)


def publish_nothing(
    feed: str,
    *,
    publisher: Publisher,
    recorded: datetime,
    batch: BatchPlan,
    source: str | None = None,
    timestamp_ms: int | None = None,
) -> Receipt:
    """Says in every partition that nothing happened in the period, which closes it."""
    spec = feed_spec(feed)
    plan = replace(batch, nothing_happened=True)
    envelope = envelope_of(spec.kind, source_for(spec.kind, batch, source), recorded, plan)
    courier = Courier(publisher, spec.topic, envelope, plan=plan, timestamp_ms=timestamp_ms)
    courier.begin()
    courier.end(close=True, at=recorded)
    return courier.receipt(read=0, bad=0, left_out=0, closed=True)


class _Run:
    """The rows of one file on their way."""

    def __init__(self, file: _File, envelope: Envelope, courier: Courier, rows: Rows, known_at_ms: int) -> None:
        spec = self._spec = file.spec
        self._envelope, self._courier, self._rows = envelope, courier, rows
        self._known_at_ms, self._progress, self._keep = known_at_ms, file.progress, file.keep
        self._persons = None if file.persons is None else frozenset(file.persons)
        self._decode = file.doubts.decode(spec) if file.doubts is not None else spec.decode
        self._columns = Columns(spec, rows.columns)
        self._keeper: Keeper | None = None
        self.read = self.bad = self.left_out = 0
        self.problems: list[RowProblem] = []
        self.codes: Counter[str] = Counter()
        self.identities: Counter[str] = Counter()
        self.amounts: Amounts = {}
        self._money = [f.name for f in spec.fields if f.kind == "fen"]
        self._good = 0

    def all(self, keeper: Keeper | None, bad: BadRows) -> None:
        """Sends every good row. The batch begins with the first row: a file without rows sends nothing at all."""
        self._keeper = keeper
        if keeper is not None and keeper.resumed:
            self._rows.skip_to(keeper.progress.row)
            self.read, self.bad = keeper.progress.read, keeper.progress.bad
            self.left_out = keeper.progress.left_out
            keeper.start(self._courier, self._spec.topic)
        row = 0
        for row, events in self._rows.by_row():
            if not self.read:
                self._begin()
            for found in events:
                self._take(found)
            if keeper is not None and keeper.due:
                self._save(keeper, bad, row)
        if not self.read:
            raise DataError("文件没有数据行；本期确无业务请用 --nothing-happened")
        if keeper is not None:
            self._save(keeper, bad, max(row, keeper.progress.row))
        if self._progress is not None:
            self._progress(self.read, self.bad, 1.0)

    def _begin(self) -> None:
        if self._keeper is None:
            self._courier.begin()
        elif not self._keeper.resumed:
            self._keeper.start(self._courier, self._spec.topic)

    def _save(self, keeper: Keeper, bad: BadRows, row: int) -> None:
        keeper.save(self._courier, bad, row=row, read=self.read, refused=self.bad, left_out=self.left_out)

    def _take(self, found: Parsed | RowProblem) -> None:
        self.read += 1
        problem = found if isinstance(found, RowProblem) else self._one(found)
        if problem is not None:
            self._refuse(problem)
        if self._progress is not None and self.read % _TELL_EVERY == 0:
            self._progress(self.read, self.bad, self._rows.done())

    def _one(self, row: Parsed) -> RowProblem | None:
        if self._persons is not None and row.person not in self._persons:
            self.left_out += 1
            return None
        event = self._envelope.event(row)
        outcome = self._decode(event, self._known_at_ms)[0]
        if isinstance(outcome, Delivery):
            self._sample(row.data)
            if self._keep is not None and not self._keep(row):
                self.left_out += 1
                return None
            self._courier.carry(row.person, event)
            if self._keeper is not None:
                content = row.data + row.operation.encode()
                self._keeper.note(row.person, outcome.fact.key, content, row.row)
            return None
        if not isinstance(outcome, Problem):
            raise TypeError("a row became a manifest")
        if outcome.code == DOUBTED:  # the report card sees what is held back
            self._sample(row.data)
        return self._columns.problem(row.row, outcome)

    def _sample(self, data: bytes) -> None:
        """Orders of magnitude of the amounts of some rows: a few microseconds for one row in sixteen of a long file."""
        self._good += 1
        if self._money and (self._good <= FIRST_ROWS or self._good % EVERY == 0):
            said = msgspec.json.decode(data)
            for name in self._money:
                amount = said.get(name)
                if type(amount) is int:
                    note(self.amounts, name, amount)

    def _refuse(self, problem: RowProblem) -> None:
        self.bad += 1
        self.codes[problem.code] += 1
        if problem.flaw:
            self.identities[problem.flaw] += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)
        self._rows.keep(problem)
