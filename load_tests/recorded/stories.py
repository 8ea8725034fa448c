"""Restless households: everything the checked rules read happens to them at random, late, corrected, taken back.

The planned city is quiet except where something is planted, so that its truth is known. Here nobody knows what must
come out: the checker works it out. Two households make one story, because people move between them.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TextIO

from load_tests.city.calendar import Span
from load_tests.recorded.homes import homes
from load_tests.recorded.money import money
from load_tests.recorded.schooling import schooling
from load_tests.recorded.standing import standing
from load_tests.recorded.tell import Teller
from load_tests.recorded.treatment import treatment

CLOSED_HERE = (
    "medical.enrolment", "pension.payment", "housing.fund", "education.enrolment", "education.fee", "education.aid",
    "disability.certificate",
)  # fmt: skip
"""Feeds a planned city does not deliver and whose months must be closed nevertheless."""


class Stories:
    """All stories of a size and seed. `write()` once, then `week(number)` for every week in order."""

    def __init__(self, span: Span, households: int, seed: int, folder: Path) -> None:
        self._span, self._households, self._seed, self._folder = span, households, seed, folder

    def write(self) -> None:
        """Every story, sorted into the weeks its events arrive in."""
        self._folder.mkdir(parents=True, exist_ok=True)
        files: dict[int, TextIO] = {}

        def put(week: int, line: str) -> None:
            if week not in files:
                files[week] = self._path(week).open("w", encoding="utf-8")
            files[week].write(line + "\n")

        for number in range((self._households + 1) // 2):
            name = f"restless-{self._seed}-{number}"
            tell_story(Teller(self._span, put, Random(name), name))
        for file in files.values():
            file.close()

    def week(self, number: int) -> Iterator[bytes]:
        """The events that arrive in a week."""
        path = self._path(number)
        if path.exists():
            with path.open("rb") as file:
                yield from (line.rstrip(b"\n") for line in file)

    def _path(self, week: int) -> Path:
        return self._folder / f"week-{week:03d}.jsonl"


def tell_story(teller: Teller) -> None:
    """Two households, their members and what happens to each."""
    for home in homes(teller):
        for write in (treatment, money, standing, schooling):
            write(teller, home)
