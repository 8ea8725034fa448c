"""What a publisher's base install can do: everything but the vault, Excel and new keys."""

import subprocess
import sys
from pathlib import Path

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


def test_new_keys_name_the_extra_they_need() -> None:
    program = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from gateway.keys import new_seal_pair\nfrom schemas.errors import CallError\n"
        "try:\n    new_seal_pair()\nexcept CallError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert "lidm[gateway]" in done.stdout
