"""What spans households, as facts: no department publishes these.

Why and how: `docs/decisions/0041-links-come-back-as-facts.md`.
"""

from typing import ClassVar

from schemas.fact import Fact


class SharedAccount(Fact, array_like=True, frozen=True, gc=False, tag="sharedacct"):
    """Help of unrelated households goes to one account. Key: (account, person); told to each person who uses it.

    `steps`: from each of these days on so many unrelated households, this one included, while the person uses it;
    0: not shared. `areas`: where the others are on record, none where they are too many. Nothing else of the others.
    """

    account: str
    steps: tuple[tuple[int, int], ...]
    areas: tuple[str, ...]

    feed: ClassVar[str] = "link.account"
    paged: ClassVar[bool] = False
    snapshots: ClassVar[bool] = False

    def households_on(self, day: int) -> int:
        """How many unrelated households used it on a day; 0 where it was not shared."""
        return next((count for begun, count in reversed(self.steps) if begun <= day), 0)
