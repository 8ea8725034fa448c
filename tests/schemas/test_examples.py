"""An example is what its place says: valid ones become facts, invalid ones the problem they are named after."""

import json
from pathlib import Path

import jsonschema
import pytest

from schemas.envelope import Delivery, Manifest, Problem
from schemas.examples_of import EXAMPLES, KNOWN_AT_MS, example_event
from schemas.feed import FEEDS
from schemas.generate import FOLDER, generated, manifest_schema, schema_of

# What JSON Schema cannot say: sums, clocks, identity numbers, order of dates, which item needs which field.
BEYOND_SCHEMA = {"sum_mismatch", "future_date", "too_old", "plain_identity"}


def examples(kind: str) -> list[pytest.param]:  # type: ignore[valid-type]
    """Files of `valid` or `invalid` with the feed they belong to."""
    files = sorted(EXAMPLES.glob(f"*/v*/{kind}/*.json"))
    assert files
    feeds = [f"{path.parents[2].name}.{path.parents[1].name}" for path in files]
    return [pytest.param(feed, path, id=f"{feed}-{path.stem}") for feed, path in zip(feeds, files, strict=True)]


@pytest.mark.parametrize(("feed", "path"), examples("valid"))
def test_valid_example_is_accepted(feed: str, path: Path) -> None:
    outcomes = FEEDS[feed].decode(path.read_bytes(), KNOWN_AT_MS)
    assert outcomes
    assert all(isinstance(outcome, Delivery | Manifest) for outcome in outcomes), outcomes
    parsed = json.loads(path.read_text())
    for event in parsed if isinstance(parsed, list) else [parsed]:
        schema = manifest_schema() if event["type"].startswith("lidm.batch") else schema_of(FEEDS[feed])
        jsonschema.Draft202012Validator(schema).validate(event)


@pytest.mark.parametrize(("feed", "path"), examples("invalid"))
def test_invalid_example_is_the_problem_it_is_named_after(feed: str, path: Path) -> None:
    outcomes = FEEDS[feed].decode(path.read_bytes(), KNOWN_AT_MS)
    assert [type(outcome) for outcome in outcomes] == [Problem]
    assert isinstance(outcomes[0], Problem)
    assert outcomes[0].code == path.stem.split("-")[0].upper(), outcomes
    assert outcomes[0].message_zh


@pytest.mark.parametrize("feed", [spec.name for spec in FEEDS.every])
def test_every_feed_has_examples_of_both_kinds_and_every_field_an_example(feed: str) -> None:
    version = f"v{FEEDS[feed].version}"
    assert list((EXAMPLES / FEEDS[feed].kind / version / "valid").glob("*.json"))
    assert list((EXAMPLES / FEEDS[feed].kind / version / "invalid").glob("*.json"))
    required = [each for each in FEEDS[feed].fields if each.required]
    assert all(each.example is not None or each.parts for each in required)
    assert all(each.label and not each.label.isascii() for each in FEEDS[feed].fields)
    assert isinstance(FEEDS[feed].decode(json.dumps(example_event(FEEDS[feed])).encode(), KNOWN_AT_MS)[0], Delivery)


def test_generated_files_are_current() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert committed == generated(), "run `python -m schemas.generate`"


@pytest.mark.parametrize(("feed", "path"), examples("invalid"))
def test_schema_refuses_what_a_schema_can_see(feed: str, path: Path) -> None:
    code = path.stem.split("-")[0]
    between_fields = path.stem in {
        "bad_field-order", "bad_field-mixed_signs", "bad_field-declared_not_head", "missing_field-declared",
        "missing_field-due_on", "missing_field-until",
    }  # fmt: skip
    seen_by_shape = path.stem in {"plain_identity-subject"}
    between_fields = between_fields or "-between_" in path.stem
    if code == "not_json" or between_fields or (code in BEYOND_SCHEMA and not seen_by_shape):
        return
    validator = jsonschema.Draft202012Validator(
        schema_of(FEEDS[feed]), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    assert not validator.is_valid(json.loads(path.read_text()))
