"""A rule on trial runs only where it is asked for."""

from detectors.registry import load_detectors, running
from load_tests.city.scenarios.catalogue import PLANTED


def test_a_rule_on_trial_runs_only_where_it_is_named() -> None:
    every = load_detectors()
    on_trial = {code for code, each in every.items() if each.trial}
    assert on_trial, "else this test says nothing"
    assert set(running()) == set(every) - on_trial
    assert set(running(("INCOME-LINE",))) == set(running()) | {"INCOME-LINE"}
    assert set(running(("*",))) == set(every)


def test_whatever_is_in_service_is_planted_in_the_city() -> None:
    households = {code for code, each in running().items() if each.about == "household"}
    assert households == set(PLANTED)
