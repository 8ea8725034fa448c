"""`lidm topics` against a real cluster: builds what is missing, mends what differs, never touches partition counts."""

import json
import time
import uuid
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.local import KafkaBroker
from lidm import cluster
from lidm.cluster import admin_of, apply, look
from lidm.commands.topics import command
from schemas.errors import CallError, DataError, Stop, Unreachable
from schemas.topics import Catalogue


@pytest.fixture
def catalogue() -> Catalogue:
    """Two topics of the catalogue under names of their own."""
    suffix = uuid.uuid4().hex[:8]
    entries = Catalogue.load().entries
    return Catalogue({f"{name}.{suffix}": entries[name] for name in ("alerts.v1", "households.state.v1")})


def wait_until(there: Callable[[], bool]) -> None:
    """Waits for what brokers acknowledge a moment before they know it."""
    deadline = time.monotonic() + 10
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_missing_topics_are_built_as_the_catalogue_says(kafka_broker: KafkaBroker, catalogue: Catalogue) -> None:
    with admin_of(kafka_broker.bootstrap) as admin:
        assert {state.standing for state in look(admin, catalogue, "trial", "wall")} == {"missing"}
        _, states = apply(admin, catalogue, "trial", "wall")
        assert [(state.standing, state.found) for state in states] == [("ok", 4), ("ok", 4)]
        # The driver's clock wants other timestamps: seen as a difference, and mended.
        assert {state.standing for state in look(admin, catalogue, "trial", "driven")} == {"differs"}
        _, states = apply(admin, catalogue, "trial", "driven")
        assert {state.standing for state in states} == {"ok"}


def test_a_changed_setting_is_named_and_mended(kafka_broker: KafkaBroker, catalogue: Catalogue) -> None:
    with admin_of(kafka_broker.bootstrap) as admin:
        apply(admin, catalogue, "trial", "wall")
        name = next(name for name in catalogue.names if name.startswith("alerts"))
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs={"retention.ms": "1000"})])
        wait_until(lambda: {state.standing for state in look(admin, catalogue, "trial", "wall")} == {"ok", "differs"})
        before, after = apply(admin, catalogue, "trial", "wall")
        assert [state.differences for state in before if state.name == name] == [
            {"retention.ms": ("2592000000", "1000")}
        ]
        assert {state.standing for state in after} == {"ok"}


def test_another_partition_count_stops_before_anything_is_done(kafka_broker: KafkaBroker, catalogue: Catalogue) -> None:
    with admin_of(kafka_broker.bootstrap) as admin:
        first = Catalogue({name: catalogue.entries[name] for name in catalogue.names[:1]})
        apply(admin, first, "trial", "wall")
        with pytest.raises(Stop, match="分区数"):
            apply(admin, catalogue, "county", "wall")
        assert [state.standing for state in look(admin, catalogue, "trial", "wall")] == ["ok", "missing"]


def test_more_copies_than_brokers_are_refused_before_anything_is_done(
    kafka_broker: KafkaBroker, catalogue: Catalogue
) -> None:
    with admin_of(kafka_broker.bootstrap) as admin:
        with pytest.raises(CallError, match=r"应存 3 份，集群只有 1 个节点.*LIDM_REPLICATION=1"):
            apply(admin, catalogue, "trial", "wall", 3)
        assert {state.standing for state in look(admin, catalogue, "trial", "wall", 3)} == {"missing"}
        apply(admin, catalogue, "trial", "wall", 1)
        few = look(admin, catalogue, "trial", "wall", 3)
        assert {state.differences["replication.factor"] for state in few} == {("3", "1")}
        assert {state.differences["min.insync.replicas"] for state in few} == {("2", "1")}
        cluster._set(admin, few[0])  # noqa: SLF001 - what apply does to a topic
        assert look(admin, catalogue, "trial", "wall", 3)[0].differences == few[0].differences  # still writable


def test_a_county_wants_three_copies_unless_told_otherwise(
    kafka_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path_factory.mktemp("data")))
    monkeypatch.setenv("LIDM_BROKER", kafka_broker.bootstrap)
    monkeypatch.setenv("LIDM_SIZE", "county")
    refused = CliRunner().invoke(command, ["apply"]).exception
    assert isinstance(refused, CallError)
    assert "LIDM_REPLICATION" in str(refused)


def test_commands_say_how_they_ended(
    kafka_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("LIDM_DATA_DIR", str(folder))
    monkeypatch.setenv("LIDM_BROKER", kafka_broker.bootstrap)
    listed = CliRunner().invoke(command, ["list", "--json"])
    assert set(json.loads(listed.output)) == set(Catalogue.load().entries)
    checked = CliRunner().invoke(command, ["check", "--json"])
    assert {row["topic"] for row in json.loads(checked.output)} == set(Catalogue.load().entries)
    assert checked.exception is None or isinstance(checked.exception, DataError)
    monkeypatch.setenv("LIDM_BROKER", "127.0.0.1:1")
    assert isinstance(CliRunner().invoke(command, ["check"]).exception, Unreachable)


def test_the_broker_in_memory_has_no_cluster_to_check(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("data")
    (folder / "run").mkdir()
    (folder / "run" / "service.json").write_text('{"mode": "embedded", "broker": "127.0.0.1:1", "pid": 1}')
    monkeypatch.setenv("LIDM_DATA_DIR", str(folder))
    monkeypatch.delenv("LIDM_BROKER", raising=False)
    assert isinstance(CliRunner().invoke(command, ["check"]).exception, CallError)
