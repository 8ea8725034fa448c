"""What a publisher's base install can do: everything but the vault, Excel and new keys."""

import subprocess
import sys
from pathlib import Path

import pytest

EXTRAS = ("cryptography", "openpyxl", "rich", "confluent_kafka", "faust", "aiokafka", "orjson", "snappy", "crc32c")


def test_the_publishing_side_imports_without_any_extra() -> None:
    block = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS!r}))"
    program = f"{block}; import lidm.commands.feed, lidm.commands.roster, lidm.commands.gateway, gateway.publish"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pages_of_all_feeds_are_written_without_any_extra(tmp_path: Path) -> None:
    block = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS!r}))"
    program = f"{block}; from lidm.commands.feed import command; command(['pages', '--out', {str(tmp_path)!r}])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").is_file()


def test_new_keys_name_the_extra_they_need(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from pathlib import Path\nfrom gateway.keys import init_keys\nfrom schemas.errors import CallError\n"
        f"try:\n    init_keys(Path({str(tmp_path / 'keys')!r}))\nexcept CallError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert "lidm[gateway]" in done.stdout
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    "use",
    [
        "from gateway.tables import open_table; open_table(path).__enter__()",
        "from gateway.template import write_excel; write_excel(path, FEEDS['vital.death'])",
        "from lidm.feed_report import write_excel; write_excel([], path)",
    ],
    ids=["read", "template", "report card"],
)
def test_excel_names_the_extra_it_needs(tmp_path: Path, use: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04")
    program = (
        "import sys; sys.modules['openpyxl'] = None\n"
        "from pathlib import Path\nfrom schemas.errors import CallError\nfrom schemas.feed import FEEDS\n"
        f"path = Path({str(path)!r})\ntry:\n    {use}\nexcept CallError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert "lidm[office]" in done.stdout, done.stderr


def test_the_list_of_commands_about_rules_needs_no_service() -> None:
    """Its last one does, and says so when it is called."""
    hidden = "import sys; sys.modules['zstandard'] = None; sys.argv[1:] = {}\nfrom lidm.main import main\nmain()"
    for words, told, code in ((["detectors", "--help"], "shadow", 0), (["detectors", "shadow", "list"], "service", 2)):
        done = subprocess.run(
            [sys.executable, "-c", hidden.format(words)], capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, told in done.stdout + done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr
