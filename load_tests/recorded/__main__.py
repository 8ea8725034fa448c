"""`python -m load_tests.recorded FOLDER --households N --months M --seed S`: runs and records a city."""

import argparse
from pathlib import Path

from load_tests.recorded.run import CODES, Recording, Size


def main() -> None:
    """Fills an empty folder."""
    parser = argparse.ArgumentParser(prog="load_tests.recorded", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--households", type=int, required=True)
    parser.add_argument("--months", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rule", action="append", choices=CODES, help="only these go live")
    said = parser.parse_args()
    said.folder.mkdir(parents=True, exist_ok=True)
    Recording(Size(said.households, said.months, said.seed, tuple(said.rule or CODES)), said.folder).run()


if __name__ == "__main__":
    main()
