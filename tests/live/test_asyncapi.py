"""The AsyncAPI document is judged by AsyncAPI's own parser, and the parser refuses what it should."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from deploy.local import Missing
from deploy.local.asyncapi import judge, parser_folder
from schemas.asyncapi import FILE
from schemas.generate import FOLDER
from tests.conftest import unavailable


@pytest.fixture(scope="module", autouse=True)
def parser() -> None:
    """The parser, or the reason why nothing was judged."""
    try:
        parser_folder()
    except Missing as reason:
        unavailable(reason)


def test_the_committed_document_has_no_error() -> None:
    found = judge(FOLDER / FILE)
    assert found.errors == ()
    assert {each.code for each in found.remarks} <= {"asyncapi-latest-version"}
    document = yaml.safe_load((FOLDER / FILE).read_text(encoding="utf-8"))
    assert (found.channels, found.operations) == (len(document["channels"]), len(document["operations"]))


def test_a_broken_document_is_refused_in_every_broken_place(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "generated"))
    document = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
    operations, channels = document["operations"], document["channels"]
    messages = document["components"]["messages"]
    operations["send.alerts.v1"]["channel"] = {"$ref": "#/channels/alerts.v9"}
    operations["send.cases.events.v1"]["messages"] = [{"$ref": "#/channels/alerts.v1/messages/message"}]
    messages["reports.feeds.v1"]["payload"] = {"$ref": "./nothing.schema.json"}
    channels["alerts.v1"]["bindings"]["kafka"]["partitions"] = "by_size"
    (folder / FILE).write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    refused = judge(folder / FILE)
    assert (refused.channels, refused.operations) == (0, 0)
    assert {
        "operations/send.alerts.v1/channel/$ref",
        "operations/send.cases.events.v1/messages/0",
        "components/messages/reports.feeds.v1/payload/$ref",
        "channels/alerts.v1/bindings/kafka/partitions",
    } <= {each.path for each in refused.errors}


def test_a_payload_that_is_no_schema_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "generated"))
    (folder / "cases.commands.v1.schema.json").write_text(json.dumps({"type": "nonsense"}))
    assert judge(folder / FILE).errors
