"""A publisher's rehearsal: the embedded service with one file of one feed, in a folder that is gone afterwards.

Without a roster everybody in the file counts as registered, so that what would be understood can be seen at all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from gateway.courier import Courier
from gateway.events import Envelope, Parsed
from gateway.identities import Linkage
from gateway.keys import KeyFiles, init_keys
from gateway.mapping import Mapping
from gateway.problems import BadRows, RowProblem
from gateway.publish import publish_file
from gateway.publisher import BrokerPublisher
from gateway.roster import load_roster
from gateway.rows import open_rows
from gateway.vault import Vault
from lidm.embedded import Embedded, embedded
from lidm.settings import Settings
from lidm.uses import Use, uses_of
from schemas.feed import FEEDS, FeedSpec
from streams.metrics import METRICS

_AREA = "339901001000"
_SOURCE = "urn:lidm:sandbox"
_FIRST_DAY = "2000-01-01"


@dataclass
class SandboxReport:
    """What became of the file."""

    feed: str
    title: str
    rows: int = 0
    refused: int = 0
    sent: int = 0
    understood: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    out_of_scope: int = 0
    persons: int | None = None
    roster: str | None = None
    detectors: list[Use] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        said = {**self.__dict__, "problems": [problem.as_json() for problem in self.problems]}
        said["detectors"] = [dict(use.__dict__) for use in self.detectors]
        return said


def rehearse(
    settings: Settings,
    path: Path,
    spec: FeedSpec,
    *,
    recorded: datetime,
    mapping: Mapping | None = None,
    roster: Path | None = None,
) -> SandboxReport:
    """Runs the file through the service. Raises CallError and DataError as publishing does."""
    report = SandboxReport(spec.kind, spec.title, roster=roster.name if roster else None)
    report.detectors = uses_of(spec.kind)
    with TemporaryDirectory(prefix="lidm-sandbox-") as folder, _service(settings, Path(folder)) as (service, keys):
        linkage = keys.linkage_of()
        with BrokerPublisher(service.broker, embedded=True) as way:
            if roster is None:
                report.persons = _register(path, spec, mapping, linkage, way, recorded)
            else:
                with Vault(Path(folder) / "vault.sqlite", bytes.fromhex(keys.vault.read_text().strip())) as vault:
                    load_roster(roster, publisher=way, linkage=linkage, vault=vault, recorded=recorded)
        service.wait_quiet()
        before = _counts(spec.kind)
        with BrokerPublisher(service.broker, embedded=True) as way:
            done = publish_file(
                path, spec.kind, publisher=way, linkage=linkage, recorded=recorded, mapping=mapping, source=_SOURCE
            )
        service.wait_quiet()
        after = _counts(spec.kind)
    report.rows, report.refused, report.sent = done.receipt.read, done.receipt.bad, done.receipt.sent
    report.problems = list(done.problems)
    report.out_of_scope = after["out"] - before["out"]
    report.rejected = {code: n for code in after if code.isupper() and (n := after[code] - before.get(code, 0))}
    report.understood = report.sent - report.out_of_scope - sum(report.rejected.values())
    return report


@contextmanager
def _service(settings: Settings, folder: Path) -> Iterator[tuple[Embedded, KeyFiles]]:
    keys = init_keys(folder / "keys", synthetic=True)
    changes = {"data_dir": folder, "broker": None, "log_level": "error", "clock": "wall", "vault_file": None,
               "linkage_key_file": None, "seal_public_key_file": None, "http_port": 0}  # fmt: skip
    with embedded(settings.model_copy(update=changes), clock="wall", announce=False) as service:
        yield service, keys


def _register(
    path: Path, spec: FeedSpec, mapping: Mapping | None, linkage: Linkage, way: BrokerPublisher, recorded: datetime
) -> int:
    """Everybody in the file as a household of one."""
    household = FEEDS["civil.household"]
    courier = Courier(way, household.topic, Envelope(household.kind, _SOURCE, recorded))
    met: set[str] = set()
    with open_rows(path, spec, linkage, BadRows(None), mapping) as rows:
        for found in rows:
            if isinstance(found, RowProblem) or found.person in met:
                continue
            met.add(found.person)
            courier.carry(found.person, _alone(found.person, recorded))
    courier.end(close=False, at=recorded)
    return len(met)


def _alone(person: str, recorded: datetime) -> bytes:
    """The membership of somebody who lives alone."""
    declared = dict.fromkeys(("hukou_area", "residence_area", "responsible_area", "incident_area"), _AREA)
    data = {"household": f"h_{person[2:]}", "relation": "HEAD", "valid_from": _FIRST_DAY, "declared": declared}
    row = Parsed(0, person, msgspec.json.encode(data), _FIRST_DAY)
    return Envelope("civil.household", _SOURCE, recorded).event(row)


def _counts(feed: str) -> dict[str, int]:
    from schemas.labels import ProblemCode

    said = {"out": int(METRICS.value("lidm_events_out_of_scope_total", feed=feed))}
    for code in ProblemCode:
        said[code.value] = int(METRICS.value("lidm_events_rejected_total", feed=feed, code=code.value))
    return said
