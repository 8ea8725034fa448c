"""Fairness report: rates by group with intervals, nothing that points at few, visits drawn again by their seed."""

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lidm import fairness_page
from lidm.fairness import LEAST, NOT_HELD, Breakdown, Report, Share, as_json, report, wilson
from lidm.population import Home, Person, Population
from sinks.found import Found

FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)
TOWNS = ("339901001000", "339901002000", "339901003000")
SETTINGS = {TOWNS[0]: "rural", TOWNS[1]: "urban"}


def home(n: int) -> str:
    return f"h_{n:032x}"


def person(n: int) -> str:
    return f"p_{n:032x}"


def living(sizes: tuple[int, ...], disabled: int = 0) -> Population:
    """Households of one person each, by town; the first of them disabled."""
    found = Population(LAST)
    for town, size in zip(TOWNS, sizes, strict=False):
        for _ in range(size):
            n = len(found.homes)
            found.homes[home(n)] = Home(town, n % 2 == 0, n < disabled, "其他")
            found.people[person(n)] = Person(home(n), 20 + n % 70, n < disabled, (None, "F", "M")[n % 3])
    return found


def alert(n: int, family: str = "risk", result: str | None = None, whose: int | None = None) -> Found:
    return Found(f"a{n}/{family}", home(n), None if whose is None else person(whose), family, result)


def made(population: Population, *found: Found, visits: int = 3, seed: str = "1", ever: tuple[int, ...] = ()) -> Report:
    known = {each.household for each in found} | {home(n) for n in ever}
    return report(
        population, found, known, first=FIRST, name=lambda code: code, setting=SETTINGS.get, seed=seed, visits=visits
    )


def by(told: Report, title: str) -> dict[str, dict[str, Share]]:
    (breakdown,) = [each for each in told.breakdowns if each.title == title]
    return {
        row.group: {"alerted": row.alerted, "confirmed": row.confirmed, "reviewed": row.reviewed}
        for row in breakdown.rows
    }


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (5, 10, 0.237, 0.763), (137, 1000, 0.117, 0.160)],
)
def test_wilson_by_the_book(count: int, of: int, low: float, high: float) -> None:
    assert wilson(count, of) == pytest.approx((low, high), abs=0.001)


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share(drawn: tuple[int, int]) -> None:
    count, of = drawn
    low, high = wilson(count, of)
    assert 0 <= low <= count / of <= high <= 1


def test_a_household_counts_once_however_often_it_was_alerted() -> None:
    told = made(living((40, 40)), *(alert(n % 10) for n in range(30)))
    assert told.all.alerted == Share(10, 80)
    assert by(told, "镇街")[TOWNS[0]]["alerted"] == Share(10, 40)
    assert by(told, "镇街")[TOWNS[1]]["alerted"] == Share(0, 40)


def test_need_is_counted_among_answers_only() -> None:
    results = ["need"] * 12 + ["no_need"] * 8 + ["unreachable"] * 7 + ["data_error", None]
    told = made(living((60,)), *(alert(n, result=result) for n, result in enumerate(results)))
    assert (told.all.alerted, told.all.confirmed) == (Share(29, 60), Share(12, 20))


def test_one_need_among_several_visits_is_a_need() -> None:
    several = [alert(n, result=result) for n in range(20) for result in ("no_need", "need" if n < 10 else "no_need")]
    assert made(living((40,)), *several).all.confirmed == Share(10, 20)


def test_reviews_stand_apart_from_help() -> None:
    told = made(living((60,)), *(alert(n, "review", "need") for n in range(9)), *(alert(n) for n in range(20, 40)))
    assert (told.all.alerted, told.all.reviewed, told.all.confirmed) == (Share(20, 60), Share(9, 60), Share(0, 0))


def test_people_count_by_alerts_about_them() -> None:
    told = made(living((30, 30), disabled=20), *(alert(n, whose=n) for n in range(12)), *(alert(n) for n in range(50)))
    assert by(told, "残疾") == {
        "持证残疾人": {"alerted": Share(12, 20), "confirmed": Share(0, 0), "reviewed": Share(0, 20)},
        "其他": {"alerted": Share(0, 40), "confirmed": Share(0, 0), "reviewed": Share(0, 40)},
    }


def test_few_are_hidden_and_cannot_be_worked_out() -> None:
    """Three of thirty in one town: with the sum of the towns shown, another town has to be hidden too."""
    told = made(living((30, 40, 50)), *(alert(n) for n in (0, 1, 2)), *(alert(n) for n in range(30, 41)))
    alerted = {town: row["alerted"] for town, row in by(told, "镇街").items()}
    assert alerted == {TOWNS[0]: Share(None, 30), TOWNS[1]: Share(11, 40), TOWNS[2]: Share(None, 50)}


