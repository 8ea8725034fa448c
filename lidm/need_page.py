"""A need profile as one HTML file: printable, in Chinese, people by their relation, no code of anybody."""

from datetime import date
from html import escape

from detectors.profile import Facet
from lidm.need import Told
from lidm.need_text import NOTE, USE, arithmetic, lacking, level, measures
from lidm.paper import Input, Row, facts, inputs, paper, shown, table

_STEPS = 4


def page(told: Told) -> str:
    """The file's text."""
    about = told.profile
    top = (
        '<p class="kind">多维困难画像</p>'
        f"<h1>{escape(_summary(told))}</h1>"
        + facts([
            ("判定日", str(about.on)),
            ("所知截至", str(told.known_until)),
            ("地区", escape(told.place)),
            ("口径", escape(measures(told))),
            ("参数", escape(about.policy)),
        ])
    )  # fmt: skip
    body = [f"<header>{top}</header>", f'<p class="note">{escape(NOTE)}</p>', _overview(told)]
    body += [_facet(told, each) for each in about.facets]
    body.append(f"<h2>排序</h2><p>{escape(arithmetic(about))}</p><p>{escape(USE)}</p>")
    body.append("<footer>本页不含姓名、证件号码和住址。系统只作提示，是否救助由经办人核实后决定。</footer>")
    return paper("多维困难画像", "\n".join(body))


def _summary(told: Told) -> str:
    """The dimensions that show need, the gravest first; then how many cannot be told."""
    shown_ = sorted((each for each in told.profile.facets if each.level), key=lambda each: -(each.level or 0))
    said = "、".join(f"{each.label}{level(each)}" for each in shown_) or "已有数据中未见困难"
    unknown = len(told.profile.unknown)
    return f"{said}；{unknown}个方面不能判断" if unknown else said


def _overview(told: Told) -> str:
    rows: list[Row] = [
        (
            "",
            (
                f"<td>{escape(each.label)}</td>",
                f'<td class="d">{_dots(each)}</td>',
                f'<td class="d">{escape(level(each))}</td>',
                f'<td class="n">{each.weight}</td>',
                f"<td>{escape(lacking(each.lacks)) or '—'}</td>",
            ),
        )
        for each in told.profile.facets
    ]
    return table(("方面", "", "程度", "n:权重", "数据不全"), rows)


def _dots(facet: Facet) -> str:
    """The level as a row of dots; question marks where it cannot be told."""
    return "？" if facet.level is None else "●" * facet.level + "○" * (_STEPS - facet.level)


def _facet(told: Told, facet: Facet) -> str:
    if not facet.reasons:
        return ""
    said = "".join(
        f"<p>{shown(each.label, told.people)}：{shown(each.says, told.people)}</p>" for each in facet.reasons
    )
    rests = [Input(date.fromordinal(each.day), each.feed, each.source, each.key, each.value) for each in facet.evidence]
    return f"<h2>{escape(facet.label)}　{escape(level(facet))}</h2>{said}{inputs(rests, told.people) if rests else ''}"
