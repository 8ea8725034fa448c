import secrets
import stat
from pathlib import Path

import pytest

from gateway.keys import KeyFiles, init_keys, read_key, write_private
from schemas.errors import CallError


def test_init_makes_keys_only_their_owner_reads(tmp_path: Path) -> None:
    files = init_keys(tmp_path / "keys", synthetic=True)
    for path in (files.linkage, files.opaque, files.vault, files.seal_private, files.seal_public):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(read_key(path)) == 32
    assert files.linkage_of().synthetic
    assert len({read_key(files.linkage), read_key(files.opaque), read_key(files.vault)}) == 3


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


def test_a_folder_without_opaque_key_is_told_where_it_comes_from_and_that_keeps_the_digests(tmp_path: Path) -> None:
    files = init_keys(tmp_path)
    files.opaque.unlink()
    with pytest.raises(CallError, match=r"opaque\.key.*linkage\.key 复制") as caught:
        files.linkage_of()
    assert read_key(files.linkage).hex() not in str(caught.value)
    write_private(files.opaque, files.linkage.read_text().strip())
    digest = files.linkage_of().opaque("x")
    files.retire(secrets.token_bytes(32), "20260603090000")
    assert files.linkage_of().opaque("x") == digest


def test_an_opaque_key_lies_beside_the_linkage_key_wherever_that_is(tmp_path: Path) -> None:
    here, there = init_keys(tmp_path / "here"), init_keys(tmp_path / "there")
    borrowed = here.with_linkage(there.linkage)
    assert (borrowed.opaque, borrowed.vault) == (there.opaque, here.vault)
    files = KeyFiles.under(tmp_path / "here")
    files.opaque.chmod(0o640)
    with pytest.raises(CallError, match="可被他人读取"):
        files.linkage_of()


def test_replaced_keys_are_kept_oldest_first_and_for_their_owner_only(tmp_path: Path) -> None:
    files = init_keys(tmp_path)
    assert not files.retired
    keys = [read_key(files.linkage)]
    for stamp in ("20260603090000", "20260603090000123456"):
        keys.append(secrets.token_bytes(32))
        old = files.retire(keys[-1], stamp)
        assert (read_key(old), stat.S_IMODE(old.stat().st_mode)) == (keys[-2], 0o600)
        assert (read_key(files.linkage), stat.S_IMODE(files.linkage.stat().st_mode)) == (keys[-1], 0o600)
    assert files.retired == tuple(keys[:2])
    assert KeyFiles.under(tmp_path).retired == tuple(keys[:2])
    old.chmod(0o604)
    with pytest.raises(CallError, match="可被他人读取"):
        files.retired  # noqa: B018 - reading them is what is refused
    old.chmod(0o600)
    old.write_text("00\n")
    with pytest.raises(CallError, match="损坏"):
        files.retired  # noqa: B018


@pytest.mark.parametrize("left", [("old",), ("old", "new")])
def test_a_switch_that_was_interrupted_is_done_again(tmp_path: Path, left: tuple[str, ...]) -> None:
    files = init_keys(tmp_path)
    before, fresh = read_key(files.linkage), secrets.token_bytes(32)
    (tmp_path / "linkage.20260603090000.key").hardlink_to(files.linkage)
    if "new" in left:
        write_private(tmp_path / "linkage.new", "half")
    assert read_key(files.linkage) == before
    assert not files.retired  # nothing was replaced yet
    old = files.retire(fresh, "20260603090005")
    assert old.name == "linkage.20260603090000.key"
    assert (read_key(files.linkage), files.retired) == (fresh, (before,))
    assert sorted(path.name for path in tmp_path.glob("linkage*")) == [old.name, "linkage.key"]
