"""The back-test itself: every partition of a saved log folded twice and counted, on as many processes as there are.

What is asked and what comes back are plain values, so that a partition can be done anywhere. Raises Stop on a log that
is not whole, DataError where there is nothing to compare.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import get_context

from detectors.registry import Detector, running
from lidm.backtest.tally import Tally, tally_household
from lidm.logs import configure_logs
from policy.bundle import Bundle
from policy.drafts import Draft, Law
from schemas.errors import DataError, Stop
from schemas.feed_units import is_unit
from sinks.log_file import LogFile
from streams.backtest import Activated, Span, Twice, activated, fold_twice
from streams.rebuild import LoggedBlock
from streams.replay import to_nobody
from streams.wholes import FEED_HEALTH

_DECODED = 12_000
"""Households a process keeps decoded of a partition, in each of its two outcomes."""


@dataclass(frozen=True)
class Question:
    """A draft over a window, both its days included. `trial`: rules on trial that run too."""

    draft: Bundle
    law: Law
    first: date
    last: date
    trial: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What a process needs to know. `draft`, `newest`: bundles as bytes; `touched`: rules that may answer otherwise."""

    log: LogFile
    draft: bytes
    newest: bytes
    law: Law
    span: Span
    trial: tuple[str, ...]
    touched: frozenset[str]


@dataclass(frozen=True)
class Done:
    """A partition, counted. `begun`, `reached`: first and last day ordinal that its log tells of."""

    partition: int
    tally: Tally
    begun: int | None
    reached: int | None


@dataclass(frozen=True)
class Answer:
    """All partitions together. `differs`: the first day of the draft's own, None where it says nothing else;
    `policies`: what was in force, oldest first; `reached`: the last day the log tells of, at most the window's."""

    asked: Question
    span: Span
    reached: int
    differs: date | None
    policies: tuple[Activated, ...]
    tally: Tally


def back_test(log: LogFile, asked: Question, jobs: int = 1) -> Answer:
    """Compares a draft with what was in force."""
    _whole(log)
    policies = activated((LoggedBlock(*each) for each in log.read(0)), asked.last.toordinal())
    if not policies:
        raise DataError(f"到 {asked.last} 为止的台账日志里没有启用过参数，没有可以比较的")
    newest = policies[-1].bundle
    laid = Draft(asked.draft, newest, asked.law, asked.first)
    differs = laid.differs
    parts = differs if differs is not None and asked.first < differs <= asked.last else asked.first
    span = Span(asked.first.toordinal(), asked.last.toordinal(), parts.toordinal())
    policies = list(_in_force(policies, span))
    touched = _touched(laid, policies, asked)
    task = Task(log, asked.draft.canonical(), newest.canonical(), asked.law, span, asked.trial, touched)
    done = sorted(_done(task, jobs), key=_partition)
    reached = [each.reached for each in done if each.reached is not None and each.reached >= span.first]
    if not reached:
        raise DataError(_outside(done, asked))
    whole = Tally()
    for each in done:
        whole.add(each.tally)
    return Answer(asked, span, max(reached), differs, tuple(policies), whole)


def one_partition(task: Task, partition: int) -> Done:
    """Folds and counts one partition."""
    draft, newest = (Bundle.from_canonical(each) for each in (task.draft, task.newest))
    laid = Draft(draft, newest, task.law, date.fromordinal(task.span.first))
    partitions = task.log.partitions
    config = replace(to_nobody(partitions, task.trial), decoded_households=_DECODED * partitions)
    blocks = (LoggedBlock(*each) for each in task.log.read(partition))
    touched = {code: each for code, each in running(task.trial).items() if code in task.touched}
    twice = fold_twice(blocks, partition, config, task.span, laid.instead_of, touched)
    return Done(partition, _counted(twice, task), twice.begun, twice.reached)


def _done(task: Task, jobs: int) -> Iterator[Done]:
    partitions = range(task.log.partitions)
    workers = min(jobs, len(partitions))
    if workers == 1:
        yield from (one_partition(task, partition) for partition in partitions)
        return
    # Not forked: the store's engine may have threads in this process.
    with ProcessPoolExecutor(workers, get_context("spawn"), configure_logs, ("warning",)) as pool:
        futures = [pool.submit(one_partition, task, partition) for partition in partitions]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise Stop("回测的一个进程意外结束，多半是内存不够：请用 --jobs 1 再试") from error
        finally:
            pool.shutdown(cancel_futures=True)


def _counted(twice: Twice, task: Task) -> Tally:
    tally, span = Tally(), task.span
    before, after, bundle = twice.before, twice.after, twice.before.known.bundle
    if bundle is None or twice.reached is None or twice.reached < span.first:
        return tally
    policy = bundle.on(date.fromordinal(span.last))
    for name in before.names():
        if is_unit(name):
            continue
        household = before.household(name)
        ours = theirs = household.head.episodes
        if after is not None:
            ours = [each for each in theirs if each.detector not in task.touched]
            ours += after.household(name).head.episodes
        tally_household(tally, household, theirs, ours, span, policy.schemes_of(household.responsible_area))
    return tally


def _touched(laid: Draft, policies: list[Activated], asked: Question) -> frozenset[str]:
    """Rules that read a parameter which has another value in place of one of these."""
    names: set[str] = set()
    for each in policies:
        found = laid.touched(each.bundle, asked.last)
        if found is None or FEED_HEALTH in found:  # how many rows make a month decides for all of them
            return frozenset(running(asked.trial))
        names |= found
    return frozenset(code for code, each in running(asked.trial).items() if names.intersection(_read(each)))


def _read(detector: Detector) -> tuple[str, ...]:
    return (*detector.parameters, *detector.optional)


def _whole(log: LogFile) -> None:
    """Raises unless every partition is there in each generation, and there are as many of them in each."""
    if not log.parts:
        raise DataError("归档里没有台账日志，没有可以回测的历史")
    wanted = set(range(log.partitions))
    for generation in sorted({part.generation for part in log.parts}):
        missing = wanted - {part.partition for part in log.parts if part.generation == generation}
        if missing:
            numbers = "、".join(map(str, sorted(missing)))
            raise Stop(f"台账日志不完整：{generation}代缺少分区{numbers}（归档落后，或各代的分区数不同）")


def _in_force(policies: list[Activated], span: Span) -> tuple[Activated, ...]:
    """The one in force when the span began, and those that followed."""
    earlier = [each for each in policies if each.day <= span.first]
    return (*earlier[-1:], *(each for each in policies if each.day > span.first))


def _outside(done: list[Done], asked: Question) -> str:
    window = f"窗口 {asked.first} 至 {asked.last} 里没有记录"
    begun = [each.begun for each in done if each.begun is not None]
    reached = [each.reached for each in done if each.reached is not None]
    if not begun or not reached:
        return f"{window}：台账日志在这之后才开始"
    return f"{window}：台账日志只有 {date.fromordinal(min(begun))} 至 {date.fromordinal(max(reached))}"


def _partition(done: Done) -> int:
    return done.partition
