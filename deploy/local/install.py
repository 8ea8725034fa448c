"""Installs the programs of the local stack with the system's package manager, only those that are missing."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from deploy.local.errors import Missing

# program -> Debian package
SERVERS = {
    "java": "openjdk-17-jre-headless",
    "mvn": "maven",
    "clickhouse-server": "clickhouse-server",
    "clickhouse-client": "clickhouse-client",
}
# What only tests need: another Kafka client, and Node for AsyncAPI's own parser.
FOREIGN_CLIENTS = {"kcat": "kcat", "node": "nodejs", "npm": "npm"}


def missing(programs: dict[str, str]) -> list[str]:
    """Packages whose program is not on the path."""
    return sorted(package for program, package in programs.items() if shutil.which(program) is None)


def install(programs: dict[str, str] = SERVERS) -> list[str]:
    """Installs what is missing and names it. Raises Missing when that is not possible here."""
    packages = missing(programs)
    if not packages:
        return []
    advice = f"缺少软件包：{' '.join(packages)}。请用系统的软件包管理器安装"
    if shutil.which("apt-get") is None:
        raise Missing(advice)
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and shutil.which("sudo") is None:
        raise Missing(advice)
    _run([*as_root, "apt-get", "-qq", "update"], advice)
    _run([*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "--no-install-recommends",
          "install", *packages], advice)  # fmt: skip
    if still := missing(programs):
        raise Missing(f"安装后仍缺少：{' '.join(still)}")
    return packages


def _run(command: Sequence[str], advice: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{advice}\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
