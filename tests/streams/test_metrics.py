"""The metric catalogue: every name has its labels, and no label can name a person."""

from pathlib import Path
from typing import get_args

import pytest
from prometheus_client import CollectorRegistry

from streams import metrics
from streams.metrics import CounterName, GaugeName, Metrics, TimeName

NAMES = (*get_args(CounterName), *get_args(GaugeName), *get_args(TimeName))


def test_labels_are_codes_never_people() -> None:
    used = {label for labels in metrics.LABELS.values() for label in labels}
    assert used <= {"feed", "code", "detector", "state", "lane", "type", "table", "stage", "topic"}
    assert set(metrics.LABELS) <= set(NAMES)
    assert set(metrics.BUCKETS) == set(get_args(TimeName))


def test_every_name_is_told_somewhere() -> None:
    catalogue = Path(metrics.__file__)
    rooms = (catalogue.parents[1] / room for room in ("streams", "lidm", "sinks"))
    code = "".join(path.read_text("utf-8") for room in rooms for path in room.rglob("*.py") if path != catalogue)
    assert not [name for name in NAMES if f'"{name}"' not in code]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_used_with_its_labels(name: str) -> None:
    ours = Metrics(CollectorRegistry())
    labels = dict.fromkeys(metrics.LABELS.get(name, ()), "x")
    if name in get_args(CounterName):
        ours.count(name, 2, **labels)  # type: ignore[arg-type]
        assert ours.value(name, **labels) == 2
        assert ours.total(name) == 2  # type: ignore[arg-type]
    elif name in get_args(GaugeName):
        ours.set(name, 3, **labels)  # type: ignore[arg-type]
        assert ours.value(name, **labels) == 3
    else:
        ours.time(name, 0.2, **labels)  # type: ignore[arg-type]
        assert ours.value(f"{name}_count", **labels) == 1


def test_wrong_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="label"):
        Metrics(CollectorRegistry()).count("lidm_alerts_total", person="p_1")
