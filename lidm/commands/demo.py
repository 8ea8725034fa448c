"""`lidm demo`: the whole service and an invented city, every planted episode compared with what came out."""

import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from detectors.registry import load_detectors
from gateway.keys import init_keys
from lidm.contacts import Contacts
from lidm.settings import Settings, load_settings
from lidm.stores import open_store
from lidm.ways_in import keys_of, linkage_of, vault_of
from load_tests.city.broker import BrokerService
from load_tests.city.driver import Driver
from load_tests.city.driver import Progress as Stand
from load_tests.city.figures import Figures, Scope, figures_of
from load_tests.city.planner import City, Config
from load_tests.city.truth import Report
from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.cases import CaseEvent, ContactOpenedBody
from schemas.errors import CallError, DataError, Stop
from schemas.topics import Catalogue
from sinks.store import AlertStore

MARK = "demo.json"
SHOWN = 20
_OWN = ("store", "city", "faust", "keys", "run", "vault.sqlite", "vault.sqlite-wal", "vault.sqlite-shm")


@dataclass(frozen=True)
class Stage:
    """Where the demo runs: a broker that is up, and the store its archive writes to."""

    settings: Settings
    broker: str
    partitions: int
    embedded: bool
    store: AlertStore
    process: BaseProcess | None = None


@click.command("demo")
@click.option("--households", default=5_000, show_default=True, help="户数")
@click.option("--months", default=14, show_default=True, help="模拟的月数")
@click.option("--seed", default=1, show_default=True, help="随机种子：相同种子得到同一座城市")
@click.option("--attach", is_flag=True, help="接到已在运行的服务（须为 LIDM_CLOCK=driven）")
@click.option("--exit", "leave", is_flag=True, help="演示完即结束，不留服务")
@click.option("--json", "as_json", is_flag=True, help="标准输出最后一行为一个 JSON 对象")
def command(households: int, months: int, seed: int, attach: bool, leave: bool, as_json: bool) -> None:
    """整套服务加一座虚构的城市：人、地区、文件都是编造的。"""
    console = Console(stderr=as_json)
    began = time.monotonic()
    settings = load_settings()
    if not attach:
        _fresh_folder(settings.data_dir)
    with _attached(settings) if attach else _embedded(settings) as stage:
        console.print(f"星河市（虚构）：{households:,} 户，{months} 个月，种子 {seed}；数据目录 {settings.data_dir}")
        figures = _play(stage, Config(households, months, seed), console, began)
        if as_json:
            click.echo(json.dumps(asdict(figures), ensure_ascii=False))
            sys.stdout.flush()
        if not leave and not attach:
            _stay(console, stage)
    if not figures.clean:
        raise DataError("结果与计划不符，见上")


def _play(stage: Stage, config: Config, console: Console, began: float) -> Figures:
    settings = stage.settings
    city = City(config, settings.data_dir / "city")
    with ExitStack() as stack:
        service = stack.enter_context(BrokerService(stage.broker, stage.partitions, embedded=stage.embedded))
        vault = stack.enter_context(vault_of(settings))
        contacts = stack.enter_context(Contacts(settings.vault, settings.keys_dir))
        told = stack.enter_context(_progress(console))
        scope = Scope(settings.data_dir)
        before = stage.store.counts()
        linkage, bundle = linkage_of(settings), Bundle.load(settings.policy_dir)
        driver = Driver(
            city, service, linkage, vault, bundle,
            open_contact=lambda event, actor: _open(contacts, event, actor), told=told,
        )  # fmt: skip
        report = driver.run()
        alerts = service.alerts()
        figures = figures_of(
            driver, report, alerts, service, scope.out_of_scope, before, stage.store.counts(), time.monotonic() - began
        )
    _say(console, driver, report, alerts, figures)
    return figures


@contextmanager
def _embedded(settings: Settings) -> Iterator[Stage]:
    from lidm.embedded_process import embedded_process

    with ExitStack() as stack:
        process = stack.enter_context(embedded_process(settings, clock="driven"))
        announced = load_settings().model_copy(update={"broker": None, "size": None, "clock": None})
        yield replace(stack.enter_context(_attached(announced)), process=process)


@contextmanager
def _attached(settings: Settings) -> Iterator[Stage]:
    if settings.effective_clock != "driven":
        raise CallError("所接服务不是由驱动程序走时：请以 LIDM_CLOCK=driven 启动（make up 与各 lidm worker）")
    if not keys_of(settings).linkage.exists():
        init_keys(settings.keys_dir, synthetic=True)
    if not keys_of(settings).synthetic:
        raise CallError("这个网关只接收真实证件号码；演示须用专门的数据目录（LIDM_DATA_DIR）")
    store = open_store(settings)
    try:
        partitions = Catalogue.partitions(settings.effective_size)
        yield Stage(settings, settings.bootstrap, partitions, settings.embedded, store)
    finally:
        store.close()


