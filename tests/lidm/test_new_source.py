"""The page about new sources works as written: its blocks are run in order in a copy of the source tree."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gateway.config import Upload

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "new-source.md"
BASH = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROOMS = ("schemas", "policy", "households", "detectors", "cases", "streams", "sinks", "gateway", "lidm", "deploy",
         "load_tests", "tests", "docs")  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The source as it is, to be changed."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=ignored)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def test_every_block_runs_and_nothing_but_what_it_names_is_touched(tree: Path) -> None:
    blocks = BASH.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) >= 6
    before = {path: path.read_bytes() for room in ROOMS for path in (tree / room).rglob("*.py")}
    environment = {name: said for name, said in os.environ.items() if not name.startswith("LIDM_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment |= {"PYTHONPATH": str(tree), "LIDM_DATA_DIR": str(tree / "data"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        ["bash", "-c", "set -eo pipefail\n" + "\n".join(blocks)],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    tail = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.returncode == 0, tail
    assert re.search(r"\d+ passed", done.stdout), tail
    assert (tree / "模板" / "legal.aid.接口文档.docx").exists()
    assert "法律援助" in (tree / "docs" / "feeds" / "index.html").read_text(encoding="utf-8")
    assert "feeds.legal.aid.v1" in (tree / "schemas" / "generated" / "asyncapi.yaml").read_text(encoding="utf-8")
    after = {path: path.read_bytes() for room in ROOMS for path in (tree / room).rglob("*.py")}
    changed = {str(path.relative_to(tree)) for path in after if after[path] != before.get(path)}
    assert changed == {"schemas/feeds/legal.py", "tests/schemas/natural_keys.py"}
    assert not re.search(r"999999(19|20)\d{9}[\dX]", done.stdout + done.stderr), "an identity number was shown"


def test_the_gateway_takes_the_configuration_of_the_page() -> None:
    (said,) = YAML.findall(PAGE.read_text(encoding="utf-8"))
    (department,) = Upload.model_validate(yaml.safe_load(said)["upload"]).departments
    assert department.mappings == {"utility.bill": Path("气费.mapping.yaml")}
