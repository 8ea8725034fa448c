"""Runs the tests that reach a fault, the quick ones first, in a tree of its own."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from coverage import CoverageData

from load_tests.mutants.places import Mutant, mutated

PATIENCE = 5.0
"""A fault that makes tests so many times slower is noticed."""
LEAST_SECONDS = 60.0
_PYTEST = (
    "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist",
    "-p", "load_tests.mutants.unshrunk",
)  # fmt: skip
_RC = """
[run]
dynamic_context = test_function
source = {rooms}
data_file = {data}
"""


class Reach:
    """Which tests reach a line, and how long they take without a fault. Raises RuntimeError where they fail."""

    def __init__(self, tree: Path, rooms: Sequence[str], tests: Sequence[str]) -> None:
        self._tree = tree
        report, data, settings = tree / "report.xml", tree / "reach.coverage", tree / "reach.rc"
        settings.write_text(_RC.format(rooms=",".join(rooms), data=data), encoding="utf-8")
        words = ("-m", "coverage", "run", f"--rcfile={settings}", *_PYTEST, f"--junitxml={report}", *tests)
        done = subprocess.run((sys.executable, *words), cwd=tree, env=_environment(), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the tests fail without a fault:\n{done.stdout[-3000:]}")
        self._seconds = _seconds(report)
        self._data = CoverageData(str(data))
        self._data.read()

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that run the line; for one that is run while the module is read, all that run any of it."""
        lines = self._data.contexts_by_lineno(str(self._tree / mutant.path))
        reached = set(filter(None, lines.get(mutant.line, ())))
        if not reached:
            reached = {name for names in lines.values() for name in names if name}
        return sorted({_node(name) for name in reached}, key=lambda node: (self._seconds.get(node, 0.0), node))

    def seconds(self, tests: Sequence[str]) -> float:
        """How long they take without a fault."""
        return sum(self._seconds.get(node, 0.0) for node in tests)


def survives(tree: Path, mutant: Mutant, tests: Sequence[str], seconds: float) -> bool:
    """Whether every test passes with the fault in the tree; the tree is as before afterwards."""
    if not tests:
        return True
    path = tree / mutant.path
    source = path.read_text(encoding="utf-8")
    path.write_text(mutated(source, mutant), encoding="utf-8")
    try:
        done = subprocess.run(
            (sys.executable, *_PYTEST, *tests), cwd=tree, env=_environment(), capture_output=True,
            timeout=max(LEAST_SECONDS, PATIENCE * seconds), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    finally:
        path.write_text(source, encoding="utf-8")
    return done.returncode == 0


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "LIDM_TEST_REQUIRE_LIVE"}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"}


def _seconds(report: Path) -> Mapping[str, float]:
    found: dict[str, float] = defaultdict(float)
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        name = case.get("name", "").partition("[")[0]
        found[_node(f"{case.get('classname')}.{name}")] += float(case.get("time", 0))
    return found


def _node(name: str) -> str:
    """`tests.detectors.test_laws.test_x` as pytest calls it."""
    module, _, function = name.rpartition(".")
    return f"{module.replace('.', '/')}.py::{function}"
