"""Numbers that lead to the pseudonym first known: corrected numbers, other documents, keys replaced by newer ones."""

from collections.abc import Callable

from gateway.identities import RESIDENT, Linkage


class FirstKnown(Linkage):
    """A Linkage whose pseudonyms are those under which people and households were first known."""

    def __init__(self, key: bytes, resolve: Callable[[str], str], *, synthetic: bool = False) -> None:
        """`resolve`: from any pseudonym to the first one."""
        super().__init__(key, synthetic=synthetic)
        self._resolve = resolve

    def person(self, raw: str, id_type: str = RESIDENT) -> str:
        """See Linkage."""
        return self._resolve(super().person(raw, id_type))

    def own(self, raw: str, id_type: str = RESIDENT) -> str:
        """The pseudonym of the number itself, whoever was first known under it. Raises BadIdentity."""
        return super().person(raw, id_type)

    def household(self, issuing_area: str, number: str) -> str:
        """See Linkage."""
        return self._resolve(super().household(issuing_area, number))
