"""`lidm run --embedded` as a process, and the files of a very small town for it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from load_tests.chaos.fleet import wait_until
from load_tests.city.people import REGION, check_digit
from tests.live.city import lidm

TOWN = "339901001000"
BILLS = "medical.settlement"


@dataclass
class Service:
    """A running service on its data folder."""

    folder: Path
    process: "subprocess.Popen[bytes]"

    @property
    def broker(self) -> str:
        """Where foreign clients find it."""
        return str(self._face()["broker"])

    @property
    def words(self) -> str:
        """What it has said on standard error."""
        return (self.folder / "service.err").read_text(errors="replace")

    def asked(self, page: str) -> str:
        """One of its loopback pages."""
        with urllib.request.urlopen(f"{self._face()['api']}/{page}", timeout=10) as answer:  # noqa: S310 - loopback
            said: bytes = answer.read()
            return said.decode()

    def counted(self, metric: str, **labels: str) -> int:
        """One counter, summed over what is not asked for."""
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        lines = [line for line in self.asked("metrics").splitlines() if line.startswith(f"{metric}{{")]
        return int(sum(float(line.rpartition(" ")[2]) for line in lines if all(each in line for each in wanted)))

    def call(self, *arguments: str) -> str:
        """A command on the same folder that must succeed."""
        code, out, err = lidm(self.folder, *arguments)
        assert code == 0, f"{arguments}: {code}\n{out[-800:]}\n{err[-2000:]}"
        return out

    def said(self, *arguments: str) -> Any:
        """The same with --json."""
        return json.loads(self.call(*arguments, "--json"))

    def stop(self) -> tuple[int, float]:
        """SIGTERM; exit code and seconds."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60), time.monotonic() - began

    def _face(self) -> dict[str, Any]:
        face: dict[str, Any] = json.loads((self.folder / "run" / "service.json").read_text())
        return face


@contextmanager
def service(folder: Path, *feeds: str) -> Iterator[Service]:
    """Starts it, with keys for invented people the first time; ends it by its pid whatever happens."""
    if not (folder / "keys").exists():
        assert lidm(folder, "gateway", "init", "--synthetic")[0] == 0
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    environment |= {"LIDM_DATA_DIR": str(folder)}
    face = folder / "run" / "service.json"
    face.unlink(missing_ok=True)  # of one that was killed
    with (folder / "service.out").open("ab") as out, (folder / "service.err").open("ab") as err:
        command = [sys.executable, "-m", "lidm.main", "run", "--embedded", *(f"--feed={feed}" for feed in feeds)]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=err)
    try:
        wait_until(lambda: face.exists() or process.poll() is not None, 60, "the service does not come up")
        assert process.poll() is None, (folder / "service.err").read_text()[-2000:]
        yield Service(folder, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)


def number_of(person: int) -> str:
    """The invented identity number of a person."""
    born = f"{1950 + person % 40}{1 + person // 40 % 12:02d}{1 + person // 480 % 28:02d}"
    first = f"{REGION}{born}{1 + person // 13440:03d}"
    return first + check_digit(first)


def roster(path: Path, persons: range) -> Path:
    """Households of one."""
    head = "户号,与户主关系,姓名,证件号码,责任属地区划代码,核定月收入(元),救助类别,类别起,加入日期\n"
    rows = [f"T-{n},户主,示例{n},{number_of(n)},{TOWN},1800.00,低保,2024-01-01,2024-01-01\n" for n in persons]
    path.write_text(head + "".join(rows), encoding="gb18030")
    return path


def bills(path: Path, rows: int, persons: int, *, fen: int = 400, begin: int = 0) -> Path:
    """So many bills of so many persons in turn, all of yesterday."""
    day = (datetime.now(UTC) + timedelta(hours=8) - timedelta(days=1)).date().isoformat()
    with path.open("w", encoding="utf-8") as file:
        for n in range(rows):
            row = {
                "identity": number_of(n % persons), "id": f"b-{begin + n}", "settle_no": f"S{begin + n}",
                "settled_on": day, "visit": "OUTPATIENT", "hospital": "H33990100001", "total": fen + 600,
                "pooled_pay": 600, "critical_pay": 0, "aid_pay": 0, "account_pay": 0, "in_catalogue_self_paid": fen,
                "out_of_catalogue": 0,
            }  # fmt: skip
            file.write(json.dumps(row) + "\n")
    return path
