"""The AsyncAPI document says what the catalogue, the wire and the services say."""

from typing import Any

import jsonschema
import pytest
import yaml

from gateway.identities import ID_TYPES as GATEWAY_TYPES
from gateway.identities import RESIDENT
from gateway.sealed import seal_identity
from schemas import asyncapi
from schemas.examples_of import example_event
from schemas.feed import FEEDS
from schemas.generate import FOLDER, schema_of
from schemas.sealing import new_key_pair
from schemas.topics import ALERTS, CASE_COMMANDS, CASE_EVENTS, FEED_REPORTS, PARTITIONS, REJECTED, Catalogue
from schemas.wire_schemas import ID_TYPES, sealed, wire_schemas
from streams.letters import REPLAYS_HEADER
from streams.rejected import Coordinates, dead_letters

CATALOGUE = Catalogue.load()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as committed."""
    said: dict[str, Any] = yaml.safe_load((FOLDER / asyncapi.FILE).read_text(encoding="utf-8"))
    return said


def test_every_topic_that_others_write_or_read_has_a_channel_and_an_operation(document: dict[str, Any]) -> None:
    ways_in = {name for name in CATALOGUE.names if name.startswith(("feeds.", "inbox.")) and name != REJECTED}
    outside = ways_in | {CASE_COMMANDS} | {ALERTS, CASE_EVENTS, REJECTED, FEED_REPORTS}
    assert set(document["channels"]) == outside
    assert any(name.startswith("inbox.") for name in outside)
    actions = {each["channel"]["$ref"].rpartition("/")[2]: each["action"] for each in document["operations"].values()}
    assert actions == {name: "receive" if name in ways_in | {CASE_COMMANDS} else "send" for name in outside}


def test_bindings_are_those_of_the_catalogue(document: dict[str, Any]) -> None:
    for name, channel in document["channels"].items():
        entry, kafka = CATALOGUE.entries[name], channel["bindings"]["kafka"]
        kept = -1 if entry.retention_days is None else entry.retention_days * 86_400_000
        assert kafka["topicConfiguration"]["retention.ms"] == kept
        assert kafka["partitions"] == PARTITIONS[asyncapi.DESCRIBED_SIZE]
        assert channel["title"] == entry.title
        assert (channel["x-catalogue"]["owner"], channel["x-catalogue"]["sensitivity"]) == (
            entry.owner,
            entry.sensitivity,
        )


def test_every_message_has_a_chinese_name_a_key_and_a_payload_that_exists(document: dict[str, Any]) -> None:
    for name, message in document["components"]["messages"].items():
        assert not message["title"].isascii()
        assert not message["description"].isascii()
        assert ("key" in message["bindings"]["kafka"]) != name.startswith("inbox."), name
        reference = message["payload"].get("$ref") or message["payload"].get("items", {}).get("$ref")
        assert name == REJECTED or (FOLDER / reference).is_file()


def test_examples_fit_their_schema(document: dict[str, Any]) -> None:
    for spec in FEEDS.every:
        message = document["components"]["messages"][spec.name]
        assert [each["payload"] for each in message["examples"]] == [example_event(spec)]
        jsonschema.Draft202012Validator(schema_of(spec)).validate(message["examples"][0]["payload"])


def test_no_server_is_a_real_one(document: dict[str, Any]) -> None:
    assert {server["host"] for server in document["servers"].values()} == {"{broker}"}


def test_the_headers_of_a_dead_letter_are_those_that_are_written() -> None:
    at = Coordinates("feeds.vital.death.v1", 0, 7, 1_782_792_000_000)
    _, public = new_key_pair()
    (letter,) = dead_letters("NOT_JSON", "", "不是", at, b"k", b"v", public, 4)
    assert [name for name, _ in letter.headers] == list(asyncapi.REJECTED_HEADERS)
    assert REPLAYS_HEADER in asyncapi.REPLAYS


def test_an_event_on_a_sealed_way_in_fits_the_schema_and_one_with_a_subject_does_not() -> None:
    spec = FEEDS["medical.settlement"]
    event = example_event(spec)
    schema = jsonschema.Draft202012Validator(sealed(schema_of(spec)))
    assert not schema.is_valid(event)
    del event["subject"]
    _, public = new_key_pair()
    event["sealedid"] = seal_identity(public, "999999196804010016", event["source"], event["id"])
    schema.validate(event)
    schema.validate({**event, "idtype": "passport"})
    assert not schema.is_valid({**event, "idtype": "driver"})
    assert set(ID_TYPES) == {RESIDENT, *GATEWAY_TYPES.values()}
    assert ID_TYPES[0] == RESIDENT


def test_every_field_beside_the_feeds_has_a_chinese_name() -> None:
    for topic, schema in wire_schemas().items():
        for part in [schema, *schema.get("$defs", {}).values()]:
            for name, said in part.get("properties", {}).items():
                assert not said["title"].isascii(), (topic, name)
