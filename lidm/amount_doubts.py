"""What intake was told of amounts, for those who publish: a row it would hold back is refused before it is sent."""

from collections.abc import Iterator

import msgspec
import structlog

from lidm.reading import read_topic
from lidm.settings import Settings
from schemas.amount_limits import AmountLimits, LimitsLifted, read_amounts
from schemas.doubts import Doubts
from schemas.errors import Unreachable
from schemas.topics import INTAKE_CONTROL

log = structlog.get_logger("lidm.gateway")


def said_of_amounts(settings: Settings) -> Iterator[tuple[str, AmountLimits | LimitsLifted]]:
    """What was said of the amounts of each feed, in order. Raises Unreachable."""
    for message in read_topic(settings, INTAKE_CONTROL):
        try:
            said = read_amounts(message.key.decode(), message.value)
        except (AttributeError, TypeError, UnicodeDecodeError, msgspec.DecodeError):
            continue
        if said is not None:
            yield said


def doubts_of(settings: Settings) -> Doubts:
    """The limits in force now; none, with a warning, where a publisher may not read them: intake knows them anyway."""
    doubts = Doubts()
    try:
        for feed, said in said_of_amounts(settings):
            doubts.learn(feed, said)
    except Unreachable:
        log.warning("amount_limits_unread", note="读不到金额的平常范围：单位由接入端核对，有疑的行到那里才暂存")
    return doubts
