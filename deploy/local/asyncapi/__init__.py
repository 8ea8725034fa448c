"""AsyncAPI's own parser (Node), fetched once per machine into the cache folder, and what it says of a document."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import Missing
from deploy.local.jars import DOWNLOAD_SECONDS, cache_folder

HERE = Path(__file__).parent
_FILES = ("package.json", "judge.mjs")
_JUDGE_SECONDS = 240
_SEVERITIES = ("error", "warning", "information", "hint")


@dataclass(frozen=True)
class Remark:
    """One thing the parser says: how grave, which rule, what, where in the document."""

    severity: str
    code: str
    message: str
    path: str


@dataclass(frozen=True)
class Judgement:
    """What the parser made of a document; no channels and operations where it refused it."""

    remarks: tuple[Remark, ...]
    channels: int
    operations: int

    @property
    def errors(self) -> tuple[Remark, ...]:
        """What makes the document invalid."""
        return tuple(each for each in self.remarks if each.severity == "error")


def parser_folder() -> Path:
    """Folder with the parser, complete. Raises Missing when it is not there and cannot be fetched.

    Named after the digest of what it is made of, so that another version is fetched anew. A machine without Internet
    gets the cache folder copied from one that has it.
    """
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    target = cache_folder() / f"asyncapi-{digest}"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "asyncapi.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _download(target)
    return target


def judge(document: Path) -> Judgement:
    """What AsyncAPI's parser says of a document and the files it refers to. Raises Missing without node."""
    folder = parser_folder()
    command = [_program("node"), str(folder / "judge.mjs"), str(document.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_JUDGE_SECONDS, check=False)
    if done.returncode:
        raise Missing(f"AsyncAPI 解析器没有运行：\n{done.stderr[-2000:]}")
    said = json.loads(done.stdout)
    counts = said["counts"] or {"channels": 0, "operations": 0}
    remarks = (Remark(**{**each, "severity": _SEVERITIES[each["severity"]]}) for each in said["said"])
    return Judgement(tuple(remarks), counts["channels"], counts["operations"])


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"没有找到 {name}（Node），AsyncAPI 文件没有校验：python -m deploy.local install --tests")
    return found


def _download(target: Path) -> None:
    npm = _program("npm")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="asyncapi-") as scratch:
        folder = Path(scratch) / "parser"
        folder.mkdir()
        for name in _FILES:
            shutil.copyfile(HERE / name, folder / name)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
            capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode or not (folder / "node_modules" / "@asyncapi" / "parser").is_dir():
            raise Missing(f"AsyncAPI 解析器下载失败：\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        folder.replace(target)
