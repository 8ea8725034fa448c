"""AsyncAPI's parser is fetched once, found again without network, and its absence is said, never taken for a yes."""

import json
from pathlib import Path

import pytest

from deploy.local import Missing
from deploy.local.asyncapi import HERE, judge, parser_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no program on the path but what the test puts there."""
    monkeypatch.setenv("LIDM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "cache"


def program(cache: Path, name: str, lines: str) -> None:
    """A program on the path."""
    path = cache.parent / "bin" / name
    path.write_text(f"#!/bin/sh\nPATH=/bin:/usr/bin\n{lines}\n", encoding="utf-8")
    path.chmod(0o755)


def test_without_node_nothing_is_judged(cache: Path) -> None:
    with pytest.raises(Missing, match="install --tests"):
        judge(HERE / "package.json")


def test_a_download_that_ends_without_the_parser_is_no_parser(cache: Path) -> None:
    program(cache, "npm", "echo offline >&2; exit 1")
    with pytest.raises(Missing, match="offline"):
        parser_folder()
    program(cache, "npm", "exit 0")
    with pytest.raises(Missing, match="下载失败"):
        parser_folder()
    assert [path for path in cache.iterdir() if path.is_dir()] == []


def test_it_is_fetched_once_in_one_version(cache: Path) -> None:
    makes = "cp package.json seen.json; mkdir -p node_modules/@asyncapi/parser"
    program(cache, "npm", f"echo x >> {cache.parent}/calls; {makes}")
    folder = parser_folder()
    assert (folder, folder.parent) == (parser_folder(), cache)
    assert (cache.parent / "calls").read_text() == "x\n"
    (version,) = json.loads((folder / "seen.json").read_text())["dependencies"].values()
    assert version[0].isdigit()


def test_what_the_parser_cannot_say_is_no_judgement(cache: Path) -> None:
    program(cache, "npm", "mkdir -p node_modules/@asyncapi/parser")
    program(cache, "node", "echo broken >&2; exit 7")
    with pytest.raises(Missing, match="broken"):
        judge(HERE / "package.json")
    said = {"said": [{"severity": 0, "code": "c", "message": "m", "path": "a/b"}], "counts": None}
    program(cache, "node", f"echo '{json.dumps(said)}'")
    found = judge(HERE / "package.json")
    assert (found.channels, [each.path for each in found.errors]) == (0, ["a/b"])
