"""A new kind of fact is one file: model, words, fact; everything else finds it."""

import subprocess
import sys
from pathlib import Path

FILE = '''"""Feeds of a library 图书馆: cards."""

from typing import Annotated, ClassVar

from schemas.fact import Fact
from schemas.feed import FactHead, FeedModel, Origin, field
from schemas.scalars import Day, Key


class Card(Fact, array_like=True, frozen=True, gc=False, tag="card"):
    """A reader's card. Key: card number."""

    branch: str

    feed: ClassVar[str] = "library.card"
    keyed_alone: ClassVar[bool] = True


class LibraryCard(FeedModel, kind="library.card", version=1, title="借书证", fact=Card):
    """A card handed out."""

    card_no: Annotated[Key, field("证号", key=True, example="T1")]
    issued_on: Annotated[Day, field("发证日期", example="2026-05-02")]
    branch: Annotated[Key, field("分馆", example="东馆")]

    def natural_key(self, origin: Origin) -> str:
        return self.card_no

    def day(self) -> int:
        return self.issued_on.toordinal()

    def to_fact(self, head: FactHead) -> Card:
        return Card(*head, self.branch)
'''
ASK = """
import json, sys
import schemas.feeds
schemas.feeds.__path__.append(sys.argv[1])
from schemas.feed import FEEDS
from schemas.generate import example_event, schema_of
(delivery,) = FEEDS["library.card"].decode(json.dumps(example_event(FEEDS["library.card"])).encode(), 1_782_792_000_000)
from households.codec import Pages, decode_head, encode_head
from households.ledger import Household
from schemas.records import FactBody, FactRecord, decode_block, encode_block
(record,) = decode_block(encode_block([FactRecord("h", 1, "t", 0, 0, FactBody(delivery.person, delivery.fact))]))
household = Household("h")
assert household.fold(record.body).feeds == {"library.card"}
pages = Pages(household.pages.raw)
again = Household("h", decode_head(encode_head(household.head)), pages)
print(again.of_kind(type(delivery.fact))[0].branch, schema_of(FEEDS["library.card"])["title"])
"""


def test_one_file_makes_a_feed_that_is_decoded_routed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "library.py").write_text(FILE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path)], capture_output=True, text=True, check=False,
        cwd=Path(__file__).resolve().parents[2], env={"PYTHONPATH": ".", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.stdout == "东馆 借书证\n", done.stderr
