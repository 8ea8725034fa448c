"""Fixtures every test may ask for: a real broker, a real ClickHouse, an in-memory broker; and the session's manners."""

import contextlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from deploy.local import ClickHouseServer, KafkaBroker, Missing
from tests.hygiene import SocketGuard, leftovers, tag_session

REQUIRE_LIVE = os.environ.get("LIDM_TEST_REQUIRE_LIVE") == "1"
# A run that decides about a change draws the same examples each time; every other run looks for new ones.
settings.register_profile("repeatable", derandomize=True)
if REQUIRE_LIVE:
    settings.load_profile("repeatable")
KEPT_VARIABLES = {"LIDM_CACHE", "LIDM_TEST_REQUIRE_LIVE"}
BROKER_FIXTURES = {"kafka_broker", "clickhouse_server", "mock_broker"}
LIVE_FOLDERS = {"live", "acceptance"}
guard = SocketGuard()


def pytest_configure(config: pytest.Config) -> None:
    """Tags this session's processes, and forgets the settings of whoever runs it."""
    tag_session()
    for name in [name for name in os.environ if name.startswith("LIDM_") and name not in KEPT_VARIABLES]:
        del os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whatever lies in tests/live is live; acceptance tests run only when asked for by name."""
    chosen: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        if "live" in item.path.parts:
            item.add_marker(pytest.mark.live)
        wanted = item.get_closest_marker("acceptance") is None or "acceptance" in (config.option.markexpr or "")
        (chosen if wanted else left_out).append(item)
    items[:] = chosen
    if left_out:
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(autouse=True)
def no_sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test that opens a socket fails with the stack that did, even where the code swallowed the error."""
    if BROKER_FIXTURES & set(request.fixturenames) or LIVE_FOLDERS & {m.name for m in request.node.iter_markers()}:
        yield
        return
    with guard.closed() as attempts:
        yield
    if attempts:
        pytest.fail(f"a unit test opened a socket:\n{attempts[0]}", pytrace=False)


def unavailable(reason: Missing) -> None:
    """Skips a live test; fails it where nothing may be skipped."""
    if REQUIRE_LIVE:
        pytest.fail(f"LIDM_TEST_REQUIRE_LIVE=1, but: {reason}", pytrace=False)
    pytest.skip(f"live: {reason}")


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A real Kafka on loopback for the whole session. Tests choose topic and group names of their own."""
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"))
    try:
        broker.start()
    except Missing as reason:
        unavailable(reason)
    with contextlib.closing(broker):
        yield broker


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """A real ClickHouse on loopback for the whole session. Tests choose a database of their own."""
    server = ClickHouseServer(tmp_path_factory.mktemp("clickhouse"))
    try:
        server.start()
    except Missing as reason:
        unavailable(reason)
    with contextlib.closing(server):
        yield server


@pytest.fixture(scope="session")
def mock_broker() -> Iterator[str]:
    """Bootstrap address of librdkafka's in-memory broker, the one `lidm run --embedded` uses: 4 partitions a topic.

    It does not answer kafka-python's version questions: give `api_version=(2, 0)`.
    """
    import confluent_kafka

    owner = confluent_kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 3})
    brokers = owner.list_topics(timeout=10).brokers.values()
    yield ",".join(f"{b.host}:{b.port}" for b in brokers)
    owner.flush(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where nothing may be skipped, a skip is a failure."""
    report = yield
    if REQUIRE_LIVE and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although LIDM_TEST_REQUIRE_LIVE=1: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says loudly which live tests were skipped, and why."""
    skipped = [r for r in terminalreporter.getreports("skipped") if "live" in r.keywords]
    if not skipped:
        return
    terminalreporter.section("LIVE TESTS SKIPPED", sep="!", red=True, bold=True)
    reasons: dict[str, int] = {}
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} tests  {reason}")
    terminalreporter.write_line("Kafka and ClickHouse were not tried. `python -m deploy.local install` fetches them.")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the session when a process it started still runs, and ends that process."""
    left = leftovers()
    for process in left:
        with contextlib.suppress(psutil.Error):
            print(f"\nLEFT RUNNING by the tests: {process.pid} {' '.join(process.cmdline())[:200]}")
            process.kill()
    if left and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def repository() -> Path:
    """Top folder of the repository."""
    return Path(__file__).resolve().parent.parent
