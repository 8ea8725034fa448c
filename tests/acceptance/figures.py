"""Figures of acceptance runs: `docs/acceptance/<issue>.json`, each part with the commit it is of."""

import json
import os
import subprocess
from datetime import UTC, datetime
from typing import Any

from tests.conftest import repository

FOLDER = repository() / "docs" / "acceptance"


def noted(issue: int, part: str, figures: dict[str, Any]) -> None:
    """Writes the figures of one part, with the commit they are of. Changes not committed fail the run."""
    path, commit = FOLDER / f"{issue}.json", _commit()
    known = json.loads(path.read_text()) if path.exists() else {}
    head = {"commit": commit, "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}", "cores": os.cpu_count()}
    FOLDER.mkdir(exist_ok=True)
    path.write_text(json.dumps(known | {part: head | figures}, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def _commit() -> str:
    changed = [line for line in _git("status", "--porcelain").splitlines() if "docs/acceptance/" not in line]
    assert not changed, f"figures are of a commit, but these are not committed: {changed}"
    return _git("rev-parse", "HEAD").strip()


def _git(*words: str) -> str:
    return subprocess.run(("git", *words), cwd=repository(), capture_output=True, text=True, check=True).stdout
