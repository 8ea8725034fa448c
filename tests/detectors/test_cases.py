"""Every case file of every detector holds; every detector has a dozen cases at least, four or more of them silent."""

from pathlib import Path

import pytest

import detectors
from detectors.casebook import CaseResult, case_files, detector_of, run_file
from detectors.registry import load_detectors

FOLDER = Path(detectors.__file__).parent
RESULTS = [result for path in case_files(FOLDER) for result in run_file(path)]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: f"{result.place} {result.case}")
def test_case(result: CaseResult) -> None:
    assert not result.problems, "\n".join(result.problems)


@pytest.mark.parametrize("code", sorted(load_detectors()))
def test_every_detector_has_enough_cases(code: str) -> None:
    files = [path for path in case_files(FOLDER) if detector_of(path).code == code]
    assert len(files) == 1
    results = run_file(files[0])
    assert len({result.case for result in results}) == len(results) >= 12
    assert sum(result.silent for result in results) >= 4
