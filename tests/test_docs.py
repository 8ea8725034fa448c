"""What the documents say exists: their links lead somewhere, their commands are commands, their targets are targets."""

import re
from pathlib import Path

import pytest

from lidm.main import GROUPS

TOP = Path(__file__).resolve().parent.parent
PAGES = sorted([*TOP.glob("*.md"), *TOP.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
COMMAND = re.compile(r"^\s*(?:\.venv/bin/)?lidm ([a-z]+)", re.MULTILINE)
TARGET = re.compile(r"(?:^\s*|`)make ([a-z]+)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_to_files(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_commands_and_targets_exist(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(), re.MULTILINE))
    assert set(COMMAND.findall(text)) - set(GROUPS) == set()
    assert set(TARGET.findall(text)) - targets == set()


def test_both_readmes_name_the_same_commands() -> None:
    english, chinese = ((TOP / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    for pattern in (COMMAND, TARGET):
        assert set(pattern.findall(english)) == set(pattern.findall(chinese))


ATTACK = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(tests/[^)]+\.py)\)")


def test_every_guarantee_names_tests_that_exist() -> None:
    rows = [line for line in (TOP / "docs" / "guarantees.md").read_text().splitlines() if re.match(r"\| \d", line)]
    assert len(rows) == 9
    for row in rows:
        attacks = ATTACK.findall(row)
        assert attacks, row[:60]
        for words, file in attacks:
            assert f"def test_{words.replace(' ', '_')}(" in (TOP / file).read_text(), (words, file)


def test_every_line_that_had_to_be_shown_names_tests_that_exist() -> None:
    page = (TOP / "docs" / "acceptance" / "README.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| Had")]
    assert len(rows) >= 11
    for row in rows:
        named = ATTACK.findall(row)
        assert named, row[:60]
        for words, file in named:
            assert f"def test_{words.replace(' ', '_')}(" in (TOP / file).read_text(), (words, file)
