"""What `lidm roster`, `lidm feed publish` and `lidm gateway` share: this gateway's keys, vault and broker; progress."""

import fcntl
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from gateway.aliases import FirstKnown
from gateway.arrived import ArrivedInKafka
from gateway.keys import KeyFiles, read_key
from gateway.problems import RowProblem
from gateway.publish import Progress
from gateway.publisher import BrokerPublisher, Publisher
from gateway.resume import Keeping
from gateway.retired import Retired
from gateway.rows import FileProgress
from gateway.scope import Watched
from gateway.vault import Vault
from lidm.settings import Settings
from schemas.calendar import SHANGHAI
from schemas.errors import CallError

SHOWN_PROBLEMS = 20


def keys_of(settings: Settings) -> KeyFiles:
    """The key files of this gateway."""
    files = KeyFiles.under(settings.keys_dir)
    return files.with_linkage(settings.linkage_key_file) if settings.linkage_key_file else files


def linkage_of(settings: Settings) -> FirstKnown:
    """The pseudonym maker, to the pseudonyms first known. Raises CallError when the gateway was never initialised."""
    keys = keys_of(settings)
    key, opaque_key = read_key(keys.linkage), keys.opaque_key
    return FirstKnown(key, resolver_of(settings), synthetic=keys.synthetic, opaque_key=opaque_key)


@contextmanager
def recognising(
    settings: Settings, linkage: FirstKnown, way: Callable[[], Publisher] | None, at: datetime | None = None
) -> Iterator[None]:
    """Within it the linkage also finds people known only under a key that was replaced, and tells them by `way`.

    `way` None: nobody is told. Costs nothing where no key was replaced. Raises CallError where such a key is readable
    by others or damaged.
    """
    retired = keys_of(settings).retired
    if not retired or not _has_vault(settings):
        yield
        return

    def stamp() -> tuple[int, int | None]:
        recorded, timestamp_ms = moment_of(settings, at)
        return int(recorded.timestamp() * 1000), timestamp_ms

    with vault_of(settings) as vault, watched_of(settings) as watched:
        linkage.recognise(Retired(retired, vault=vault, watched=watched, publisher=way, stamp=stamp))
        try:
            yield
        finally:
            linkage.recognise(None)


@contextmanager
def key_in_use(settings: Settings, *, alone: bool = False) -> Iterator[None]:
    """Within it nobody replaces the linkage key; `alone`: nobody uses it either.

    A lock on the key's file, which ends with the process, however that ends. Raises CallError where it cannot be had.
    """
    path = keys_of(settings).linkage
    read_key(path)
    with path.open("rb") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = "请先停止 lidm gateway run，并等正在进行的入库和发布结束，再更换密钥"
            raise CallError(f"联结密钥正在使用：{who}" if alone else "正在更换联结密钥：请等它结束后再运行") from error
        yield


def keep_key(settings: Settings, *, alone: bool = False) -> None:
    """`key_in_use` until the running command ends."""
    click.get_current_context().with_resource(key_in_use(settings, alone=alone))


def vault_of(settings: Settings) -> Vault:
    """The vault, opened. Raises CallError without its key or the extra `gateway`."""
    if find_spec("cryptography") is None:
        raise CallError("身份库需要 lidm 的 gateway 扩展：pip install 'lidm[gateway]'")
    return Vault(settings.vault, read_key(keys_of(settings).vault))


def resolver_of(settings: Settings) -> Callable[[str], str]:
    """From any pseudonym of a person or household to the one first known; as it is where this gateway has no vault."""
    if not _has_vault(settings):
        return str
    with vault_of(settings) as vault:
        known = vault.aliases()
    return lambda pseudonym: known.get(pseudonym, pseudonym)


def watched_of(settings: Settings) -> Watched:
    """Whom the gateway watches, opened."""
    return Watched(settings.data_dir / "gateway" / "watched.sqlite")


def _has_vault(settings: Settings) -> bool:
    return settings.vault.exists() and find_spec("cryptography") is not None


def publisher_of(settings: Settings) -> BrokerPublisher:
    """The way to the broker; by admission where it is the embedded one."""
    return BrokerPublisher(settings.bootstrap, embedded=settings.embedded, security=settings.security)


def keeping_of(settings: Settings, *, again: bool) -> Keeping:
    """Where publications keep their progress, and who tells what a killed one delivered and to which broker."""
    said = settings.announced
    born = said.born or "" if said is not None and settings.embedded else ""
    arrived = ArrivedInKafka(settings.bootstrap, settings.security.options(), embedded=settings.embedded, born=born)
    return Keeping(settings.data_dir / "publish", arrived, again, standing=arrived.standing)


def moment_of(settings: Settings, at: datetime | None) -> tuple[datetime, int | None]:
    """(time of recording, Kafka timestamp): the broker stamps on the wall clock, the caller on a driven one."""
    recorded = (at.replace(tzinfo=SHANGHAI) if at.tzinfo is None else at) if at else datetime.now(SHANGHAI)
    driven = settings.effective_clock == "driven"
    return recorded, int(recorded.timestamp() * 1000) if driven else None


@contextmanager
def progress_on(stream_is_terminal: bool, title: str) -> Iterator[Progress | None]:
    """Rows read and refused, shown while it works on a terminal; nothing elsewhere."""
    if not stream_is_terminal or find_spec("rich") is None:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title)
        yield lambda read, bad: bar.update(task, description=f"{title}：已读 {read:,} 行，未通过 {bad:,} 行")


@contextmanager
def bar_on(stream_is_terminal: bool, title: str) -> Iterator[FileProgress | None]:
    """Rows read, refused and the share of the file, on a terminal; nothing elsewhere. Needs no extra."""
    if not stream_is_terminal:
        yield None
        return

    def tell(read: int, bad: int, share: float) -> None:
        done = f"{'█' * int(share * 20):<20} {share:4.0%} " if share else ""
        sys.stderr.write(f"\r{title} {done}已读 {read:,} 行，未通过 {bad:,} 行 ")
        sys.stderr.flush()

    try:
        yield tell
    finally:
        sys.stderr.write("\n")


def terminal() -> bool:
    """Whether somebody watches."""
    return sys.stderr.isatty()


def say_problems(problems: Sequence[RowProblem], total: int) -> None:
    """The first problems, one a line, on standard error."""
    for problem in problems[:SHOWN_PROBLEMS]:
        click.echo(problem.text, err=True)
    if total > SHOWN_PROBLEMS:
        click.echo(f"……另有 {total - SHOWN_PROBLEMS:,} 行", err=True)


def write_json(path: Path | None, value: dict[str, Any]) -> None:
    """Writes a receipt where one was asked for."""
    if path is not None:
        path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
