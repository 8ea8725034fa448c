"""`python -m load_tests.mutants`: how many small faults in the rules and the ledger no test would notice.

A sample is drawn of all places that can be wrong. Prints what survived. Exit: 0 enough noticed, 1 too little.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from queue import SimpleQueue

from load_tests.mutants.places import Mutant, drawn
from load_tests.mutants.trial import Reach, survives

ROOMS = ("detectors", "households")
TESTS = ("tests/detectors", "tests/households")
ENOUGH = 0.85
_Z = 1.96


@dataclass(frozen=True)
class Verdict:
    """What became of a sample. `at_least`: the lower end of Wilson's 95 % interval; `survived` names every survivor."""

    drawn: int
    noticed: int
    share: float
    at_least: float
    survived: tuple[str, ...]


def judge(root: Path, count: int, seed: int, jobs: int) -> Verdict:
    """Draws faults, tries each; `root` is a checkout, of which committed files are tried."""
    sample = drawn(root, ROOMS, count, seed)
    with tempfile.TemporaryDirectory(prefix="lidm-mutants-") as folder:
        trees = [_tree(root, Path(folder) / str(number)) for number in range(jobs)]
        reach = Reach(trees[0], ROOMS, TESTS)
        free: SimpleQueue[Path] = SimpleQueue()
        for tree in trees:
            free.put(tree)

        def tried(mutant: Mutant) -> bool:
            tests, tree = reach.tests(mutant), free.get()
            try:
                return survives(tree, mutant, tests, reach.seconds(tests))
            finally:
                free.put(tree)

        with ThreadPoolExecutor(jobs) as pool:
            fates = list(pool.map(tried, sample))
    survivors = tuple(_said(root, mutant) for mutant, survived in zip(sample, fates, strict=True) if survived)
    noticed = len(sample) - len(survivors)
    return Verdict(len(sample), noticed, noticed / len(sample), lowest(noticed, len(sample)), survivors)


def lowest(hits: int, of: int) -> float:
    """The lower end of Wilson's interval of a share, 95 %."""
    share, squared = hits / of, _Z * _Z
    spread = _Z * sqrt(share * (1 - share) / of + squared / (4 * of * of))
    return (share + squared / (2 * of) - spread) / (1 + squared / of)


def _tree(root: Path, to: Path) -> Path:
    to.mkdir()
    packed = subprocess.run(("git", "archive", "HEAD"), cwd=root, capture_output=True, check=True).stdout
    subprocess.run(("tar", "-x", "-C", str(to)), input=packed, check=True)
    return to


def _said(root: Path, mutant: Mutant) -> str:
    line = (root / mutant.path).read_text(encoding="utf-8").splitlines()[mutant.line - 1].strip()
    return f"{mutant.path}:{mutant.line} {mutant.operator.rpartition('/')[2]} #{mutant.occurrence}: {line}"


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(words)
    verdict = judge(Path.cwd(), asked.count, asked.seed, asked.jobs)
    if asked.json:
        print(json.dumps(asdict(verdict), ensure_ascii=False))
    else:
        print(*verdict.survived, sep="\n")
        print(f"{verdict.noticed} of {verdict.drawn} noticed ({verdict.share:.1%}, at least {verdict.at_least:.1%})")
    return 0 if verdict.share >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
