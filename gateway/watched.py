"""A watched folder, where departments drop files by SFTP: whole files only, each taken once, none left in plain.

Below the folder each feed has its own, and below that a department may have one of its name, which it must where
several produce the feed and a file is a batch. The name begins with month and areas: `2026-05_339901000000_x.csv`, with
`_replace` after the areas where the file is the whole month, `_snapshot` where it is everything there is. A name
without month is taken as single rows; one that means a month there is not (`2026-13_…`), areas that are none, or a
mode that is not written so (`_Replace`), is refused. A name that ends in `_again` is sent although the same file was
taken before.

What is whole is first moved to `.taking` beside it, which only the gateway reads: whatever comes under the same name
meanwhile is another file. What a killed run left there is taken again.
"""

import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

import structlog

from gateway.events import BatchPlan, Mode
from gateway.inbox import Arrival, Inbox, Taken
from gateway.sources import source_of
from schemas.errors import CallError
from schemas.feed import FEEDS
from schemas.free_text import reason_of

log = structlog.get_logger("lidm.gateway")
ASIDE_SECONDS = 60.0
TAKING = ".taking"
UNFINISHED = {".part", ".partial", ".tmp", ".filepart", ".crdownload", ".swp"}
_NAME = re.compile(r"(?P<period>\d{4}-\d{2})_(?P<areas>\d{12}(?:\+\d{12})*)(?P<mode>_replace|_snapshot)?(?:[_.]|$)")
_MODES: dict[str | None, Mode] = {None: "delta", "_replace": "replace_period", "_snapshot": "full_snapshot"}
_MEANT = re.compile(r"\d{4}-\d{1,2}_\d")
"""A name that wants to say a month and areas."""
_WORDS = ("replace", "snapshot")


@dataclass
class WatchedFolder:
    """Looks into the folder when asked; a file is whole once nothing of it changed since the look before."""

    folder: Path
    inbox: Inbox
    settle_seconds: float = 10.0
    now: Callable[[], float] = time.time
    mappings: dict[str, Path] = field(default_factory=dict)
    _seen: dict[Path, tuple[int, int, float]] = field(default_factory=dict)
    _aside: dict[Path, float] = field(default_factory=dict)

    def prepare(self) -> None:
        """Makes a folder for each feed."""
        for feed in FEEDS:
            (self.folder / feed).mkdir(parents=True, exist_ok=True)

    def look(self) -> list[Taken]:
        """Takes what is whole. Raises Unreachable when the broker is away: the file is taken by a later look.

        A file that cannot be read or deleted is set aside for a minute and holds up nobody else's.
        """
        taken = []
        for path in [*self._left(), *self._whole()]:
            feed, *inner = path.relative_to(self.folder).parts[:-1]
            department = next((name for name in inner if name != TAKING), "")
            try:
                path = self._claimed(path)
                done = self._take(path, feed, department)
            except OSError as error:
                log.error("file_set_aside", feed=feed, error=type(error).__name__)
                self._aside[path] = self.now() + ASIDE_SECONDS
                continue
            log.info("file_taken", name=done.name, state=done.state, way="folder")
            taken.append(done)
        return taken

    def _left(self) -> Iterator[Path]:
        """What was claimed and not yet taken: the broker was away, or the run was killed."""
        for path in sorted([*self.folder.glob(f"*/{TAKING}/*"), *self.folder.glob(f"*/*/{TAKING}/*")]):
            if not path.name.startswith(".") and self._aside.get(path, 0.0) <= self.now():
                yield path

    def _claimed(self, path: Path) -> Path:
        """Where the file now lies, out of reach of whoever sends others. Raises OSError where it cannot be read."""
        if path.parent.name == TAKING:
            return path
        path.open("rb").close()
        taking = path.parent / TAKING
        taking.mkdir(exist_ok=True, mode=0o700)
        self._seen.pop(path, None)
        return path.rename(taking / path.name)

    def _whole(self) -> Iterator[Path]:
        there: dict[Path, tuple[int, int, float]] = {}
        for path in sorted([*self.folder.glob("*/*"), *self.folder.glob("*/*/*")]):
            feed, *inner = path.relative_to(self.folder).parts
            if any(name.startswith(".") for name in inner):
                continue
            if path.suffix.lower() in UNFINISHED or feed not in FEEDS:
                continue
            try:
                said = path.lstat()
            except OSError:  # renamed or taken back since it was listed
                continue
            if not stat.S_ISREG(said.st_mode):
                continue
            before = self._seen.get(path)
            same = before is not None and before[:2] == (said.st_size, said.st_mtime_ns)
            since = before[2] if before is not None and same else self.now()
            there[path] = (said.st_size, said.st_mtime_ns, since)
            if self._aside.get(path, 0.0) > self.now() or (path.parent / TAKING / path.name).exists():
                continue
            if same and said.st_size and self.now() - since >= self.settle_seconds:
                yield path
        self._seen = there
        self._aside = {path: until for path, until in self._aside.items() if until > self.now()}

    def _take(self, path: Path, feed: str, department: str) -> Taken:
        again = path.stem.endswith("_again")
        arrival = Arrival(path, feed, "folder", "", None, self.mappings.get(feed), again)
        try:
            arrival = replace(arrival, department=reason_of(department))
            plan = plan_of(path.name)
            if plan is not None and not department and source_of(feed, "folder") != source_of(feed):
                raise CallError(f"{FEEDS[feed].title}由几家单位报送：成批的文件请投到 {feed}/本单位名称/ 下")
        except CallError as error:
            return self.inbox.refuse(arrival, error.message_zh)
        return self.inbox.take(replace(arrival, plan=plan))


def plan_of(name: str) -> BatchPlan | None:
    """What a file name says of its batch; None where it names no month.

    Raises CallError where it means a month and areas and gets them wrong: taken as single rows it would close nothing
    and nobody would know.
    """
    match = _NAME.match(name)
    if _wants_mode(name[match.end("mode") if match and match["mode"] else 0 :]):
        raise CallError(f"文件名里的方式写错：区划之后应为 {'、'.join(filter(None, _MODES))} 或不写，请改名后重新投递")
    if match is None:
        if _MEANT.match(name):
            raise CallError("文件名写错：应为 年-月_12位区划代码_说明，如 2026-05_339901000000_x.csv，请改名后重新投递")
        return None
    mode = _MODES[match["mode"]]
    try:
        return BatchPlan(match["period"], tuple(match["areas"].split("+")), mode)
    except CallError as error:
        raise CallError(f"文件名里的月份或区划不存在：{error.message_zh}，请改名后重新投递") from error


def _wants_mode(rest: str) -> bool:
    """Whether a word there means a mode: as an increment, such a file would close its month without ending anything."""
    said = rest.lower()
    near = (get_close_matches(word, _WORDS, cutoff=0.8) for word in re.findall(r"[a-z]+", said))
    return any(word in said for word in _WORDS) or any(near)
