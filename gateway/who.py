"""Whose row it is: an identity number becomes a pseudonym, or a problem that does not repeat it."""

from dataclasses import dataclass
from functools import lru_cache

from gateway.identities import ID_TYPES, BadIdentity, Linkage, mask, normalise, shape
from gateway.problems import BadRow, RowProblem
from gateway.reading import IDENTITY

_EVENT_ID_LIMIT = 64
_TAIL = 12


@dataclass(frozen=True)
class Who:
    """Turns what a row says about its person into a pseudonym, or into a problem that does not repeat it."""

    linkage: Linkage

    def person(self, row: int, raw: str, type_label: str) -> str:
        """The pseudonym. Raises BadRow."""
        id_type = ID_TYPES.get(type_label or "居民身份证")
        if id_type is None:
            raise BadRow(RowProblem(row, "证件类型", f"应为 {'、'.join(ID_TYPES)}", shape(type_label)))
        try:
            return self.linkage.person(raw, id_type)
        except BadIdentity as error:
            raise BadRow(RowProblem(row, IDENTITY, str(error), mask(raw), "BAD_IDENTITY", error.flaw)) from None

    def other(self, row: int, column: str, raw: str) -> str:
        """The pseudonym of another person a row speaks of by number. Raises BadRow."""
        try:
            return self.linkage.person(raw)
        except BadIdentity as error:
            raise BadRow(RowProblem(row, column, str(error), mask(raw), "BAD_IDENTITY", error.flaw)) from None

    def account(self, row: int, column: str, raw: str) -> str:
        """The digest of an account number. Raises BadRow."""
        try:
            return self.linkage.account(raw)
        except BadIdentity as error:
            raise BadRow(RowProblem(row, column, str(error), shape(raw))) from None

    def event_id(self, raw_id: str, raw_number: str) -> str | None:
        """The department's id of the row; a keyed digest where it contains the identity number or is too long."""
        if not raw_id:
            return None
        if _tail(raw_number) in raw_id or len(raw_id) > _EVENT_ID_LIMIT or not raw_id.isprintable():
            return self.linkage.opaque(raw_id)
        return raw_id


@lru_cache(maxsize=50_000)
def _tail(raw_number: str) -> str:
    return normalise(raw_number)[-_TAIL:]
