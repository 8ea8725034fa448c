"""The cheap questions detectors have: was a household never told anything a rule is about, did nobody hold a scheme."""

from collections.abc import Callable
from datetime import date

from households.ledger import Household
from policy.parameters import Policy
from schemas.facts import Fact

Kinds = tuple[type[Fact], ...]


def none_of(household: Household, kinds: Kinds) -> bool:
    """Whether the ledger is sure to hold no fact of these kinds, live or not; looks at bytes and decodes nothing."""
    pages = household.pages
    for kind in kinds:
        if kind.paged and any(pages.may_hold_kind(name, kind) for name in pages):
            return False
    return not any(fact.__class__ in kinds for facts in household.head.lasting.values() for fact in facts)


def unless_told(*kinds: type[Fact]) -> Callable[[date, Policy, str], Callable[[Household], bool]]:
    """A detector's `quiet`, for one that returns at once where `none_of` its kinds is held."""

    def sure(household: Household) -> bool:
        return none_of(household, kinds)

    def ask(on: date, policy: Policy, area: str) -> Callable[[Household], bool]:
        return sure

    return ask


def never_registered(household: Household) -> bool:
    """Whether nobody here was ever said to hold a scheme."""
    return not any(member.statuses for member in household.head.members)


def unless_registered(on: date, policy: Policy, area: str) -> Callable[[Household], bool]:
    """A detector's `quiet`, for one that returns at once where `never_registered`."""
    return never_registered
