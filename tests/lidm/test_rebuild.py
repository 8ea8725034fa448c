"""`lidm rebuild` replaces the state only by one folded from the whole log, and only while no monitor runs."""

from collections.abc import Iterable
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from lidm.commands import rebuild
from schemas.errors import CallError, LidmError, Stop
from schemas.topics import HOUSEHOLD_EVENTS
from streams.rebuild import LoggedBlock
from streams.watch import Watch
from tests.streams.making import Block, config, story

BLOCKS = story(households=4, weeks=2).blocks
END = len(BLOCKS)
OK: list[int] = [0, 0]


class Broker:
    """What the command asks about the monitor: its members, one answer per question, and where it stands; and about
    links, how many work there."""

    def __init__(self, members: Iterable[int] = OK, committed: Iterable[int] = (END, END), links: int = 0) -> None:
        self.asked: list[str] = []
        self._links = links
        self._members, self._committed = iter(members), iter(committed)

    def members(self, stage: str) -> int:
        if stage == "links":
            return self._links
        self.asked.append("members")
        return next(self._members)

    def committed(self, stage: str) -> dict[tuple[str, int], int]:
        return {(HOUSEHOLD_EVENTS, 0): next(self._committed)}

    def ends(self, topic: str) -> dict[int, int]:
        return {0: 0}


def rebuilt(monkeypatch: pytest.MonkeyPatch, broker: Broker, blocks: list[Block], *options: str) -> list[str]:
    """What the command did, in order; its own errors are raised."""
    logged = [LoggedBlock("g1", 0, *block) for block in blocks]
    store = SimpleNamespace(read_household_log=lambda generation: logged)

    def read(*_: object) -> list[LoggedBlock]:
        broker.asked.append("read")
        return logged

    def write(*_: object) -> None:
        broker.asked.append("write")

    monkeypatch.setattr(rebuild, "load_settings", SimpleNamespace)
    monkeypatch.setattr(rebuild, "stream_config", lambda settings: config())
    monkeypatch.setattr(rebuild, "Lag", lambda *_: broker)
    monkeypatch.setattr(rebuild, "clickhouse_store", lambda settings: store)
    monkeypatch.setattr(rebuild, "read_log", read)
    monkeypatch.setattr(rebuild, "read_stored", lambda config, ends: {0: Watch(0, config)})
    monkeypatch.setattr(rebuild, "rewrite_state", write)
    monkeypatch.setattr(rebuild, "keys_of", lambda *_: {})
    monkeypatch.setattr(rebuild, "rewrite_links", lambda *_: broker.asked.append("links"))
    CliRunner().invoke(rebuild.command, ["--switch", *options], catch_exceptions=False)
    return broker.asked


@pytest.mark.parametrize("origin", ["log", "archive"])
def test_the_whole_log_replaces_the_state(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    done = rebuilt(monkeypatch, Broker(), BLOCKS, "--from", origin)
    assert [each for each in done if each != "read"] == ["members", "members", "write", "links"]


@pytest.mark.parametrize("origin", ["log", "archive"])
@pytest.mark.parametrize(
    "kept", [BLOCKS[3:], BLOCKS[:5] + BLOCKS[6:], BLOCKS[:-1], []], ids=["cut", "gap", "behind", "empty"]
)
def test_a_part_of_the_log_does_not(monkeypatch: pytest.MonkeyPatch, origin: str, kept: list[Block]) -> None:
    broker = Broker()
    with pytest.raises(Stop, match="台账日志不完整") as stopped:
        rebuilt(monkeypatch, broker, kept, "--from", origin)
    assert stopped.value.exit_code == 4
    assert "write" not in broker.asked


@pytest.mark.parametrize(
    ("broker", "error", "asked"),
    [
        (Broker(members=[1]), CallError, ["members"]),
        (Broker(links=1), CallError, ["members"]),
        (Broker(members=[0, 1]), CallError, ["members", "read", "members"]),
        (Broker(committed=[END, END + 1]), Stop, ["members", "read", "members"]),
    ],
)
def test_a_monitor_at_work_keeps_its_state(
    monkeypatch: pytest.MonkeyPatch, broker: Broker, error: type[LidmError], asked: list[str]
) -> None:
    with pytest.raises(error):
        rebuilt(monkeypatch, broker, BLOCKS)
    assert broker.asked == asked
