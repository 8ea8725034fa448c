"""What the service itself says about feeds, as facts of the feed's unit: no department publishes these.

The report card is made from counts; a day and a period of it come back as facts, so that rules about data are asked
like any other rule and their answers follow from the log alone (`docs/decisions/0022-feeds-have-rules-too.md`).
"""

from typing import ClassVar

from schemas.fact import Fact


class FeedDay(Fact, array_like=True, frozen=True, gc=False, tag="feedday"):
    """One day of one department's feed. Key: the day. Told again, with higher figures, until the day is over and read.

    `every`: day, week or month, how often the feed speaks. `worked`: whether offices work that day. `rows`: what intake
    read; 0 is said as well. `numbers`: identity numbers the gateway looked at, `flaws` of them by kind. `amounts`: of a
    sample, by field and order of magnitude.
    """

    about: str
    department: str
    every: str
    worked: bool
    rows: int
    numbers: int
    flaws: tuple[tuple[str, int], ...]
    amounts: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]

    feed: ClassVar[str] = "feed.day"


class FeedPeriod(Fact, array_like=True, frozen=True, gc=False, tag="feedperiod"):
    """One month of a feed that closes months. Key: the month; `day` is its first.

    `rows`: of its whole batches. `due_on`, `closed_on`: by when it was to be whole, and since when it is.
    """

    about: str
    department: str
    rows: int
    due_on: int
    closed_on: int | None

    feed: ClassVar[str] = "feed.period"
