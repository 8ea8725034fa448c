"""`lidm feed report` from a real intake and archive: what was published is on the card, each row once after a kill."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from lidm.commands.feed_report import report_feeds
from load_tests.chaos.events import Pen, membership
from load_tests.chaos.lab import lab
from load_tests.chaos.workload import BORN, SINCE
from schemas.calendar import SHANGHAI

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
KIND = "employment.contribution"
PEN = Pen(datetime(2026, 5, 18, 12, tzinfo=SHANGHAI), 4)
PEOPLE = [f"p_{n:031x}0" for n in range(20)]


def test_every_row_is_on_the_card_once(tmp_path: Path) -> None:
    with lab(tmp_path / "lab", workers=("archive",)) as made:
        day = date(2026, 5, 18)
        home = [
            PEN.event("civil.household", f"m{n}", p, membership("h_" + "1" * 32, SINCE, "CHILD", BORN["CHILD"]), SINCE)
            for n, p in enumerate(PEOPLE)
        ]
        rows = [
            PEN.event(KIND, f"E{n}", PEOPLE[n % 20], {"month": "2026-04", "employer": f"E{n}", "base": 1}, day)
            for n in range(600)
        ]
        bad = [PEN.event(KIND, f"B{n}", PEOPLE[0], {"month": "2026-04"}, day) for n in range(5)]
        made.publish([*home, *rows, *bad])
        first = made.fleet.start("intake", failpoint="intake.after_outputs")
        first.wait(60)
        made.ready(made.fleet.start("intake"))
        made.quiet("intake", "archive")
        out = tmp_path / "out"
        done = CliRunner().invoke(
            report_feeds,
            ["--month", "2026-05", "--out", str(out), "--json"],
            env={"LIDM_DATA_DIR": str(made.settings.data_dir)},
        )
        assert done.exit_code == 0, done.output
        cards = {card["feed"]: card for card in json.loads(done.stdout)}
        assert cards.keys() == {KIND, "civil.household"}
        assert cards[KIND]["total"]["rows"] == 605
        assert cards[KIND]["refused"] == {"MISSING_FIELD": 5}
        assert cards[KIND]["matched_share"] == 1.0
        assert cards[KIND]["repeated_share"] == 0.0
        assert {p.suffix for p in out.iterdir()} == {".html", ".json", ".xlsx"}
