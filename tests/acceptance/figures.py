"""Figures of an acceptance run: `docs/acceptance/<issue>.json`, of one commit and nothing else."""

import json
import os
import subprocess
from datetime import UTC, datetime
from typing import Any

from tests.conftest import repository

FOLDER = repository() / "docs" / "acceptance"


def noted(issue: int, what: str, figures: dict[str, Any]) -> None:
    """Adds figures under `what`. Those of other code are dropped; changes not committed fail the run."""
    path, commit = FOLDER / f"{issue}.json", _commit()
    known = json.loads(path.read_text()) if path.exists() else {}
    if known and _git("diff", "--name-only", known["commit"], commit, "--", ".", ":!docs"):
        known = {}
    known |= {"commit": commit, "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}", "cores": os.cpu_count(), what: figures}
    FOLDER.mkdir(exist_ok=True)
    path.write_text(json.dumps(known, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def _commit() -> str:
    changed = [line for line in _git("status", "--porcelain").splitlines() if "docs/acceptance/" not in line]
    assert not changed, f"figures are of a commit, but these are not committed: {changed}"
    return _git("rev-parse", "HEAD").strip()


def _git(*words: str) -> str:
    return subprocess.run(("git", *words), cwd=repository(), capture_output=True, text=True, check=True).stdout
