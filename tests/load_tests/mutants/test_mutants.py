"""Faults are put where they can matter, one at a time, and what tests say of each is what comes out."""

import ast
import subprocess
from pathlib import Path

import pytest

from load_tests.mutants.__main__ import judge, lowest
from load_tests.mutants.places import drawn, mutated

RULE = '''"""A room."""

def above(amount: int | None, line: int = 5) -> bool:
    """Tested on both sides of the line."""
    return amount is not None and amount > line


def never_asked(amount: int) -> int:
    """Reached by no test."""
    return amount + 1
'''
TESTS = """
from detectors.rule import above

def test_above():
    assert [above(each) for each in (None, 4, 5, 6)] == [False, False, False, True]
"""


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A checkout with one rule and its test."""
    for path, text in {
        "detectors/__init__.py": "", "detectors/rule.py": RULE, "households/__init__.py": "",
        "tests/__init__.py": "", "tests/detectors/__init__.py": "", "tests/detectors/test_rule.py": TESTS,
        "tests/households/__init__.py": "", "pyproject.toml": "",
    }.items():  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "t")):
        subprocess.run(("git", *words), cwd=tmp_path, check=True)
    return tmp_path


def test_a_fault_changes_one_line_that_still_reads_and_says_nothing_of_types(town: Path) -> None:
    faults = drawn(town, ("detectors",), 1_000, seed=1)
    assert len(faults) > 5
    for each in faults:
        changed = mutated(RULE, each)
        ast.parse(changed)
        differ = [n for n, (a, b) in enumerate(zip(RULE.splitlines(), changed.splitlines(), strict=True), 1) if a != b]
        assert differ == [each.line]
        assert "amount: int | None" in changed


def test_the_same_seed_draws_the_same_faults_and_another_others(town: Path) -> None:
    assert drawn(town, ("detectors",), 5, 1) == drawn(town, ("detectors",), 5, 1) != drawn(town, ("detectors",), 5, 2)


def test_what_no_test_reaches_survives(town: Path) -> None:
    before = (town / "detectors/rule.py").read_text(encoding="utf-8")
    verdict = judge(town, count=1_000, seed=1, jobs=1)
    lines = {each.split()[0] for each in verdict.survived}
    assert "detectors/rule.py:10" in lines
    assert "detectors/rule.py:5" not in lines
    assert verdict.noticed == verdict.drawn - len(verdict.survived) > 0
    assert (town / "detectors/rule.py").read_text(encoding="utf-8") == before


def test_the_lower_end_of_the_interval() -> None:
    assert lowest(85, 100) == pytest.approx(0.7672, abs=1e-4)
    assert lowest(0, 10) == pytest.approx(0, abs=1e-9)
