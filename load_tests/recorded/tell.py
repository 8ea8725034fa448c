"""Raw events of departments about invented pseudonyms, each in the week it arrives."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from load_tests.city.calendar import Span, at
from load_tests.city.schedule import CADENCE

LAST_HOUR = 20


@dataclass(slots=True)
class Teller:
    """Writes events of one story; `put(week, line)` takes them. Nothing arrives outside the span."""

    span: Span
    put: Callable[[int, str], None]
    rng: Random
    name: str
    _serial: int = 0

    def tell(
        self,
        feed: str,
        person: str,
        day: date,
        data: Mapping[str, object],
        delay: int = 0,
        operation: str = "record",
        recorded: date | None = None,
    ) -> None:
        """A fact of `day` that arrives `delay` days later; `recorded`: an earlier day its department wrote it down."""
        arrives = max(day, self.span.first) + timedelta(days=delay)
        week = (arrives - self.span.first).days // 7
        if arrives >= self.span.end:
            return
        self._serial += 1
        stated = at(recorded or arrives, LAST_HOUR if recorded is None else 8).isoformat(timespec="milliseconds")
        source = CADENCE[feed].source if feed in CADENCE else f"urn:xinghe:{feed}"
        event = {
            "specversion": "1.0", "id": f"{self.name}-{self._serial:05d}", "source": source, "type": f"lidm.{feed}",
            "subject": person, "time": self._time(day, stated), "recordedtime": stated, "operation": operation,
            "sequence": self._serial, "data": {k: _plain(v) for k, v in data.items() if v is not None},
        }  # fmt: skip
        self.put(week, json.dumps(event, ensure_ascii=False))

    def often_late(self, most: int = 40) -> int:
        """Days until something arrives: mostly at once, sometimes weeks later."""
        return self.rng.choice((0, 1, 2, 3, 5)) if self.rng.random() < 0.85 else self.rng.randrange(most)

    def chance(self, share: float) -> bool:
        """Whether it happens."""
        return self.rng.random() < share

    @staticmethod
    def _time(day: date, stated: str) -> str:
        return f"{day}T00:00:00+08:00" if f"{day}" <= stated[:10] else stated


def pseudonym(prefix: str, text: str) -> str:
    """32 hex that stand for somebody invented."""
    return f"{prefix}_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def month_text(day: date) -> str:
    """`2025-03`."""
    return f"{day:%Y-%m}"


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value
