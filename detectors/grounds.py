"""Whether what an episode rests on still counts: a record reversed is knowledge, a file that is missing is none."""

from collections.abc import Collection

from detectors.findings import EvidenceItem
from households.ledger import Household
from schemas.facts import KIND_OF_FEED, Membership


def groundless(household: Household, evidence: Collection[EvidenceItem], *, wholly: bool) -> bool:
    """Whether records behind a breach count no more (reversed, or replaced by a whole batch).

    `wholly`: only where none of them does; else one is enough.
    """
    counting = sum(_counts(household, each) for each in evidence)
    return bool(evidence) and (counting == 0 if wholly else counting < len(evidence))


def _counts(household: Household, item: EvidenceItem) -> bool:
    kind = KIND_OF_FEED.get(item.feed)
    if kind is None:  # said by the service itself
        return True
    if kind is Membership:
        return any(each.key == item.key and not each.gone for each in household.head.members)
    return any(fact.key == item.key for fact in household.of_kind(kind))
