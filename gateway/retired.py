"""Who was first known under a linkage key that has been replaced is recognised when the number comes again.

Whoever has a number in the vault got an alias when the key was replaced. Of people known only by facts over a line no
number is kept, so nothing can be told of them in advance: their next number says who they were. That is told first
(`persons.aliases.v1`, then the vault) and used afterwards; whatever is interrupted, the next fact completes it.
"""

from collections.abc import Callable, Sequence

from gateway.identities import Linkage, normalise
from gateway.publisher import Publisher
from gateway.rekey import KEY_REPLACED, tell
from gateway.scope import Watched
from gateway.vault import Vault

_REMEMBERED = 400_000


class Retired:
    """Finds the first pseudonym of a number under the keys before the present one; each number is looked for once."""

    def __init__(
        self,
        keys: Sequence[bytes],
        *,
        vault: Vault,
        watched: Watched,
        publisher: Callable[[], Publisher] | None,
        stamp: Callable[[], tuple[int, int | None]],
    ) -> None:
        """`keys`: oldest first. `publisher`: None finds without telling or noting. `stamp`: (now, Kafka timestamp)."""
        self._earlier = [Linkage(key) for key in keys]
        self._vault, self._watched = vault, watched
        self._publisher, self._stamp = publisher, stamp
        self._seen: dict[str, str] = {}

    def __call__(self, own: str, raw: str, id_type: str) -> str:
        """The pseudonym first known of a number whose own one, under the present key, is `own`.

        Raises Unreachable, having noted nothing, where an alias cannot be told.
        """
        known = self._seen.get(own)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[own] = self._first(own, raw, id_type)
        return known

    def _first(self, own: str, raw: str, id_type: str) -> str:
        number = normalise(raw)
        for earlier in self._earlier:
            before = earlier.named(number, id_type)
            if self._vault.holds(before) or self._watched.met(before):
                return self._noted(own, self._vault.first(before))
        return own

    def _noted(self, own: str, first: str) -> str:
        """The first pseudonym, certain in the topic before it is in the vault: what stands there is not told again."""
        known = self._vault.first(own)
        if known != own or self._vault.knows(own):
            return known
        if self._publisher is not None:
            publisher = self._publisher()
            at_ms, timestamp_ms = self._stamp()
            tell(publisher, own, first, timestamp_ms)
            publisher.flush()
            self._vault.alias(own, first, why=KEY_REPLACED, at_ms=at_ms)
        return first
