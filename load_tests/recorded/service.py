"""A Pocket that writes down every raw event of a department, week by week, and every alert.

What lies in the folder afterwards is all the independent checker reads: `raw/<feed>.jsonl`, `manifests.jsonl`,
`aliases.jsonl`, `alerts.jsonl`, `run.json`. A line says in which week it was told; a tick ends the week.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import msgspec

from load_tests.city.pocket import Pocket
from schemas.alerts import Alert
from schemas.topics import ALERTS, ALIASES, CASE_COMMANDS
from streams.delivery import Letter

_KEPT = ("id", "source", "subject", "recordedtime", "operation", "sequence")
_FEEDS = "feeds."
_NOT_RUN = frozenset({ALERTS, CASE_COMMANDS})  # cases answer alerts and change none


class Recorder(Pocket):
    """A Service without officers. `trial`: detectors on trial that run too."""

    def __init__(self, folder: Path, seal_public_key: bytes, trial: tuple[str, ...], partitions: int = 4) -> None:
        super().__init__(seal_public_key, partitions, trial)
        self._folder = folder
        self._files: dict[str, TextIO] = {}
        self.week = 0
        self.written = 0

    def send(self, letters: Iterable[Letter]) -> None:
        """Notes what departments and the monitor say; the rest goes where its stage will find it."""
        kept = []
        for letter in letters:
            if letter.topic.startswith(_FEEDS) and not letter.topic.startswith("feeds.rejected"):
                self._note_events(letter)
            elif letter.topic == ALIASES:
                person = msgspec.json.decode(letter.value or b"")["person"]
                self._line("aliases", {"later": (letter.key or b"").decode(), "person": person})
            elif letter.topic == ALERTS:
                self._note_alert(Alert.model_validate_json(letter.value or b""))
            if letter.topic not in _NOT_RUN:
                kept.append(letter)
        super().send(kept)

    def close(self) -> None:
        """Everything is on disk."""
        for file in self._files.values():
            file.close()

    def _note_events(self, letter: Letter) -> None:
        said = msgspec.json.decode(letter.value or b"")
        feed = letter.topic.removeprefix(_FEEDS).rpartition(".")[0]
        for event in said if isinstance(said, list) else [said]:
            if event["type"].startswith("lidm.batch."):
                if letter.partition == 0:
                    self._line("manifests", {"week": self.week, **event})
                continue
            self._line(f"raw/{feed}", {"week": self.week, **{k: event.get(k) for k in _KEPT}, **event["data"]})
            self.written += 1

    def _note_alert(self, alert: Alert) -> None:
        told = alert.model_dump(mode="json", include={
            "alert_id", "revision", "state", "household", "detector", "cause", "since", "severity", "measure", "on",
        })  # fmt: skip
        self._line("alerts", {"week": self.week, **told, "line": alert.threshold.value, "reason": alert.reason})

    def _line(self, name: str, said: dict[str, Any]) -> None:
        file = self._files.get(name)
        if file is None:
            path = self._folder / f"{name}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            file = self._files[name] = path.open("w", encoding="utf-8")
        file.write(json.dumps(said, ensure_ascii=False) + "\n")
