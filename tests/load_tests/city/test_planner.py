"""The planner keeps its own promises: same seed same bytes, quiet background, plausible files, lines as in policy."""

import csv
import hashlib
import tracemalloc
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest

from gateway.identities import Linkage
from load_tests.city.calendar import Span
from load_tests.city.lines import load_lines
from load_tests.city.people import Numbers
from load_tests.city.planner import City, Config, Delivery
from load_tests.city.scenarios.catalogue import PLANTED, SCENARIOS
from load_tests.city.scenarios.medical import stretches
from policy.bundle import Bundle

ROOT = Path(__file__).resolve().parents[3]
SMALL = Config(households=60, months=14, seed=7)


def written(config: Config, folder: Path) -> tuple[City, list[Delivery]]:
    city = City(config, folder)
    deliveries = [city.roster(), *(each for week in city.weeks() for each in week.deliveries)]
    return city, deliveries


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[City, list[Delivery]]:
    return written(SMALL, tmp_path_factory.mktemp("city"))


def read_csv(delivery: Delivery) -> list[dict[str, str]]:
    with delivery.path.open(encoding="gb18030", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_writes_the_same_bytes(small: tuple[City, list[Delivery]], tmp_path: Path) -> None:
    again = written(SMALL, tmp_path)[1]
    for one, other in zip(small[1], again, strict=True):
        assert (one.batchid, one.at, one.rows) == (other.batchid, other.at, other.rows)
        if one.path.suffix != ".xlsx":  # a workbook holds the time it was made
            assert hashlib.sha256(one.path.read_bytes()).digest() == hashlib.sha256(other.path.read_bytes()).digest()


def test_a_city_goes_live_with_the_detectors_it_plants_and_no_other(small: tuple[City, list[Delivery]]) -> None:
    assert {each.detector for each in small[0].truth.expected} == set(PLANTED)


def test_every_monthly_feed_closes_every_month_by_its_day(small: tuple[City, list[Delivery]]) -> None:
    city, deliveries = small
    closed: dict[str, list[str]] = defaultdict(list)
    for delivery in deliveries:
        if delivery.closes:
            closed[delivery.feed].append(delivery.closes)
            assert delivery.at.day <= 10
    months = [f"{city.span.month(n):%Y-%m}" for n in range(SMALL.months)]
    assert len(closed) == 7
    assert all(periods == months for periods in closed.values())


def test_quiet_households_stay_under_sixty_percent_of_the_medical_line(tmp_path: Path) -> None:
    city, deliveries = written(Config(households=300, months=14, seed=3), tmp_path)
    owner = {person.identity: home for home in city.background for person in home.members}
    spent: dict[int, Counter[date]] = defaultdict(Counter)
    for delivery in deliveries:
        if delivery.feed == "medical.settlement":
            for row in read_csv(delivery):
                home = owner.get(row["证件号码"])
                if home is not None:
                    paid = round(float(row["目录内个人自付(元)"]) * 100)
                    spent[home.number][date.fromisoformat(row["结算日期"])] += paid
    assert spent
    for home in city.background:
        line = city.lines.medical_fen(home.scheme) * 60 // 100
        assert not stretches(spent[home.number].items(), line, city.span.last_tick)


def test_quiet_households_stay_under_sixty_percent_of_the_rigid_ratio(small: tuple[City, list[Delivery]]) -> None:
    city, _ = small
    for home in city.background:
        assert home.income_fen is not None
        rigid = city.lines.standard_fen() * len(home.members) * 12
        rigid += city.lines.medical_budget_fen(home.scheme) * 11 // 10
        assert rigid * 10_000 < home.income_fen * 12 * city.lines.rigid_percent * 60


def test_volumes_are_those_of_a_real_city(tmp_path: Path) -> None:
    city, _ = written(Config(households=1000, months=12, seed=2), tmp_path)
    months = sum(len(home.members) for home in city.background) * 12
    assert 0.75 < city.counts.rows["medical.settlement"] / months < 1.0
    assert 0.2 < city.counts.rows["employment.contribution"] / months < 0.5
    assert 0.5 < city.counts.rows["civil.benefit"] / months < 1.0
    assert 0.07 < city.counts.rows["housing.security"] / (len(city.background) * 12) < 0.2


def test_identity_numbers_are_valid_and_belong_to_nobody(small: tuple[City, list[Delivery]]) -> None:
    linkage = Linkage(b"0" * 32, synthetic=True)
    numbers = [person.identity for home in small[0].households() for person in home.members]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert number.startswith("999999")
        assert linkage.number(number) == number


def test_a_birthday_runs_out_rather_than_repeat() -> None:
    numbers = Numbers()
    handed_out = {numbers.next(date(1950, 1, 1)) for _ in range(999)}
    assert len(handed_out) == 999
    with pytest.raises(ValueError, match="1950-01-01"):
        numbers.next(date(1950, 1, 1))


def test_every_scenario_is_planted_and_every_detector_has_both_kinds(small: tuple[City, list[Delivery]]) -> None:
    city, _ = small
    assert {script.scenario for script in city.scripts} == {scenario.name for scenario in SCENARIOS}
    truth = city.truth
    detectors = {"MED-SELFPAY", "RIGID-RATIO", "JOB-LOSS", "RENT-ARREARS", "MEMBER-DEATH", "DEATH-ON-BENEFIT"}
    assert {each.detector for each in truth.expected if each.ends == "in_force"} == detectors
    assert {each.ends for each in truth.expected} == {"in_force", "lapsed", "moved", "withdrawn"}


def test_a_short_simulation_keeps_the_scenarios_that_fit(tmp_path: Path) -> None:
    city = City(Config(households=60, months=8, seed=1), tmp_path)
    assert {script.scenario for script in city.scripts} == {each.name for each in SCENARIOS if each.months <= 8}
    with pytest.raises(ValueError, match="cannot hold"):
        City(Config(households=20, months=14, seed=1), tmp_path)


def test_the_planner_knows_the_lines_of_the_invented_city() -> None:
    lines = load_lines()
    policy = Bundle.load(ROOT / "policy").on(date(2025, 12, 1))
    medical = policy.rule("medical_selfpay", lines.city)
    page = lines.page["medical_selfpay"]
    assert dict(medical["line"]) == page["line"]  # type: ignore[arg-type]
    assert list(medical.words("subjects")) == page["subjects"]
    assert list(medical.words("windows")) == page["windows"]
    assert medical.word("counts") == page["counts"]
    rigid = policy.rule("rigid_ratio", lines.city)
    assert rigid.number("ratio") == lines.rigid_percent
    assert rigid.word("counts") == lines.page["rigid_ratio"]["counts"]
    assert rigid.number("smallest") == lines.page["rigid_ratio"]["smallest"]
    assert list(rigid.words("answered")) == lines.page["rigid_ratio"]["answered"]
    job = policy.rule("job_loss", lines.city)
    assert (job.number("silent_months"), job.number("stands_months")) == (
        lines.silent_months,
        lines.page["job_loss"]["stands_months"],
    )
    assert list(job.ages("working_age")) == lines.page["job_loss"]["working_age"]
    assert list(job.words("excused_by")) == lines.page["job_loss"]["excused_by"]
    assert policy.rule("rent_arrears", lines.city).number("periods") == lines.rent_periods
    assert policy.rule("member_death", lines.city).number("stands_months") == (
        lines.page["member_death"]["stands_months"]
    )
    paid = policy.rule("death_on_benefit", lines.city)
    assert paid.number("months") == lines.page["death_on_benefit"]["months"]
    assert list(paid.words("left_out")) == lines.page["death_on_benefit"]["left_out"]
    assert policy.standard("disposable_income_year", lines.city).value == lines.page["disposable_income_year"]


@pytest.mark.parametrize("day", [date(2023, 6, 30), date(2023, 7, 1), date(2026, 3, 1)])
def test_the_planner_knows_the_standard_of_every_day(day: date) -> None:
    lines = load_lines()
    found = Bundle.load(ROOT / "policy").on(day).standard("dibao_month", lines.city)
    assert found.value == lines.standard_fen(day)


def test_a_span_ticks_until_the_last_files_are_in() -> None:
    span = Span(date(2025, 1, 1), 14)
    weeks = list(span.weeks())
    assert weeks[0][1:] == (date(2025, 1, 1), date(2025, 1, 8))
    assert all(one[2] == other[1] for one, other in pairwise(weeks))
    assert (span.last_tick - span.end).days >= 21


def test_files_are_written_row_by_row_and_fast_enough(tmp_path: Path) -> None:
    city = City(Config(households=500, months=14, seed=4), tmp_path)
    began = process_time()
    tracemalloc.start()
    for _ in city.weeks():
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert city.counts.total > 25_000
    assert peak < 8_000_000, "rows are held"
    assert process_time() - began < 12.0  # a tenth of the demo's city, under a tracer that costs a factor of four
