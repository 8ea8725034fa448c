"""The gateway's keys: made once, readable by their owner only, never printed.

`linkage.key`, `opaque.key` and `vault.key` are 32 random bytes in hex, `seal.key` / `seal.pub` an X25519 pair (raw,
hex) under which rejected payloads are sealed. `gateway.json` says whether the gateway takes invented people (region
999999). A linkage key that was replaced lies beside the present one as `linkage.<when>.key`.
"""

import json
import os
import re
import secrets
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.identities import Linkage
from schemas.errors import CallError

KEY_BYTES = 32


@dataclass(frozen=True)
class KeyFiles:
    """Where the keys lie. Reading one that others may read too is refused.

    `opaque` is apart from `linkage` because digests stand in natural keys: a new linkage key must leave them alone.
    """

    linkage: Path
    opaque: Path
    vault: Path
    seal_private: Path
    seal_public: Path
    config: Path

    @classmethod
    def under(cls, folder: Path) -> "KeyFiles":
        """The usual names in one folder."""
        return cls(
            folder / "linkage.key",
            folder / "opaque.key",
            folder / "vault.key",
            folder / "seal.key",
            folder / "seal.pub",
            folder / "gateway.json",
        )

    def with_linkage(self, path: Path) -> "KeyFiles":
        """The same with another linkage key, and the opaque key that lies beside that one."""
        return replace(self, linkage=path, opaque=path.with_name(self.opaque.name))

    def linkage_of(self) -> Linkage:
        """The pseudonym maker of this gateway. Raises CallError when it was never initialised."""
        return Linkage(read_key(self.linkage), synthetic=self.synthetic, opaque_key=self.opaque_key)

    @property
    def opaque_key(self) -> bytes:
        """What opaque digests are made under. Raises CallError that says where it comes from."""
        if not self.opaque.exists():
            raise CallError(
                f"没有摘要密钥 {self.opaque}：请放入 lidm gateway init 时一并生成的 opaque.key；"
                f"当时还不生成它的目录，把 {self.linkage.name} 复制为 opaque.key（0600），此前的摘要不变"
            )
        return read_key(self.opaque)

    @property
    def retired(self) -> tuple[bytes, ...]:
        """Linkage keys before the present one, oldest first, each once. Raises CallError as `read_key` does."""
        present = read_key(self.linkage)
        kept = dict.fromkeys(read_key(path) for path in self._retired_files())
        return tuple(key for key in kept if key != present)

    def retire(self, fresh: bytes, stamp: str) -> Path:
        """Puts a new linkage key in the place of the present one, which is kept beside it; returns where.

        `stamp` is the time in digits. Whenever it is interrupted there is one present key, and it can be done again.
        """
        present = read_key(self.linkage)
        old = next((path for path in self._retired_files() if read_key(path) == present), None)
        if old is None:
            old = self.linkage.with_name(f"{self.linkage.stem}.{stamp}.key")
            os.link(self.linkage, old)
        new = self.linkage.with_suffix(".new")
        new.unlink(missing_ok=True)
        write_private(new, fresh.hex())
        new.replace(self.linkage)
        return old

    def _retired_files(self) -> list[Path]:
        name = re.compile(rf"{re.escape(self.linkage.stem)}\.\d{{14,20}}\.key")
        return sorted(path for path in self.linkage.parent.iterdir() if name.fullmatch(path.name))

    @property
    def synthetic(self) -> bool:
        """Whether this gateway was initialised for invented people."""
        return self.config.exists() and bool(json.loads(self.config.read_text()).get("synthetic"))


def read_key(path: Path, *, secret: bool = True) -> bytes:
    """A key of 32 bytes. Raises CallError when it is missing, damaged or readable by others."""
    if not path.exists():
        raise CallError(f"没有密钥文件 {path}：请先运行 lidm gateway init")
    if secret and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise CallError(f"密钥文件 {path} 可被他人读取：请先 chmod 600")
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise CallError(f"密钥文件 {path} 已损坏")
    return key


def init_keys(folder: Path, *, synthetic: bool = False) -> KeyFiles:
    """Makes all keys, each 0600 in a 0700 folder. Raises CallError, changing nothing, when one of them exists."""
    files = KeyFiles.under(folder)
    wanted = (files.linkage, files.opaque, files.vault, files.seal_private, files.seal_public)
    present = [path for path in wanted if path.exists()]
    if present:
        raise CallError(f"密钥已存在，不会覆盖：{present[0]}（换密钥会使已有代码全部失联）")
    private, public = new_seal_pair()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    write_private(files.linkage, secrets.token_hex(KEY_BYTES))
    write_private(files.opaque, secrets.token_hex(KEY_BYTES))
    write_private(files.vault, secrets.token_hex(KEY_BYTES))
    write_private(files.seal_private, private.hex())
    write_private(files.seal_public, public.hex())
    write_private(files.config, json.dumps({"synthetic": synthetic}))
    return files


def new_seal_pair() -> tuple[bytes, bytes]:
    """A fresh X25519 pair (private, public), raw 32 bytes each. Raises CallError without the extra `gateway`."""
    try:
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    except ModuleNotFoundError as error:
        raise CallError("生成密钥需要 lidm 的 gateway 扩展：pip install 'lidm[gateway]'") from error

    private = X25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


def write_private(path: Path, text: str) -> None:
    """A new file only its owner reads; an existing one is never overwritten."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
