"""Pieces of HTML, and the page around them: everything that is not marked as markup is escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Final

PAGE: Final = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
FOOT: Final = "本页由数据类的定义、目录和示例生成（lidm feed pages）；示例中的人员、编号均为虚构。"


class Html(str):
    """Markup, safe to stand in a page as it is."""

    __slots__ = ()


Cell = Html | str


def safe(said: Cell) -> Html:
    """Text escaped, markup as it is."""
    return said if isinstance(said, Html) else Html(escape(said))


def join(parts: Iterable[Cell], between: str = "") -> Html:
    """Parts one after the other."""
    return Html(escape(between).join(map(safe, parts)))


def tag(name: str, said: Cell, kind: str = "") -> Html:
    """An element with a class."""
    attribute = f' class="{kind}"' if kind else ""
    return Html(f"<{name}{attribute}>{safe(said)}</{name}>")


def code(said: str) -> Html:
    """What stands on the wire or is typed."""
    return tag("code", said)


def name(said: str) -> Html:
    """A name on the wire that is never broken over lines."""
    return tag("code", said, "name")


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]], kind: str = "") -> Html:
    """A table with headings; scrolls by itself where the page is narrow."""
    top = "".join(f'<th scope="col">{safe(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(tag('td', cell) for cell in row)}</tr>" for row in rows)
    return Html(
        f'<div class="wide"><table class="{kind}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def terms(rows: Iterable[tuple[str, Cell]]) -> Html:
    """A table of names and what they say."""
    body = "".join(f'<tr><th scope="row">{safe(name)}</th><td>{safe(said)}</td></tr>' for name, said in rows)
    return Html(f'<table class="terms"><tbody>{body}</tbody></table>')


def section(anchor: str, title: str, body: Cell) -> Html:
    """A part of the page that the contents can lead to."""
    return Html(f'<section id="{anchor}"><h2>{safe(title)}</h2>{safe(body)}</section>')


def page(
    title: str, lead: Cell, contents: Iterable[tuple[str, str]], body: Cell, *, foot: Cell = FOOT, style: str = ""
) -> str:
    """The whole page; `contents`: address and words of each link on top; `style`: rules of this page's own."""
    links = "".join(f'<a href="{at}">{safe(said)}</a>' for at, said in contents)
    parts = {"title": safe(title), "lead": safe(lead), "body": safe(body), "foot": safe(foot)}
    return PAGE.substitute(parts, contents=links, style=style)