def test_a_group_of_few_is_not_even_counted() -> None:
    alerted = {town: row["alerted"] for town, row in by(made(living((3, 40, 50))), "镇街").items()}
    assert alerted == {TOWNS[0]: Share(None, None), TOWNS[1]: Share(None, None), TOWNS[2]: Share(0, 50)}


sizes = st.tuples(*(st.integers(0, 30) for _ in TOWNS))
alerted = st.lists(st.integers(0, 89), max_size=60)


@given(sizes, alerted, st.sets(st.integers(0, 89)))
def test_nothing_shown_points_at_few(drawn: tuple[int, ...], whom: list[int], needs: set[int]) -> None:
    told = made(living(drawn, disabled=4), *(alert(n, result="need" if n in needs else "no_need") for n in whom))
    for breakdown in told.breakdowns:
        for row in breakdown.rows:
            for share in (row.alerted, row.confirmed, row.reviewed):
                assert share.of is None or share.of == 0 or share.of >= LEAST
                if share.counted is not None and share.of is not None:
                    assert share.counted not in range(1, LEAST)
                    assert share.of - share.counted not in range(1, LEAST)
        assert not alone(breakdown)


def alone(breakdown: Breakdown) -> bool:
    """Whether exactly one figure of a column is missing while another could have been hidden with it."""
    for column, part in product(("alerted", "confirmed", "reviewed"), ("counted", "of")):
        cells = [getattr(getattr(row, column), part) for row in breakdown.rows]
        others = [getattr(row, column) for row in breakdown.rows if getattr(getattr(row, column), part) is not None]
        if cells.count(None) == 1 and any(each.of for each in others):
            return True
    return False


def test_the_list_for_visits_is_drawn_again_by_its_seed_and_has_nobody_who_was_ever_alerted() -> None:
    population = living((40, 40))
    first, again, other = (made(population, alert(0), visits=10, seed=seed, ever=(1, 2)) for seed in "112")
    assert first.visits == again.visits != other.visits
    assert (first.silent, len(first.visits)) == (77, 10)
    drawn = {household for household, _ in first.visits}
    assert not drawn & {home(n) for n in (0, 1, 2)}
    assert drawn <= set(population.homes)
    assert len(made(population, visits=500).visits) == 80


def test_everybody_is_drawn_equally_often() -> None:
    population, times = living((20,)), dict.fromkeys(range(20), 0)
    for seed in range(600):
        for household, _ in made(population, visits=5, seed=str(seed)).visits:
            times[int(household[2:], 16)] += 1
    assert min(times.values()) > 100
    assert max(times.values()) < 200


def test_the_page_shows_rates_and_what_is_not_held_and_no_household() -> None:
    told = made(living((30, 40, 50)), *(alert(n, result="need") for n in range(12)), visits=7)
    page, text = fairness_page.page(told), fairness_page.text(told)
    for shown in (page, text):
        assert "12（10.0%）" in shown
        assert all(each in shown for each in NOT_HELD)
    assert "h_" not in page
    assert all(household in text for household, _ in told.visits)
    body = as_json(told)
    assert body["all"]["alerted"]["count"] == 12
    assert [each["household"] for each in body["visits"]] == [household for household, _ in told.visits]


def test_age_bands_come_in_their_order() -> None:
    population = living((80,))
    for n in range(80):
        population.people[person(n)] = Person(home(n), None if n > 74 else n, False)
    (bands,) = [each for each in made(population).breakdowns if each.title == "年龄段"]
    assert [row.group for row in bands.rows] == ["0至5岁", "6至15岁", "16至59岁", "60至79岁", "出生日期没有登记"]


def test_women_and_men_and_town_and_country_stand_apart_and_what_nobody_said_is_no_guess() -> None:
    told = made(living((30, 40, 50)), *(alert(n, whose=n) for n in range(60)))
    assert {group: row["alerted"] for group, row in by(told, "性别").items()} == {
        "女": Share(20, 40), "男": Share(20, 40), "没有登记": Share(20, 40),
    }  # fmt: skip
    assert {group: row["alerted"] for group, row in by(told, "城乡").items()} == {
        "乡村": Share(30, 30), "城镇": Share(30, 40), "区划没有写明": Share(0, 50),
    }  # fmt: skip
