"""The shape of a household's state: one head, rewritten with every change, and pages of facts by half-year."""

from typing import NamedTuple

import msgspec

from schemas.facts import AnyFact, Membership
from schemas.records import Home
from schemas.shadows import is_shadow

CODEC_VERSION = 4
FOLD_VERSION = 4
HOUSEHOLD = "household"

Page = dict[str, list[AnyFact]]


class Episode(msgspec.Struct, array_like=True):
    """One continuous breach of (household, detector, cause); `ended` is None while it is in force.

    `revision` is that of the last message (0: none yet). `digest` covers what makes an update worth a message; ""
    forces one. `detail` is the last explanation, as `detectors.episodes` packs it; empty once the end is said.
    """

    detector: str
    cause: str
    alert_id: str
    revision: int
    since: int
    first_since: int
    opened_on: int
    severity: int
    measure: int
    threshold_fen: int
    digest: str
    emitted: bool
    baseline: bool
    ended: str | None = None
    ended_on: int | None = None
    person: str | None = None
    detail: bytes = b""

    @property
    def shadow(self) -> bool:
        """Whether it is of a rule that only watches: nobody is told of it, and it goes along with nobody who moves."""
        return is_shadow(self.detector)

    @property
    def order(self) -> tuple[str, str, int, str]:
        """Place among the episodes of a household."""
        return (self.detector, self.cause, self.first_since, self.alert_id)


class Waiting(msgspec.Struct, array_like=True, frozen=True):
    """A transfer by the membership that caused it (its key) and the other household."""

    membership: str
    other: str


class Shift(NamedTuple):
    """A fact, by feed and key, was once told for another day: whoever was told so must hear of its correction."""

    feed: str
    key: str
    day: int


class Head(msgspec.Struct, array_like=True):
    """Everything of a household except paged facts.

    `members` are this household's memberships, `stubs` those of its people elsewhere, `lasting` facts without a page.
    `waiting` is whose history is on its way; `arrived` are transfers received and `answered` transfers sent, by the
    membership they are about. `rechecks`: detector -> day ordinal. `shifted`: days that records of a key had which lost
    against another day. `homes`: where other households its people were in are on record.
    """

    applied: int = -1
    members: list[Membership] = []
    lasting: dict[str, list[AnyFact]] = {}
    episodes: list[Episode] = []
    stubs: dict[str, list[Membership]] = {}
    waiting: dict[str, Waiting] = {}
    arrived: dict[str, list[Waiting]] = {}
    answered: dict[str, list[Waiting]] = {}
    rechecks: dict[str, int] = {}
    shifted: dict[str, list[Shift]] = {}
    homes: dict[str, list[Home]] = {}

    @property
    def recheck_on(self) -> int | None:
        """The earliest day ordinal on which some detector wants to look again."""
        return min(self.rechecks.values(), default=None)
