"""Parameters read from their YAML files as plain data: nearest area first, newest date not after the day asked."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

POLICY = Path(__file__).resolve().parents[2] / "policy"
_FEN_PER_YUAN = 100


@cache
def page(area: str, path: str) -> dict[str, Any]:
    """A parameter file of an area, empty where there is none."""
    file = POLICY / area / f"{path}.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))) if file.exists() else {}


@cache
def parents() -> dict[str, str]:
    """Area to the area above it."""
    tree = yaml.safe_load((POLICY / "areas.yaml").read_text(encoding="utf-8"))
    return {str(code): str(entry["parent"]) for code, entry in tree.items() if "parent" in entry}


@cache
def ranks() -> dict[str, int]:
    """Schemes people hold, by rank; what is only paid out has none."""
    pages = yaml.safe_load((POLICY / "schemes.yaml").read_text(encoding="utf-8"))
    newest = {scheme: entry["ranks"][max(entry["ranks"])] for scheme, entry in pages.items()}
    return {scheme: rank for scheme, rank in newest.items() if rank is not None}


@cache
def value(path: str, name: str, area: str, day: date) -> dict[str, Any]:
    """The entry in force: its dated part over the place's own keys over the national ones. Raises LookupError."""
    keys = {k: v for k, v in page("national", path).get(name, {}).items() if k != "values"}
    where = area
    while where:
        entry = page(where, path).get(name)
        dated = {since: part for since, part in (entry or {}).get("values", {}).items() if since <= day}
        if entry is not None and dated:
            own = {k: v for k, v in entry.items() if k != "values"}
            return {**keys, **own, **dated[max(dated)], "since": max(dated)}
        where = parents().get(where, "")
    raise LookupError(f"{name} of {area} on {day}")


def fen(text: str | int) -> int:
    """`1000元` in fen."""
    return round(float(str(text).removesuffix("元")) * _FEN_PER_YUAN)
