"""Cards are kept beside the archive: not before it has caught up, again after a failure, and aloud."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from lidm import feed_cards
from lidm.settings import Settings
from schemas.errors import Unreachable
from sinks.store import AlertStore


def test_they_wait_for_the_archive_and_outlive_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, made = list[int](), list[int]()
    answers: list[Exception | list[Any]] = [Unreachable("存储没有应答"), ZeroDivisionError(), [], []]

    def caught_up() -> bool:
        asked.append(len(made))
        return len(asked) > 2

    def make(settings: Settings, store: AlertStore, **more: Any) -> list[Any]:
        made.append(1)
        answer = answers[len(made) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    for name, seconds in (("FIRST_SECONDS", 0.0), ("LOOK_SECONDS", 0.001), ("EVERY_SECONDS", 0.001)):
        monkeypatch.setattr(feed_cards, name, seconds)
    monkeypatch.setattr(feed_cards, "make_cards", make)

    async def run() -> None:
        kept = asyncio.create_task(
            feed_cards.keep_cards(Settings(data_dir=tmp_path), cast(AlertStore, None), caught_up)
        )
        while len(made) < 4:
            await asyncio.sleep(0.001)
        kept.cancel()

    asyncio.run(asyncio.wait_for(run(), 10))
    assert asked[:3] == [0, 0, 0], "nothing is made before the archive has caught up"
    assert len(made) == 4
