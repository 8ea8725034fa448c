"""A case and its chain as one record, so that case work need not fold its whole history again.

Each record is the fold of one case_id's events up to its `seq` and depends on no other record. Whoever changes what
`CaseView.apply` or `Casework.restore` make of an event raises FOLD_VERSION, and CODEC_VERSION when the form changes:
records of other versions are as good as none, and history is folded from its beginning.
"""

import struct
from dataclasses import dataclass

from pydantic import TypeAdapter

from cases.chains import Chain
from cases.view import Case

CODEC_VERSION = 1
FOLD_VERSION = 2
LIMIT_BYTES = 800_000
VERSIONS = bytes((CODEC_VERSION, FOLD_VERSION))
_HEADER = struct.Struct(">2sI")


@dataclass(slots=True)
class CaseRecord:
    """One case_id as of its `len(chain.links)`-th event."""

    chain: Chain
    case: Case | None


_ADAPTER = TypeAdapter(CaseRecord)


def encode_record(record: CaseRecord) -> bytes:
    """Versions and `seq` first, readable without the rest; then JSON."""
    header = _HEADER.pack(VERSIONS, len(record.chain.links))
    return header + _ADAPTER.dump_json(record, exclude_defaults=True)


def decode_record(raw: bytes) -> CaseRecord:
    """A record of this version."""
    return _ADAPTER.validate_json(raw[_HEADER.size :])


def seq_of(raw: bytes) -> int | None:
    """The `seq` a record goes up to; None when another version wrote it."""
    if not raw.startswith(VERSIONS) or len(raw) < _HEADER.size:
        return None
    seq: int = _HEADER.unpack_from(raw)[1]
    return seq
