"""Both engines under one name, alerts and case events to fill them with, and a consumer that is only a list."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.store import AlertStore


@pytest.fixture(params=["embedded", pytest.param("clickhouse", marks=pytest.mark.live)])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AlertStore]:
    """A store before any migration: the newest engine in this process, and the oldest server we support."""
    if request.param == "embedded":
        pytest.importorskip("chdb")
        from sinks.embedded import EmbeddedStore

        made: AlertStore = EmbeddedStore(tmp_path / "store")
    else:
        from sinks.clickhouse import ClickHouseStore

        server = request.getfixturevalue("clickhouse_server")
        made = ClickHouseStore(server.host, server.port, f"test_{uuid.uuid4().hex[:8]}")
    yield made
    made.close()


@pytest.fixture
def store(empty_store: AlertStore) -> AlertStore:
    """A store with its tables."""
    empty_store.migrate()
    return empty_store
