"""Every kind of mess comes out of a check, and of publishing, as what it is: nothing guessed, nothing made zero."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.check_report import CheckReport
from gateway.checking import check_file
from gateway.events import BatchPlan
from gateway.identities import Linkage
from gateway.mapping import load_mapping
from gateway.publish import publish_file, publish_nothing
from load_tests.mess.files import Mess, number
from load_tests.mess.forms import flood
from load_tests.mess.kinds import KINDS
from schemas.envelope import Delivery
from schemas.errors import LidmError
from schemas.feed import FEEDS
from tests.gateway.outlet import Outlet

RECORDED = datetime(2026, 6, 3, 9, tzinfo=UTC)
LINKAGE = Linkage(b"k" * 32, synthetic=True)


def check(mess: Mess) -> CheckReport:
    mapping = load_mapping(mess.mapping) if mess.mapping else None
    return check_file(mess.path, FEEDS[mess.feed], recorded=RECORDED, mapping=mapping, synthetic=True)


def publish(mess: Mess) -> Outlet:
    outlet = Outlet()
    mapping = load_mapping(mess.mapping) if mess.mapping else None
    publish_file(mess.path, mess.feed, publisher=outlet, linkage=LINKAGE, recorded=RECORDED, mapping=mapping)
    return outlet


def newest(outlet: Outlet) -> dict[str, Delivery]:
    """The fact of each key that counts, as ledgers decide: by version."""
    found: dict[str, Delivery] = {}
    for delivery in outlet.deliveries():
        key = f"{delivery.person}|{delivery.fact.key}"
        if key not in found or delivery.fact.version > found[key].fact.version:
            found[key] = delivery
    return found


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_check_finds_what_is_there_and_publishing_sends_the_rest(kind: int, tmp_path: Path) -> None:
    messes = KINDS[kind](tmp_path)
    assert messes
    for mess in messes:
        if mess.refused is not None:
            with pytest.raises(LidmError, match=mess.refused):
                check(mess)
            continue
        report = check(mess)
        seen = (report.good, dict(report.by_code), report.repeated)
        assert seen == (mess.good, dict(mess.codes), mess.repeated), (mess.name, [p.text for p in report.problems])
        assert mess.warned is None or any(mess.warned in warning for warning in report.warnings), mess.name
        if report.rows:
            assert len(publish(mess).deliveries()) == report.events


def test_every_kind_of_mess_is_here() -> None:
    flooded = {12}  # too large to be made for every check
    assert set(KINDS) | flooded == {*range(1, 14), 15}


def of_kind(kind: int, folder: Path) -> dict[str, Mess]:
    return {mess.name: mess for mess in KINDS[kind](folder)}


def test_what_a_reversal_names_is_gone_and_a_negative_bill_counts(tmp_path: Path) -> None:
    facts = [d.fact for d in newest(publish(of_kind(2, tmp_path)["signs"])).values()]
    assert sorted(fact.gone for fact in facts) == [False, False, False, True]
    assert sum(getattr(fact, "total_fen", 0) < 0 for fact in facts) == 2


def test_duplicates_are_one_fact_and_the_last_counts(tmp_path: Path) -> None:
    messes = of_kind(3, tmp_path)
    assert len(newest(publish(messes["bills twice"]))) == 10
    assert len(newest(publish(messes["three sources"]))) == 3


def test_order_in_the_file_does_not_matter(tmp_path: Path) -> None:
    events = publish(of_kind(4, tmp_path)["order"])
    found = {d.fact.key: d for d in newest(events).values()}
    assert found["S1"].fact.gone
    assert found["S2"].operation == "correct"


def test_every_spelling_of_a_number_is_one_of_two_people(tmp_path: Path) -> None:
    outlet = publish(of_kind(5, tmp_path)["spellings"])
    assert len({d.person for d in outlet.deliveries()}) == 2
    assert not any(part in outlet.text() for part in (number(17), number(17)[6:], number(17)[:15]))


def test_units_become_fen_and_what_is_no_number_is_missing_never_zero(tmp_path: Path) -> None:
    data = [event["data"] for event in publish(of_kind(10, tmp_path)["three units"]).events()]
    assert [(each["base"], each["deposit"], each.get("withdrawn")) for each in data] == [
        (520_000, 62_400, 120_050),
        (520_000, 62_400, None),
        (520_000, 62_400, None),
        (520_000, 62_400, None),
    ]


def test_merged_cells_name_the_person_of_each_row_but_share_no_amount(tmp_path: Path) -> None:
    mess = of_kind(11, tmp_path)["merged cells"]
    assert [d.person for d in publish(mess).deliveries()] == [LINKAGE.person(number(n)) for n in (1, 1, 3)]
    assert "合并" in check(mess).problems[0].reason


def test_a_dated_cell_and_a_serial_number_are_the_same_day(tmp_path: Path) -> None:
    days = {event["data"]["settled_on"] for event in publish(of_kind(11, tmp_path)["workbook"]).events()}
    assert days == {"2026-05-14"}


def test_a_flood_is_checked_and_published_in_bounded_memory(tmp_path: Path) -> None:
    path = flood(tmp_path / "flood.csv", 60_000)
    program = (
        "from datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from gateway.checking import check_file\nfrom gateway.identities import Linkage\n"
        "from gateway.publish import publish_file\nfrom gateway.resume import Keeping\nfrom schemas.feed import FEEDS\n"
        "class Nowhere:\n"
        "    def partitions(self, topic): return 4\n"
        "    def send(self, *message): pass\n"
        "    def flush(self): pass\n"
        f"path, at = Path({str(path)!r}), datetime(2026, 6, 3, 9, tzinfo=UTC)\n"
        "report = check_file(path, FEEDS['medical.settlement'], recorded=at, synthetic=True)\n"
        "done = publish_file(path, 'medical.settlement', publisher=Nowhere(), recorded=at,\n"
        f"    linkage=Linkage(bytes(32), synthetic=True), keeping=Keeping(Path({str(tmp_path / 'j')!r})))\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(report.good, done.receipt.sent, int(status.split('VmHWM:')[1].split()[0]) // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    good, sent, megabytes = map(int, done.stdout.split())
    assert (good, sent) == (60_000, 60_000)
    assert megabytes < 120


@pytest.mark.parametrize("written", ["\ufffd", "\\ufffd", "\\uFFFD"])
def test_a_character_lost_before_us_is_told_and_makes_no_key(tmp_path: Path, written: str) -> None:
    """Two numbers that lost a character each would be one."""
    said = check(of_kind(11, tmp_path)["lost characters"])
    assert ["医疗机构编码" in p.column and "丢失" in p.reason for p in said.problems] == [True]
    path = tmp_path / "lost.jsonl"
    path.write_text(f'{{"identity": "{number(1)}", "id": "殡-{written}"}}\n', encoding="utf-8")
    report = check_file(path, FEEDS["vital.death"], recorded=RECORDED, synthetic=True)
    assert dict(report.by_code) == {"BAD_ENCODING": 1}


def test_silence_is_said_not_guessed(tmp_path: Path) -> None:
    for mess in KINDS[13](tmp_path):
        if mess.refused is None:
            assert check(mess).rows == 0
            with pytest.raises(LidmError, match="nothing-happened"):
                publish(mess)
    outlet = Outlet()
    plan = BatchPlan("2026-05", ("339901000000",))
    publish_nothing("medical.settlement", publisher=outlet, recorded=RECORDED, batch=plan)
    assert {m.nothing_happened for m in outlet.manifests()} == {True}
