"""The store a command reads: the running service's, a ClickHouse server, or the folder an embedded run left behind."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lidm.settings import Settings, load_settings
from schemas.errors import Unreachable
from sinks.store import AlertStore, StoreError


def open_store(settings: Settings) -> AlertStore:
    """The store of these settings. Raises Unreachable when there is none to be found."""
    folder = settings.data_dir / "store"
    running = settings.announced
    if running and running.mode == "embedded" and running.api:
        from sinks.remote import RemoteStore

        return RemoteStore(running.api, _token(settings.data_dir))
    if settings.store == "embedded" or (_no_server(settings) and folder.exists()):
        return _embedded(folder)
    from sinks.clickhouse import ClickHouseStore

    at = settings.clickhouse
    return ClickHouseStore(
        at.host, at.port, settings.clickhouse_database, settings.clickhouse_user, settings.clickhouse_password
    )


@contextmanager
def reading(settings: Settings | None = None) -> Iterator[AlertStore]:
    """The store for the length of a command; its failures end the command with exit code 3."""
    store = open_store(settings or load_settings())
    try:
        yield store
    except StoreError as error:
        raise Unreachable(f"{error.message_zh}；可用 lidm store preflight 查看") from error
    finally:
        store.close()


def _embedded(folder: Path) -> AlertStore:
    if not folder.exists():
        raise Unreachable(f"{folder} 里还没有内嵌数据：请先运行 lidm demo 或 lidm run --embedded")
    from sinks.embedded import EmbeddedStore

    return EmbeddedStore(folder)


def _no_server(settings: Settings) -> bool:
    return settings.clickhouse_host is None and not (settings.announced and settings.announced.clickhouse)


def _token(data_dir: Path) -> str:
    return str(json.loads((data_dir / "run" / "service.json").read_text()).get("token", ""))

