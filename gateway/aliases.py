"""Numbers that lead to the pseudonym first known: corrected numbers, other documents, keys replaced by newer ones."""

from collections.abc import Callable

from gateway.identities import RESIDENT, Linkage

Earlier = Callable[[str, str, str], str]
"""From (own pseudonym, number, its type) to the pseudonym first known; own where nobody was known before."""


class FirstKnown(Linkage):
    """A Linkage whose pseudonyms are those under which people and households were first known."""

    def __init__(
        self, key: bytes, resolve: Callable[[str], str], *, synthetic: bool = False, opaque_key: bytes | None = None
    ) -> None:
        """`resolve`: from any pseudonym to the first one."""
        super().__init__(key, synthetic=synthetic, opaque_key=opaque_key)
        self._resolve = resolve
        self._earlier: Earlier | None = None

    def recognise(self, earlier: Earlier | None) -> None:
        """From now on asks `earlier` about people that `resolve` has no other pseudonym of; None asks nobody."""
        self._earlier = earlier

    def person(self, raw: str, id_type: str = RESIDENT) -> str:
        """See Linkage; also raises what `earlier` does."""
        own = super().person(raw, id_type)
        first = self._resolve(own)
        if self._earlier is None or first != own:
            return first
        return self._earlier(own, raw, id_type)

    def own(self, raw: str, id_type: str = RESIDENT) -> str:
        """The pseudonym of the number itself, whoever was first known under it. Raises BadIdentity."""
        return super().person(raw, id_type)

    def household(self, issuing_area: str, number: str) -> str:
        """See Linkage."""
        return self._resolve(super().household(issuing_area, number))
