import stat
from pathlib import Path

import pytest

from gateway.keys import KeyFiles, init_keys, read_key
from schemas.errors import CallError


def test_init_makes_keys_only_their_owner_reads(tmp_path: Path) -> None:
    files = init_keys(tmp_path / "keys", synthetic=True)
    for path in (files.linkage, files.vault, files.seal_private, files.seal_public):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(read_key(path)) == 32
    assert files.linkage_of().synthetic
    assert read_key(files.linkage) != read_key(files.vault)


def test_init_never_overwrites(tmp_path: Path) -> None:
    files = init_keys(tmp_path)
    before = files.linkage.read_text()
    with pytest.raises(CallError, match="不会覆盖"):
        init_keys(tmp_path)
    assert files.linkage.read_text() == before
    assert not files.synthetic


def test_seal_pair_is_one_pair(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    files = init_keys(tmp_path)
    private = X25519PrivateKey.from_private_bytes(read_key(files.seal_private))
    assert private.public_key().public_bytes_raw() == read_key(files.seal_public)


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("00" * 32, 0o644, "可被他人读取"),
        ("zz", 0o600, "损坏"),
        ("00", 0o600, "损坏"),
    ],
)
def test_a_careless_or_damaged_key_is_refused(tmp_path: Path, text: str, mode: int, reason: str) -> None:
    path = tmp_path / "linkage.key"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(CallError, match=reason):
        read_key(path)


def test_a_missing_key_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="lidm gateway init"):
        KeyFiles.under(tmp_path).linkage_of()
