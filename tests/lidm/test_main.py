"""What `lidm --help` says of a group is what the group does."""

import pytest

from lidm.commands import gateway, roster
from lidm.main import GROUPS, main


def test_help_says_what_the_gateway_and_the_roster_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["lidm", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    said = "".join(capsys.readouterr().out.split())
    for name, group in (("gateway", gateway.command), ("roster", roster.command)):
        assert GROUPS[name] == (group.help or "").removesuffix("。")
        assert GROUPS[name] in said
