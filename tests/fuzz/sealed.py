"""The gateway's sealed topics: every element is sent on, left out or counted as refused, and nothing plain goes on."""

import json
from collections import Counter
from collections.abc import Sequence

from gateway.identities import Linkage
from gateway.sealed import SealedFeed, seal_identity
from schemas.feed import FeedSpec
from tests.fuzz.intake import KNOWN_AT_MS, PRIVATE, PUBLIC
from tests.fuzz.leaks import readable, readable_bytes
from tests.fuzz.messages import Sent, bases
from tests.gateway.outlet import Outlet
from tests.gateway.people import number

LINKAGE = Linkage(b"k" * 32, synthetic=True)
WHO, OTHER = number(77), number(78)
HERE = {LINKAGE.person(WHO)}


def sealed_bases(spec: FeedSpec) -> dict[bytes, str]:
    """`sealedid` for each example; of two people, of whom one is in scope."""
    found: dict[bytes, str] = {}
    for n, base in enumerate(bases(spec.name)):
        said = json.loads(base)
        if isinstance(said, dict) and isinstance(said.get("subject"), str):
            source, event_id = str(said.get("source")), str(said.get("id"))
            found.setdefault(base, seal_identity(PUBLIC, OTHER if n % 5 == 4 else WHO, source, event_id))
    return found


class Resealed:
    """One feed's inbox of two partitions."""

    def __init__(self, spec: FeedSpec) -> None:
        self.counts = Counter[str]()
        self._outlet = Outlet(count=2)
        self._feed = SealedFeed(
            spec, LINKAGE, PRIVATE, self._outlet, lambda row: row.person in HERE, lambda: KNOWN_AT_MS
        )

    def take(self, messages: Sequence[Sent]) -> None:
        """Fails where an element is lost or a number can be read in what was sent on."""
        feed = self._feed
        for n, sent in enumerate(messages):
            before, already = self._accounted(), len(self._outlet.sent)
            feed.take(n % 2, sent.value)
            told = self._accounted() - before
            elements, manifests = _elements(sent.value)
            assert told <= elements, "an element is counted twice"
            assert told + manifests >= elements, "an element is lost"
            self.counts["messages"] += 1
            for each in self._outlet.sent[already:]:
                assert not readable_bytes(each.key), "a number can be read in a key"
                assert not readable_bytes(each.value), "a number can be read in a value"
        assert len(self._outlet.deliveries()) == feed.sent
        self.counts += Counter(sent=feed.sent, left_out=feed.left_out, refused=sum(feed.refused.values()))
        assert not readable(" ".join([*feed.refused, *feed.batches]))
        self._outlet.sent.clear()
        feed.sent, feed.left_out, feed.refused = 0, 0, {}

    def _accounted(self) -> int:
        return self._feed.sent + self._feed.left_out + sum(self._feed.refused.values())


def _elements(value: bytes | None) -> tuple[int, int]:
    """Elements and manifests, as `json` sees them: of UTF-16 too, which the gateway takes."""
    try:
        said = json.loads(value or b"")
    except (ValueError, RecursionError):
        return 1, 0
    elements = said if isinstance(said, list) and said else [said]
    types = [each.get("type") for each in elements if isinstance(each, dict)]
    return len(elements), sum(isinstance(each, str) and each.startswith("lidm.batch.") for each in types)
