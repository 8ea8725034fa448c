"""`lidm feed amounts`: the limits intake was told, and a person who lets a feed through for some days."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from lidm import amount_doubts
from lidm.commands import feed_amounts
from lidm.commands.feed import command
from lidm.settings import Settings
from schemas.amount_limits import AmountLimits, LimitsLifted, limits_key, read_amounts
from schemas.errors import Unreachable
from schemas.feed import FEEDS
from tests.gateway.outlet import Outlet

KIND = "employment.contribution"


@pytest.fixture
def outlet(monkeypatch: pytest.MonkeyPatch) -> Outlet:
    made = Outlet()

    @contextmanager
    def way(_: object) -> Iterator[Outlet]:
        yield made

    def read(*_: object) -> list[Any]:
        said = [SimpleNamespace(key=each.key, value=each.value) for each in made.sent]
        limits = msgspec.json.encode(AmountLimits(7, {"base": (64, 1 << 31)}))
        strange = [SimpleNamespace(key=KIND.encode(), value=b"{}"), SimpleNamespace(key=None, value=b"")]
        return [SimpleNamespace(key=limits_key(KIND).encode(), value=limits), *strange, *said]

    monkeypatch.setattr(feed_amounts, "publisher_of", way)
    monkeypatch.setattr(amount_doubts, "read_topic", read)
    return made


def lidm(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["amounts", *words], env={"LIDM_DATA_DIR": str(folder), "LIDM_ACTOR": "王某"})


def test_a_person_lets_a_feed_through_and_the_list_says_until_when(outlet: Outlet, tmp_path: Path) -> None:
    before = lidm(tmp_path, "--json")
    assert json.loads(before.stdout) == [
        {"feed": KIND, "field": "base", "from_fen": 64, "below_fen": 1 << 31, "accepted_until_ms": None}
    ]
    done = lidm(tmp_path, KIND, "--accept-days", "2", "--reason", "已电话核实")
    assert done.exit_code == 0, done.output
    [sent] = outlet.sent
    said = read_amounts((sent.key or b"").decode(), sent.value)
    assert said is not None and isinstance(said[1], LimitsLifted)
    assert (said[0], said[1].actor, said[1].reason) == (KIND, "王某", "已电话核实")
    assert json.loads(lidm(tmp_path, KIND, "--json").stdout)[0]["accepted_until_ms"] == said[1].until_ms
    assert "21,474,836.48元" in lidm(tmp_path).output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((KIND, "--accept-days", "2"), "理由"),
        (("--accept-days", "2", "--reason", "x"), "数据类"),
        (("no.such",), "没有数据类"),
    ],
)
def test_a_wrong_call_says_why(outlet: Outlet, tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    done = lidm(tmp_path, *words)
    assert done.exit_code != 0
    assert why in f"{done.output}{done.exception}"
    assert not outlet.sent


def test_a_publisher_reads_the_limits_and_goes_on_without_where_it_may_not(
    outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = FEEDS[KIND]
    assert amount_doubts.doubts_of(Settings()).decode(spec) != spec.decode

    def refused(*_: object) -> list[Any]:
        raise Unreachable("没有权限")

    monkeypatch.setattr(amount_doubts, "read_topic", refused)
    with capture_logs() as said:
        assert amount_doubts.doubts_of(Settings()).decode(spec) == spec.decode
    assert [each["event"] for each in said] == ["amount_limits_unread"]
