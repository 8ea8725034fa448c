"""The house plan holds: imports point only downwards, and committed files name nothing of where they were written."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
# `~` stands where a word is cut, so that this file passes its own search.
FOREIGN = {
    "a registry host": (
        r"py~pi\.org", r"python~hosted\.org", r"repo\d?\.ma~ven", r"npm~js\.(org|com)", r"docker~\.io",
        r"index~-url", r"find~-links", r"mirror~s?\.\w",
    ),
    "a path of one machine": (r"(?<![\w.$])/(ro~ot|wor~k|ho~me|tm~p|op~t)/\w",),
    "a folder outside the repository": (
        r"\.\./sha~red", r"CONTRA~CT\.md", r"\bexem~plar\b", r"\b(records|design|domain|anchors|peers|faust)~\.md",
    ),
    "a tool of one workplace": (r"issues sh~ow", r"\bbuilder ~[A-H]\b", r"hooks/bef~ore-stop"),
}  # fmt: skip


def committed() -> list[Path]:
    """Every file git knows, or every file but caches where there is no repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [TOP / name for name in listed.stdout.split("\0") if name and (TOP / name).is_file()]


def test_rooms_import_only_downwards() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=TOP, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_is_packaged_and_checked() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    rooms = {p.parent.name for p in TOP.glob("*/__init__.py")} - {"tests"}
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == rooms
    assert set(project["tool"]["mypy"]["files"]) == rooms | {"tests"}
    assert set(project["tool"]["importlinter"]["root_packages"]) == rooms


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    pins = (TOP / "constraints.txt").read_text().splitlines()
    pinned = {_normal(line.split("==")[0]) for line in pins if "==" in line}
    names = {_normal(re.split(r"[<>=!~\[; ]", dependency)[0]) for dependency in wanted}
    assert names - pinned == set()


def test_constraints_hold_versions_and_nothing_else() -> None:
    lines = [line for line in (TOP / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[\w.\-]+==[\w.]+", line)] == []


def test_committed_files_name_nothing_of_where_they_were_written() -> None:
    found = []
    for path in committed():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for what, patterns in FOREIGN.items():
            for pattern in patterns:
                hits = re.finditer(pattern.replace("~", ""), text)
                found += [f"{path.relative_to(TOP)}: {what}: {hit[0]}" for hit in hits]
    assert found == []


@pytest.mark.parametrize("cut", ["at https://py~pi.org/simple", "see ../sha~red/x", "in /ro~ot/x", "`/wor~k/main`"])
def test_the_search_finds_what_it_should(cut: str) -> None:
    patterns = [pattern.replace("~", "") for several in FOREIGN.values() for pattern in several]
    assert any(re.search(pattern, cut.replace("~", "")) for pattern in patterns)


def test_every_module_says_what_it_promises() -> None:
    modules = [p for p in committed() if p.suffix == ".py" and p.name != "__init__.py" and "tests" not in p.parts]
    silent = [str(p.relative_to(TOP)) for p in modules if not p.read_text().startswith(('"""', "#!"))]
    assert silent == []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
