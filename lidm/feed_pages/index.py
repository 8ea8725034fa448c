"""The index of all feeds, and what holds for every one of them: attributes of a message, refusals, whole files."""

from collections.abc import Iterator

from lidm.feed_pages.markup import Cell, Html, code, join, name, page, section, table, tag
from lidm.feed_pages.mistakes import file_mistakes
from lidm.feed_pages.page import page_of
from lidm.feed_pages.words import mend
from lidm.uses import uses_of
from schemas.catalogue_words import LEVELS, cadence_text
from schemas.explain import Envelope
from schemas.feed import FEEDS, FieldNote
from schemas.labels import ProblemCode
from schemas.topics import Catalogue

_SCOPES = {"registered": "在册人员", "over_line": "在册及过线人员", "all": "全部人员"}
_LEAD = "部门报送的每一类数据各有一页：字段、主键、示例、常见错误和测试办法。"


def pages(catalogue: Catalogue | None = None) -> dict[str, str]:
    """File name and content of every page."""
    catalogue = catalogue or Catalogue.load()
    found = {f"{kind}.html": page_of(kind, catalogue) for kind in FEEDS}
    return {"index.html": _index(catalogue), **found}


def _index(catalogue: Catalogue) -> str:
    head = ("数据", "数据类", "提供单位", "频次与时限", "人员范围", "敏感程度", "版本", "用它的规则")
    parts = [
        ("feeds", "全部数据类", table(head, _feeds(catalogue), "cards")),
        ("message", "每条消息的属性", _message()),
        ("refusals", "退回代码", table(("代码", "含义", "怎样改"), _codes())),
        ("files", "文件层面的常见错误", table(("情形", "检查的答复"), file_mistakes())),
        ("more", "接口文件", _more()),
    ]
    body = join(section(at, said, content) for at, said, content in parts)
    return page("报送数据目录", _LEAD, ((f"#{at}", said) for at, said, _ in parts), body)


def _feeds(catalogue: Catalogue) -> Iterator[tuple[Cell, ...]]:
    for kind in sorted(FEEDS, key=lambda kind: (catalogue.owner(kind), kind)):
        entry = catalogue.entries[FEEDS[kind].topic]
        yield (
            Html(f'<a href="{kind}.html">{FEEDS[kind].title}</a>'),
            name(kind),
            entry.owner,
            cadence_text(catalogue.cadence(kind)),
            tag("span", _SCOPES[catalogue.scope(kind)], "word"),
            tag("span", LEVELS[entry.sensitivity], "word"),
            tag("span", "、".join(str(each.version) for each in FEEDS.versions(kind)), "word"),
            str(len(uses_of(kind)) or ""),
        )


def _message() -> Html:
    rows: list[tuple[Cell, ...]] = []
    for attribute, info in Envelope.model_fields.items():
        note = next(each for each in info.metadata if isinstance(each, FieldNote))
        need = tag("span", "必填", "must") if info.is_required() else tag("span", "选填", "soft word")
        example = "" if note.example is None else code(str(note.example))
        rows.append((note.label, name(attribute), need, note.meaning or "", example))
    said = "消息是 CloudEvents 1.0 事件（结构化模式，JSON），或事件的数组；业务字段在 data 里，Kafka 的键是 subject。"
    return join([tag("p", said), table(("中文名", "属性", "必填", "含义", "示例"), rows, "fields")])


def _codes() -> Iterator[tuple[Cell, ...]]:
    for each in ProblemCode:
        yield name(each.value), each.label, mend(each.value)


def _more() -> Html:
    return join(
        [
            tag("p", join(["AsyncAPI 3（主题、消息、键、分区、留存）：", code("schemas/generated/asyncapi.yaml")])),
            tag("p", join(["各类各版本的 JSON Schema：", code("schemas/generated/<数据类>.v<版本>.schema.json")])),
            tag("p", join(["全部示例：", code("schemas/examples/<数据类>/v<版本>/valid|invalid/")])),
        ]
    )