def _fresh_folder(folder: Path) -> None:
    """An empty data folder with its own keys. A folder that holds anything but an earlier demo is left alone."""
    if (folder / MARK).exists():
        for name in _OWN:
            path = folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    elif any(_holds_something(folder / name) for name in _OWN):
        raise CallError(f"{folder} 里已有别的数据，演示不会覆盖：请用 LIDM_DATA_DIR 另指一个目录")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(json.dumps({"note": "lidm demo 的数据目录，下次演示会清空"}, ensure_ascii=False) + "\n")
    init_keys(folder / "keys", synthetic=True)


def _holds_something(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()


def _open(contacts: Contacts, event: CaseEvent, actor: str) -> None:
    """The contact a case allowed is opened from the vault; who it is stays there."""
    if isinstance(event.body, ContactOpenedBody):
        persons = contacts.persons(event.household, everyone=False)
        contacts.open(persons, actor=actor, purpose=event.body.purpose, case_id=event.case_id, at_ms=event.at_ms)


@contextmanager
def _progress(console: Console) -> Iterator["_Told"]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Told(bar, console)


class _Told:
    """Shows the driver's progress: a bar on a terminal, a line a quarter elsewhere."""

    def __init__(self, bar: Progress, console: Console) -> None:
        self._bar, self._console = bar, console
        self._task = bar.add_task("星河市", total=None, text="")

    def __call__(self, stand: Stand) -> None:
        text = f"{stand.day} 文件 {stand.files} 行 {stand.rows:,} 个案 {stand.cases_opened} 办结 {stand.cases_closed}"
        self._bar.update(self._task, total=stand.weeks, completed=stand.week, text=text)
        if not self._console.is_terminal and stand.week % 13 == 0:
            self._console.print(text)


def _say(console: Console, driver: Driver, report: Report, alerts: list[Alert], figures: Figures) -> None:
    table = Table(title="计划的情形与结果", show_header=True)
    for heading in ("情形", "应有预警", "结果"):
        table.add_column(heading)
    missed = [scenario for scenario, _ in report.missed]
    wrong = [each.scenario for each in report.wrong_end]
    for scenario, count in sorted(driver.city.truth.by_scenario().items()):
        bad = missed.count(scenario) + wrong.count(scenario)
        table.add_row(scenario, str(count), "全部相符" if not bad else f"{bad} 条不符")
    console.print(table)
    for title, items in (
        ("遗漏", [f"{scenario}：{episode}" for scenario, episode in report.missed]),
        ("误报", [str(episode) for episode in report.false_alarms]),
        ("结局或起始日不符", [f"{each.scenario}：应为 {each.planned}，实为 {each.found}" for each in report.wrong_end]),
    ):
        for item in items[:SHOWN]:
            console.print(f"[bold]{title}[/bold] {item}")
    _say_figures(console, driver, figures)
    _say_one(console, alerts)


def _say_figures(console: Console, driver: Driver, figures: Figures) -> None:
    stand = driver.progress
    console.print(
        f"事件 {figures.events:,}，范围外 {figures.out_of_scope:,}，未受理 {figures.rejected:,}；"
        f"预警 {figures.alerts:,} 条，计划 {figures.planted}，遗漏 {figures.missed}，误报 {figures.false_alarms}"
    )
    console.print(
        f"个案 {stand.cases_opened} 件，办结 {figures.cases_closed}，经身份库联系家庭 {stand.contacts_opened} 次；"
        f"归档行数{'相符' if figures.rows_match else '不符'}；用时 {figures.seconds:.0f} 秒"
    )


def _say_one(console: Console, alerts: list[Alert]) -> None:
    """One alert, and the way from it to its rule, parameters, document and cases."""
    alert = next((each for each in alerts if each.state == "raised" and each.family == "risk"), None)
    if alert is None:
        return
    rule = f"{alert.family}/{load_detectors()[alert.detector].rule}"
    document = alert.threshold.document
    console.print(f"\n[bold]{alert.detector}[/bold] 新发：{alert.reason}")
    console.print(f"依据《{document.title}》{document.number or ''}；查看全部来龙去脉：lidm explain {alert.alert_id}")
    console.print(f"规则 detectors/{rule}.py，参数 policy/<区划>/{rule}.yaml，案例 detectors/{rule}.cases.yaml")


def _stay(console: Console, stage: Stage) -> None:
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    console.print(f"服务继续运行（消息服务 {stage.broker}，只在内存中）。另开终端可用 lidm alerts list；Ctrl-C 结束")
    while not done.wait(1):
        if stage.process is not None and not stage.process.is_alive():
            raise Stop("服务已停止，见上面的日志")


