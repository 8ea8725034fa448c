"""The table of `docs/feeds.md`, as models and catalogue have it; `python -m tests.schemas.feed_rows` writes it."""

from pathlib import Path

from schemas.feed import FEEDS, FeedSpec
from schemas.topics import Catalogue, Entry

PAGE = Path(__file__).resolve().parents[2] / "docs" / "feeds.md"
EVERY = {"day": "daily", "week": "weekly", "month": "monthly"}
SCOPES = {"registered": "registered", "over_line": "registered, and over the line", "all": "everybody"}


def rows() -> list[str]:
    """One line per version of a feed."""
    entries = Catalogue.load().entries
    return [_row(spec, entries[spec.topic]) for spec in FEEDS.every]


def _row(spec: FeedSpec, entry: Entry) -> str:
    assert entry.cadence is not None
    assert entry.scope is not None
    key = ", ".join(field.label for field in spec.fields if field.key)
    person = "" if spec.fact.keyed_alone else "person, "
    closes = {None: "", "day": ", closes days", "month": f", closes the month by day {entry.cadence.by_day}"}
    place = "page" if spec.fact.paged else "head"
    cells = (
        f"`{spec.name}`", spec.title, entry.owner, person + key, place, SCOPES[entry.scope.watch],
        EVERY[entry.cadence.every] + closes[entry.cadence.closes],
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def rewritten(page: str) -> str:
    """The page with its table as it should be."""
    lines = page.splitlines()
    places = [at for at, line in enumerate(lines) if line.startswith("| `")]
    return "\n".join([*lines[: places[0]], *rows(), *lines[places[-1] + 1 :]]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
