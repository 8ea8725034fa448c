"""Which feed topics intake reads: all of them, on the in-memory broker those that somebody has written to.

There a topic comes into being when it is first asked for. Reading forty topics of which eight are used costs a quarter
more than reading eight, so unused ones are left unborn; a new one is noticed within a second.
"""

import re
from collections.abc import Iterable
from typing import Any

LOOK_AGAIN_MS = 1000
USUAL_MS = 300_000
ANY = 2**63
"""A parked feed is asked after as if any offset might come next: that broker drops what it has no room for."""


def subscription(topics: Iterable[str], embedded: bool) -> dict[str, Any]:
    """The arguments of the consumer's `subscribe`."""
    if not embedded:
        return {"topics": sorted(topics)}
    return {"pattern": f"^({'|'.join(map(re.escape, sorted(topics)))})$"}


def metadata_age_ms(embedded: bool) -> int:
    """How old the consumer's knowledge of topics may grow."""
    return LOOK_AGAIN_MS if embedded else USUAL_MS
