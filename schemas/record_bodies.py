"""Bodies of records that concern every household of a partition: time, batches, rules, disasters of an area."""

from typing import Literal

import msgspec


class TickBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """It is at least `at_ms`."""

    at_ms: int


class BatchPartBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Feed partition `q` of a batch is delivered up to its end manifest; `of` parts make the batch closed.

    `hold_above`: it is held for a person when more than so many in a thousand of what was there before are missing
    from it; None: it never is. `source`: of the manifests, whose facts the batch speaks of; "" in older logs: of all.
    """

    feed: str
    batchid: str
    q: int
    of: int
    period: str
    areas: tuple[str, ...]
    mode: str
    rows: int
    begun_ms: int
    hold_above: int | None = None
    source: str = ""


class BatchBegunBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A batch that replaces what it does not repeat begins: none of its rows is in this partition yet."""

    feed: str
    batchid: str
    of: int
    period: str
    areas: tuple[str, ...]
    mode: str
    begun_ms: int
    source: str = ""


class BatchCountBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What household partition `partition` (of `of`) held of what a batch speaks of; its first word counts.

    `gone` None: told when the batch began. Else how many of these the batch did not repeat, and `before` is what was
    there plus what came.
    """

    feed: str
    batchid: str
    of: int
    partition: int
    before: int
    gone: int | None = None
    source: str = ""
    period: str = ""


class BatchVerdictBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Somebody decided about a batch that was held: `release` lets it take effect, `refuse` never."""

    feed: str
    batchid: str
    verdict: str
    actor: str
    reason: str
    source: str = ""
    period: str = ""


class PolicyBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The whole canonical policy bundle, zstd, and its hash.

    `pace`: households of a partition that are asked again at a time (`SweepBody`); 0: all of them at once.
    """

    hash: str
    bundle: bytes
    pace: int = 0


class GoliveBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Detector goes live in an area (and below); cases release at most `per_day` baseline breaches a day.

    `pace`: as in `PolicyBody`. What was there before is told in a household's turn; what is found from now on, at once.
    """

    area: str
    detector: str
    per_day: int
    pace: int = 0


class SweepBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The turn of the households named after `after`, up to `until` (None: all the rest), in a sweep under way.

    The partition writes it to itself, the next one when this is done: so what is asked when follows from the log, and
    facts are folded in between. One that does not begin where the sweep stands was said before, and is passed over.
    """

    sweep: str
    after: str
    until: str | None


class SwitchBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A person takes a live detector off (`to` = `stop`) in an area and below, or lets it speak there again (`resume`).

    Both name the same area: resuming a town does not lift the stop of its city.
    """

    area: str
    detector: str
    to: Literal["stop", "resume"]
    actor: str
    reason: str


class ShadowBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """From here on these rules also run beside the live ones in an area and below, and what they say goes to a topic of
    its own; or (`to` = `stop`) no longer. A run's name is used once.

    `bundle`: the canonical draft they count with, zstd, and its hash; empty: the policy in force. `pace`: as in
    `PolicyBody`.
    """

    name: str
    to: Literal["start", "stop"]
    area: str
    detectors: tuple[str, ...]
    hash: str
    bundle: bytes
    actor: str
    reason: str
    pace: int = 0


class IncidentBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Somebody says that an incident struck some areas on a day (`declare`), or that it did not (`withdraw`).

    Whoever is on record there that day is told of it: who lives in one of `areas` or below, or these `households` alone
    where any are named. The same number declared again is the whole truth from then on; withdrawing names nothing else.
    `sort`: a name of `IncidentSort`; `day`: ordinal.
    """

    number: str
    to: Literal["declare", "withdraw"]
    sort: str
    day: int
    areas: tuple[str, ...]
    households: tuple[str, ...]
    actor: str
    reason: str
