"""Placeholder of the fold; the queries of `Household` are in `households.queries`."""

from households.queries import Member, Queries
from households.state import HOUSEHOLD


class Household(Queries):
    """A household's ledger."""


__all__ = ["HOUSEHOLD", "Household", "Member"]
