"""Where a planted identity number can be read, found without any help of the product."""

import contextlib
import io
import logging
import re
import unicodedata
from collections.abc import Iterator

from prometheus_client import generate_latest
from structlog.testing import capture_logs

from tests.fuzz.edits import NUMBERS

_REGION = "999999"
_OLD = re.compile("|".join(rf"(?<![0-9A-Z]){n[:6]}{n[8:17]}(?![0-9A-Z])" for n in NUMBERS))


def readable(text: str) -> bool:
    """Whether one of the numbers can be read in a text, in full-width digits and with blanks between them as well."""
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    closed = "".join(folded.split()).upper()
    if _REGION not in closed:  # all of them begin so
        return False
    if any(n in closed for n in NUMBERS):
        return True
    return _OLD.search(closed) is not None


def readable_bytes(raw: bytes | None) -> bool:
    """The same of a message."""
    return bool(raw) and readable((raw or b"").decode("utf-8", "replace"))


def metrics_readable() -> bool:
    """Whether a number can be read in what this process shows as metrics."""
    return readable(generate_latest().decode())


class Said(logging.Handler):
    """Everything said meanwhile, before the product's own redaction: structlog, logging, both outputs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.out, self.lines, self.events = io.StringIO(), list[str](), list[object]()

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        self.lines.append(f"{record.getMessage()} {record.exc_text or ''}")

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([self.out.getvalue(), *self.lines, *map(str, self.events)])


@contextlib.contextmanager
def listening() -> Iterator[Said]:
    """Hears what is logged and printed inside the block."""
    said, root = Said(), logging.getLogger()
    root.addHandler(said)
    try:
        with contextlib.redirect_stdout(said.out), contextlib.redirect_stderr(said.out), capture_logs() as events:
            yield said
            said.events += events
    finally:
        root.removeHandler(said)
