"""Where a module can be slightly wrong, and how: Cosmic Ray's operators, at most one fault at a place.

Left out is what no test can notice: annotations, a decorator that only remembers, identity in place of equality.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

_SAME = ("RemoveDecorator", "_Is_Eq", "_Eq_Is", "_IsNot_NotEq", "_NotEq_IsNot")
Place = tuple[int, int]
"""Line and column."""


class Mutant(NamedTuple):
    """A module with one fault: the operator's so-manieth occurrence, on a line."""

    path: str
    operator: str
    occurrence: int
    line: int


def drawn(root: Path, rooms: tuple[str, ...], count: int, seed: int) -> list[Mutant]:
    """One fault at each of so many places of the rooms, every place as likely as any other."""
    random = Random(seed)
    modules = sorted(path.relative_to(root) for room in rooms for path in (root / room).rglob("*.py"))
    everywhere = [faults for path in modules for _, faults in sorted(_faults(root, str(path)).items())]
    chosen = random.sample(everywhere, min(count, len(everywhere)))
    return sorted(random.choice(faults) for faults in chosen)


def mutated(source: str, mutant: Mutant) -> str:
    """The module's text with the fault in it."""
    changed = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
    if changed is None:
        raise ValueError(f"no such fault: {mutant}")
    return str(changed)


def _faults(root: Path, path: str) -> Mapping[Place, list[Mutant]]:
    source = (root / path).read_text(encoding="utf-8")
    said = _annotations(source)
    found: dict[Place, list[Mutant]] = {}
    tree = get_ast(source)
    for name, operator in _operators():
        positions = (start for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node))
        for occurrence, (line, column) in enumerate(positions):
            if (line, column) not in said:
                found.setdefault((line, column), []).append(Mutant(path, name, occurrence, line))
    return found


@cache
def _operators() -> tuple[tuple[str, Any], ...]:
    classes = ((name, get_operator(name)) for name in operator_names() if not name.endswith(_SAME))
    return tuple((name, each()) for name, each in classes if not each.arguments())


def _annotations(source: str) -> frozenset[Place]:
    """Every position inside what is said of types."""
    nodes = ast.walk(ast.parse(source))
    return frozenset(place for node in nodes for said in _said_of(node) for place in _within(said))


def _said_of(node: ast.AST) -> Iterator[ast.expr]:
    for name in ("annotation", "returns"):
        said = getattr(node, name, None)
        if isinstance(said, ast.expr):
            yield said


def _within(node: ast.expr) -> Iterator[Place]:
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    for line in range(node.lineno, end[0] + 1):
        first = node.col_offset if line == node.lineno else 0
        last = end[1] if line == end[0] else 200
        yield from ((line, column) for column in range(first, last))
