"""The publisher guide works as written: from a housing department's Excel file to a row in the report card."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script() -> str:
    """Every block in order; whatever it started ends with it."""
    blocks = BLOCK.findall((ROOT / "docs" / "publisher-guide.md").read_text(encoding="utf-8"))
    assert len(blocks) >= 9
    return "set -eo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n" + "\n".join(blocks)


def test_the_mapping_in_the_guide_is_the_one_of_the_example() -> None:
    guide = (ROOT / "docs" / "publisher-guide.md").read_text(encoding="utf-8")
    example = (ROOT / "docs" / "examples" / "rent.mapping.yaml").read_text(encoding="utf-8")
    assert example.split("\n", 1)[1] in guide


@pytest.mark.timeout(290)
def test_every_block_of_the_guide_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["LIDM_DATA_DIR"] = str(tmp_path / "data")
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        ["bash", "-c", script()],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    tail = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.returncode == 0, tail
    assert "已关闭 2025-05" in done.stdout, tail
    assert (tmp_path / "模板" / "housing.security.接口文档.docx").exists()
    assert list((tmp_path / "报告单").glob("*.html"))
    left = [path for path in tmp_path.rglob("*") if path.is_file() and "docs" not in path.parts]
    texts = b"".join(path.read_bytes() for path in left if path.suffix in {".json", ".html", ".log", ".txt"})
    assert not re.search(rb"999999(19|20)\d{9}[\dX]", texts), "an identity number was written"
    assert not re.search(r"999999(19|20)\d{9}[\dX]", done.stdout + done.stderr), "an identity number was shown"
