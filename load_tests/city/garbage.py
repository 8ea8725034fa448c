"""What a careless foreign client puts on a feed: each message must end sealed in `feeds.rejected.v1` with its code.

Sent directly to the topic, past the gateway, which would have refused it.
"""

import json
from datetime import datetime, timedelta

from load_tests.city.people import REGION, check_digit
from schemas.partition import partition_of
from schemas.topics import feed_topic
from streams.delivery import Letter

_FEED = "vital.death"
_PERSON = "p_" + "0" * 32
_NUMBER = f"{REGION}19500101000"


def garbage(moment: datetime, at_ms: int, partitions: int) -> list[Letter]:
    """One message per kind of mistake, as of `moment`."""
    plain = _NUMBER + check_digit(_NUMBER)
    later = moment + timedelta(days=40)
    values = [
        b"\x00\xff\xfe\x80 not json",
        _event(moment)[:-7],
        _event(moment, died_on=20250101),
        _event(moment, died_on=f"{later:%Y-%m-%d}"),
        _event(moment, subject=plain),
        _event(moment, unheard_of="字段"),
    ]
    key = _PERSON.encode()
    return [Letter(feed_topic(_FEED), partition_of(key, partitions), key, value, at_ms) for value in values]


def _event(moment: datetime, subject: str = _PERSON, **data: object) -> bytes:
    stated = moment.isoformat(timespec="milliseconds")
    event = {
        "specversion": "1.0",
        "id": "garbage-1",
        "source": "urn:xinghe:careless",
        "type": f"lidm.{_FEED}",
        "subject": subject,
        "time": stated,
        "recordedtime": stated,
        "operation": "record",
        "sequence": 1,
        "data": {"reported_by": "health", "died_on": f"{moment:%Y-%m-%d}"} | data,
    }
    return json.dumps(event, ensure_ascii=False).encode()
