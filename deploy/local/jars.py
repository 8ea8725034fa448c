"""Kafka's jars, downloaded once per machine through Maven into a cache folder."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.local.errors import Missing

POM = Path(__file__).with_name("pom.xml")
DOWNLOAD_SECONDS = 900


def cache_folder() -> Path:
    """Where downloads stay: LIDM_CACHE, else `lidm` in the user's cache folder."""
    if chosen := os.environ.get("LIDM_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lidm"


def kafka_libs() -> Path:
    """Folder with every jar the broker needs, complete. Raises Missing when it is not there and cannot be fetched.

    The folder is named after the POM's digest, so that a changed POM downloads anew. A machine without Internet
    gets the cache folder copied from one that has it.
    """
    cache = cache_folder()
    target = cache / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    if target.exists():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _download(target)
    return target


def _download(target: Path) -> None:
    if shutil.which("mvn") is None:
        raise Missing("没有找到 mvn（Maven），无法下载 Kafka：python -m deploy.local install")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="kafka-") as scratch:
        pom = Path(scratch) / "pom.xml"
        shutil.copyfile(POM, pom)
        libs = Path(scratch) / "libs"
        command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={libs}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
        if done.returncode or not list(libs.glob("kafka_*.jar")):
            raise Missing(f"Kafka 下载失败：\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        libs.replace(target)
