"""A comparison as one HTML file: in Chinese, printable, nothing from elsewhere in it and no household's code."""

from collections.abc import Iterable, Sequence

from lidm.backtest.charts import differences, weekly
from lidm.backtest.page import FIGURES
from lidm.backtest.words import SUPPRESSED
from lidm.feed_pages import markup
from lidm.feed_pages.markup import Html, join, section, tag, terms
from lidm.shadow.compare import Comparison
from lidm.shadow.words import (
    AREA_HEAD,
    EXPLAINED,
    HEAD,
    LEVEL_HEAD,
    REASON_HEAD,
    area,
    counts,
    head,
    level,
    reason,
    work,
)

_FOOT = "由 lidm detectors shadow report 从归档得出。试运行的预警不建案、不统计；是否启用由主管决定。"
_CONTENTS = (
    ("#rules", "按规则"), ("#levels", "按级别"), ("#reasons", "缘由"), ("#areas", "按地区"), ("#work", "工作量"),
)  # fmt: skip


def page(said: Comparison) -> str:
    """The file's text."""
    total = said.total
    told = (
        f"现行 {total.before:,} 户有情形，试运行 {total.after:,} 户：新增 {total.gained:,} 户，减少 {total.lost:,} 户，"
        f"相同 {total.same:,} 户。"
    )
    notes = tag("ul", join(tag("li", note) for note in said.notes)) if said.notes else Html("")
    differing = [each for each in said.rules if each.gained or each.lost]
    drawn = _figure(differences(differing)) if differing else tag("p", "没有哪条规则有新增或减少的户。")
    rules = [("全部规则", *counts(total)), *((f"{e.code} {e.name}", *counts(e)) for e in said.rules)]
    places = _figures(AREA_HEAD, map(area, said.areas))
    body = join(
        (
            section("first", "结论", join((tag("p", told), tag("p", work(said)), notes))),
            section("rules", "按规则", join((drawn, _figures(("规则", *HEAD), rules), terms(EXPLAINED)))),
            section("levels", "按级别", _figures(LEVEL_HEAD, map(level, said.levels))),
            section("reasons", "缘由", _figures(REASON_HEAD, map(reason, said.reasons))),
            section("areas", "按地区", join((places, tag("p", SUPPRESSED, "soft")))),
            section("work", "工作量", join((tag("p", work(said)), _figure(weekly(said.weeks, "现行", "试运行"))))),
        )
    )
    title = f"试运行 {said.run.name}，截至 {said.until}"
    return markup.page(title, head(said.run), _CONTENTS, body, foot=_FOOT, style=FIGURES)


def _figure(drawn: str) -> Html:
    return tag("figure", Html(drawn))


def _figures(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    return markup.table(heading, rows, "figures")
