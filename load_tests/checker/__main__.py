"""`python -m load_tests.checker`: runs a city through the service and works everything out a second time.

Prints for every rule how many households were checked, how many agree, and each difference; exit 1 where anything
differs or a rule found nobody. The run is made by `load_tests.recorded` in processes of its own, `--jobs` of them, each
with its part of the households; `--folder` of an earlier run is only read, all parts of it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from load_tests.checker.compare import Verdict, verdict
from load_tests.checker.raw import Raw
from load_tests.checker.rules import RULES


def main(words: Sequence[str] | None = None) -> int:
    """0 where both say the same of everybody."""
    parser = argparse.ArgumentParser(prog="load_tests.checker", description=__doc__)
    parser.add_argument("--households", type=int, default=500)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="cities beside each other, each with its part")
    parser.add_argument("--folder", type=Path, help="where the run is kept; an earlier one is read again")
    parser.add_argument("--rule", action="append", choices=sorted(RULES), help="only these rules")
    parser.add_argument("--lines", type=int, default=20, help="differences shown of each rule")
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args(words)
    codes = said.rule or list(RULES)
    with tempfile.TemporaryDirectory() as held:
        folders = parts_of(said.folder or Path(held), said.jobs)
        record(folders, said.households, said.months, said.seed, codes)
        verdicts = [together(parts) for parts in zip(*(check(folder, codes) for folder in folders), strict=True)]
    if said.json:
        print(json.dumps([one.as_json() for one in verdicts], ensure_ascii=False))
    else:
        for one in verdicts:
            print("\n".join([one.said(), *(f"  {line}" for line in one.lines[: said.lines])]))
    return 1 if any(one.differing or not one.positive for one in verdicts) else 0


def parts_of(folder: Path, jobs: int) -> list[Path]:
    """The parts of an earlier run, finished or not; where there is none, as many as there are jobs."""
    kept = sorted((part for part in folder.glob("*") if part.name.isdigit()), key=lambda part: int(part.name))
    return kept or [folder / f"{part}" for part in range(jobs)]


def check(folder: Path, codes: Sequence[str]) -> list[Verdict]:
    """The verdict on each of these rules."""
    raw, area = Raw.read(folder), json.loads((folder / "run.json").read_text())["area"]
    return [verdict(code, *RULES[code], raw, area) for code in codes]


def together(parts: Sequence[Verdict]) -> Verdict:
    """One rule in all parts of a city."""
    first = parts[0]
    counts = {name: sum(getattr(part, name) for part in parts) for name in Verdict.COUNTS}
    return Verdict(first.code, **counts, lines=[line for part in parts for line in part.lines])


def record(folders: Sequence[Path], households: int, months: int, seed: int, codes: Sequence[str]) -> None:
    """Runs the service in processes of its own, so that nothing of it is in this one; what is there stays."""
    missing = [(n, folder) for n, folder in enumerate(folders) if not (folder / "run.json").exists()]
    rules = [word for code in codes for word in ("--rule", code)]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for n, folder in missing:
            size = ["--households", f"{households // len(folders)}", "--months", f"{months}", "--seed", f"{seed + n}"]
            words = [sys.executable, "-m", "load_tests.recorded", str(folder), *size, *rules]
            running.append(subprocess.Popen(words))
        ended = [each.wait() for each in running]
    finally:
        for each in running:
            each.kill()
            each.wait()
    if any(ended):
        raise SystemExit(3)


if __name__ == "__main__":
    sys.exit(main())
