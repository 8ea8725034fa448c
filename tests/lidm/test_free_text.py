"""Whatever people say in their own words on the command line is refused where it names somebody by number."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from lidm.free_text import FreeText
from lidm.main import GROUPS, main
from tests.gateway.people import number

OWN_WORDS = {"--reason", "--note", "--statement", "--purpose", "--evidence", "--to", "--actor", "--by"}
NOT_WORDS = {("kpi", "--to"), ("backtest", "--to"), ("report", "--to")}  # a month, days
CALLS = [
    "rejected show x --reason",
    "rejected replay x --reason",
    "rejected aside x --reason",
    "feed resume medical.settlement --reason",
    "feed hold release b-1 --reason",
    "detectors stop MED-SELFPAY --area 339901000000 --reason",
    "case storm release MED-SELFPAY 2026-05-01 --reason",
    "feed hold refuse b-1 --reason",
    "topics accept-gap intake --messages 3 --reason",
    "gateway open x --out y --reason",
    "roster sign r --area 339901000000 --by 王某 --note",
    "roster sign r --area 339901000000 --by",
    "case refer 1 --to 医保局:医疗救助 --note",
    "case verify 1 --result need --evidence",
    "case contest 1 --statement",
    "case contact 1 --purpose",
]


@pytest.mark.parametrize("call", CALLS)
def test_a_number_in_a_reason_is_refused_before_anything_happens(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("sys.argv", ["lidm", *call.split(), f"visit:已向本人 {number(1)} 核实"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, "证件号码" in said.err) == (2, True), said
    assert number(1) not in said.out + said.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("call", ["rejected replay x --reason", "rejected aside x --reason"])
def test_a_reason_that_is_needed_is_more_than_blanks(
    call: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["lidm", *call.split(), "  "])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, "须写明理由" in capsys.readouterr().err) == (2, True)


def test_no_option_for_own_words_is_left_out() -> None:
    plain = [
        f"{' '.join(path)} {option.opts[0]}"
        for path, option in _options()
        if OWN_WORDS & set(option.opts)
        and (path[0], option.opts[0]) not in NOT_WORDS
        and not isinstance(option.type, FreeText | click.Choice)
    ]
    assert plain == []


def _options() -> Iterator[tuple[tuple[str, ...], click.Option]]:
    """Every option of every command, with the words that call it."""
    waiting: list[tuple[tuple[str, ...], click.Command]] = [
        ((name,), import_module(f"lidm.commands.{name}").command) for name in GROUPS
    ]
    while waiting:
        path, command = waiting.pop()
        yield from ((path, each) for each in command.params if isinstance(each, click.Option))
        if isinstance(command, click.Group):
            waiting += [((*path, name), each) for name, each in command.commands.items()]
