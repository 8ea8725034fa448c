"""`python -m load_tests.checker`: runs a city through the service and works everything out a second time.

Prints for every rule how many households were checked, how many agree, and each difference; exit 1 where anything
differs or a rule found nobody. The run is made by `load_tests.recorded` in a process of its own; `--folder` of an
earlier run is only read.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from load_tests.checker.compare import verdict
from load_tests.checker.raw import Raw
from load_tests.checker.rules import RULES


def main(words: Sequence[str] | None = None) -> int:
    """0 where both say the same of everybody."""
    parser = argparse.ArgumentParser(prog="load_tests.checker", description=__doc__)
    parser.add_argument("--households", type=int, default=500)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the run is kept; an earlier one is read again")
    parser.add_argument("--rule", action="append", choices=sorted(RULES), help="only these rules")
    parser.add_argument("--lines", type=int, default=20, help="differences shown of each rule")
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as held:
        folder = said.folder or Path(held)
        if not (folder / "run.json").exists():
            record(folder, said.households, said.months, said.seed)
        verdicts = check(folder, said.rule or list(RULES))
    for one in verdicts:
        if said.json:
            continue
        print(f"{one.code}: {one.checked} households, {one.positive} with a breach at some time, "
              f"{one.episodes} episodes, {one.agreeing} agree, {one.differing} differ")  # fmt: skip
        print("".join(f"  {line}\n" for line in one.lines[: said.lines]), end="")
    if said.json:
        print(json.dumps([vars(one) for one in verdicts], ensure_ascii=False))
    return 1 if any(one.differing or not one.positive for one in verdicts) else 0


def check(folder: Path, codes: Sequence[str]) -> list[object]:
    """The verdict on each of these rules."""
    raw, area = Raw.read(folder), json.loads((folder / "run.json").read_text())["area"]
    return [verdict(code, *RULES[code], raw, area) for code in codes]


def record(folder: Path, households: int, months: int, seed: int) -> None:
    """Runs the service in a process of its own, so that nothing of it is in this one."""
    size = ["--households", str(households), "--months", str(months), "--seed", str(seed)]
    subprocess.run([sys.executable, "-m", "load_tests.recorded", str(folder), *size], check=True)


if __name__ == "__main__":
    sys.exit(main())
