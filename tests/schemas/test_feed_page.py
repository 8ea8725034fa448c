"""The page of all feeds says what the models and the catalogue say."""

from schemas.feed import FEEDS
from schemas.topics import Catalogue
from tests.schemas.feed_rows import PAGE, rewritten


def test_the_page_of_all_feeds_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == rewritten(page), "run `python -m tests.schemas.feed_rows`"


def test_documents_of_invented_agreements_say_that_they_are_invented() -> None:
    for spec in FEEDS.every:
        scope = Catalogue.load().entries[spec.topic].scope
        assert scope is not None
        assert "2026-" not in scope.basis or "示例" in scope.basis
        assert scope.line is None or "示例" in scope.line or "写明" in scope.line
