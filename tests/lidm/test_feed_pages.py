"""The pages of all feeds are current, say what the service says, and name nothing that is not there."""

import re
import shlex
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

from lidm.commands.feed import command as feed_command
from lidm.feed_pages import examples
from lidm.feed_pages.index import pages
from lidm.feed_pages.mistakes import file_mistakes, mistakes
from lidm.feed_pages.page import commands, key_words
from lidm.feed_pages.words import MENDS
from lidm.uses import uses_of
from schemas.feed import FEEDS, FeedSpec
from schemas.labels import ProblemCode
from schemas.plain_identity import carries_identity
from schemas.topics import Catalogue

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "feeds"
CATALOGUE = Catalogue.load()
VOID = {"meta", "link", "br"}
EVERY = [pytest.param(spec, id=spec.name) for spec in FEEDS.every]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The pages as they are made now."""
    return pages(CATALOGUE)


class Elements(HTMLParser):
    """Notes what is open, where links lead, which anchors there are and what would be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.fetched: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "a":
            self.links.append(said["href"] or "")
        if "id" in said:
            self.anchors.add(said["id"] or "")
        if tag in {"script", "img", "iframe", "link", "object"} or "src" in said:
            self.fetched.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_committed_pages_are_current(made: dict[str, str]) -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert committed == made, "run `lidm feed pages --out docs/feeds`"


def test_every_page_is_whole_fetches_nothing_and_its_links_lead_somewhere(made: dict[str, str]) -> None:
    for page, text in made.items():
        found = Elements(text)
        assert (found.open, found.fetched) == ([], []), page
        assert "http" not in text.lower(), page
        assert "url(" not in text
        for link in found.links:
            file, _, anchor = link.partition("#")
            assert not file or file in made, (page, link)
            assert not anchor or anchor in found.anchors, (page, link)


def test_no_page_shows_an_identity_number(made: dict[str, str]) -> None:
    for page, text in made.items():
        assert not [line for line in unescape(text).splitlines() if carries_identity(line)], page


@pytest.mark.parametrize("spec", EVERY)
def test_a_page_names_every_field_with_its_codes_and_what_the_catalogue_says(
    spec: FeedSpec, made: dict[str, str]
) -> None:
    text = unescape(re.sub(r"<[^>]+>", " ", made[f"{spec.kind}.html"]))
    scope = CATALOGUE.entries[spec.topic].scope
    assert scope is not None
    wanted = [CATALOGUE.owner(spec.kind), scope.basis, scope.purpose, spec.topic, key_words(spec)]
    wanted += [each.label for each in spec.fields] + [each.meaning for each in spec.fields if each.meaning]
    wanted += [word for each in spec.fields for code_label in each.labels.items() for word in code_label]
    wanted += [use.code for use in uses_of(spec.kind)]
    assert [each for each in wanted if each not in text] == []


@pytest.mark.parametrize("spec", EVERY)
def test_examples_carry_the_answer_of_the_service(spec: FeedSpec, made: dict[str, str]) -> None:
    text = unescape(made[f"{spec.kind}.html"])
    shown = examples.valid(spec) + examples.invalid(spec)
    assert [each.name for each in shown if each.answer not in text] == []
    assert [each.name for each in examples.valid(spec) if each.title.isascii()] == [], "name it in words.EXAMPLES"
    assert {each.code for each in examples.invalid(spec)} <= set(MENDS)


def test_every_refusal_has_advice() -> None:
    assert set(MENDS) == {each.value for each in ProblemCode}


@pytest.mark.parametrize("spec", EVERY)
def test_mistakes_are_what_the_check_says(spec: FeedSpec) -> None:
    found = mistakes(spec)
    assert bool(found) != any(each.parts for each in spec.fields)
    said = " ".join(each.said for each in found)
    kinds = {each.kind for each in spec.fields if each.required}
    if found:
        assert [word for word in ("科学计数", "前 15 位", "校验位") if word not in said] == []
        assert all(each.mend for each in found)
    if found and "fen" in kinds:
        assert "不能当作 0" in said
    if found and "date" in kinds:
        assert "这一天不存在" in said


def test_whole_files_are_refused_in_words() -> None:
    said = dict(file_mistakes())
    assert "应交(元)" in said["列名与约定不同，又没有映射文件"]
    assert len(set(said.values())) >= 4


@pytest.mark.parametrize("spec", EVERY)
def test_commands_are_commands_with_the_options_they_have(spec: FeedSpec) -> None:
    for line in commands(spec, CATALOGUE):
        program, group, name, *arguments = shlex.split(line, comments=True)
        assert (program, group) == ("lidm", "feed")
        chosen = feed_command.commands[name]
        context = chosen.make_context(name, arguments)
        given = context.params.get("feed") or context.params.get("feeds")
        assert spec.kind in (given if isinstance(given, tuple) else (given,)), line


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises(click.NoSuchOption):
        feed_command.commands["check"].make_context("check", ["a.csv", "--feed", "x", "--nothing"])


def test_text_is_escaped() -> None:
    from lidm.feed_pages.markup import Html, join, tag

    assert tag("p", "<b>&") == "<p>&lt;b&gt;&amp;</p>"
    assert join(["<", Html("<br>")], "<") == "&lt;&lt;<br>"


def test_versions_stand_side_by_side(made: dict[str, str]) -> None:
    text = unescape(re.sub(r"<[^>]+>", " ", made["employment.contribution.html"]))
    assert '<th scope="col">第 1 版</th><th scope="col">第 2 版</th>' in made["employment.contribution.html"]
    assert "从第 1 版换到第 2 版" in text
    assert "新增了必填字段" in text
