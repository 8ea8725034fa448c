"""Who to call and where to knock: the vault as case work may see it, one logged opening per person."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.keys import KeyFiles, read_key
from gateway.vault import Identity, Vault
from schemas.errors import DataError


class Contacts:
    """An open vault; a context manager."""

    def __init__(self, vault: Path, keys: Path) -> None:
        """Raises DataError when there is no vault here, CallError when its key is missing."""
        if not vault.exists():
            raise DataError(f"这里没有身份库 {vault}：请在民政区网关上执行，或先运行 lidm roster load")
        self._exit = contextlib.ExitStack()
        self._vault = self._exit.enter_context(Vault(vault, read_key(KeyFiles.under(keys).vault)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._exit.close()

    def persons(self, household: str, *, everyone: bool) -> list[str]:
        """The household's head, or everyone; nothing is opened yet. Raises DataError when the vault knows nobody."""
        persons = self._vault.members(household)
        if not persons:
            raise DataError("身份库中没有这个家庭的联系方式（临时家庭，或名册尚未入库）")
        return persons if everyone else persons[:1]

    def open(self, persons: Sequence[str], *, actor: str, purpose: str, case_id: str, at_ms: int) -> list[Identity]:
        """Who they are, each opening logged before it is read."""
        opened = (
            self._vault.open(person, actor=actor, purpose=purpose, case_id=case_id, at_ms=at_ms) for person in persons
        )
        return [who for who in opened if who]
