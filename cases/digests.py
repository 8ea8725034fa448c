"""The chain that makes a case's history tamper-evident, even after a payload had to be erased.

Digest of an event = SHA-256 over its canonical JSON without evidence and body; those enter by `payload_digest`.
"""

import hashlib
import json
from collections.abc import Iterable

from schemas.case_commands import CaseEvidence
from schemas.cases import AnyBody, CaseEvent

GENESIS = "0" * 64


def payload_digest(evidence: Iterable[CaseEvidence], body: AnyBody) -> str:
    """Digest of what an event says beyond its header."""
    payload = {
        "evidence": [item.model_dump(mode="json", exclude_none=True) for item in evidence],
        "body": body.model_dump(mode="json", exclude_none=True),
    }
    return _sha256(payload)


def event_digest(event: CaseEvent) -> str:
    """Digest of an event, which the next event of the case names as `previous_digest`."""
    return _sha256(event.model_dump(mode="json", exclude={"evidence", "body"}, exclude_none=True))


def broken_link(events: Iterable[CaseEvent]) -> int | None:
    """`seq` of the first event of one case that does not follow from the one before, None when the chain holds."""
    previous, expected = GENESIS, 1
    for event in events:
        sound = event.payload_digest == payload_digest(event.evidence, event.body)
        if event.seq != expected or event.previous_digest != previous or not sound:
            return event.seq
        previous, expected = event_digest(event), expected + 1
    return None


def _sha256(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
