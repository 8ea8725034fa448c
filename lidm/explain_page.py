"""An explanation as one HTML file: printable, in Chinese, with nothing from elsewhere and nobody's identity in it.

No script, no font, no picture that is not in the file. People stand by their relation to the head of household; codes
of persons and households are left out, and what looks like an identity number is never written.
"""

from html import escape

from lidm.alert_text import amount, document, gap, state, subject
from lidm.chart import series_of, svg
from lidm.explain_text import dated, late, late_word, left_out, now, verdict, watching, what_of
from lidm.explanation import Explanation
from lidm.fact_words import feed_title
from lidm.paper import Input, Row, facts, inputs, paper, shown, table
from lidm.timeline import Entry, title_of
from schemas.calendar import SHANGHAI
from schemas.labels import FamilyLabel


def page(told: Explanation) -> str:
    """The file's text."""
    said = _Words(told)
    body = "\n".join(
        (_head(said), _figure(told), _evidence(said), _line(said), _story(said), _covered(said), _end(said))
    )
    return paper(f"预警说明 {told.alert.alert_id[:8]}", body)


class _Words:
    """Texts as HTML, without anybody's code or number."""

    def __init__(self, told: Explanation) -> None:
        self.told = told

    def __call__(self, text: object) -> str:
        """The text, safe to show."""
        return shown(text, self.told.story.people)


def _head(say: _Words) -> str:
    alert = say.told.alert
    told = [
        ("对象", subject(alert)),
        ("等级", f"{alert.severity}级"),
        ("状态", state(alert)),
        ("自", str(alert.since)),
        ("责任地区", say.told.place),
        ("预警", f"{alert.alert_id} 第{alert.revision}次"),
        ("判定日", str(alert.on)),
        ("得知", f"{alert.known_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"),
    ]
    kind = f"{FamilyLabel[alert.family].label} · {alert.detector}"
    heard = "".join(f'<p class="soft">{say(each)}</p>' for each in watching(say.told.run))
    top = f'<p class="kind">{say(kind)}</p><h1>{say(alert.reason)}</h1>{heard}'
    return f"<header>{top}{facts((say(name), say(value)) for name, value in told)}</header>"


def _figure(told: Explanation) -> str:
    series = series_of(told.alert, told.revisions)
    return (
        f"<h2>测得{escape(amount(told.alert.measure, told.alert.unit))}，"
        f"预警线{escape(amount(told.alert.threshold.value, told.alert.unit))}</h2>"
        f'<figure><div class="wide">{svg(series)}</div>'
        f"<figcaption>{escape(series.caption)}</figcaption></figure>"
    )


def _evidence(say: _Words) -> str:
    told = (Input(each.day, each.feed, each.source, each.key, each.value) for each in say.told.alert.evidence)
    return f"<h2>依据</h2>{inputs(told, say.told.story.people)}"


def _line(say: _Words) -> str:
    alert = say.told.alert
    sentences = [f"{amount(alert.threshold.value, alert.unit)}，{document(alert)}", *dated(say.told.line)]
    return "<h2>界线</h2>" + "".join(f"<p>{say(each)}</p>" for each in sentences)


def _story(say: _Words) -> str:
    story = say.told.story
    head = ("发生", "得知", "", "数据", "谁", "内容")
    note = f'<p class="note">{say(left_out(story))}</p>' if left_out(story) else ""
    if not story.entries:
        return '<h2>经过</h2><p class="soft">归档里没有这一户的台账日志。</p>'
    lead = '<p class="note">同一件事有两个时间：哪天发生，我们哪天知道。灰色的行是发出预警之后才知道的。</p>'
    return "<h2>经过</h2>" + lead + table(head, [_entry(say, each) for each in story.entries]) + note


def _entry(say: _Words, entry: Entry) -> Row:
    marks = '<span class="mark">依据</span> ' if entry.evidence else ""
    marks += "" if entry.then else '<span class="after">事后得知</span> '
    delay = f' <span class="soft">{say(late(entry))}</span>' if late(entry) and entry.feed else ""
    cells = (
        f'<td class="d">{entry.day}</td>',
        f'<td class="d">{entry.known_at:%Y-%m-%d}{delay}</td>',
        f'<td class="d">{say(entry.what)}</td>',
        f"<td>{say(title_of(entry))}</td>",
        f"<td>{say(entry.who)}</td>",
        f"<td>{marks}{say(what_of(entry))}</td>",
    )
    return ("us" if not entry.feed else "" if entry.then else "later", cells)


def _covered(say: _Words) -> str:
    told = [(feed_title(e.feed), e.last_closed or "没有收齐过", late_word(e)) for e in say.told.covered]
    rows: list[Row] = [("", tuple(f"<td>{say(cell)}</td>" for cell in cells)) for cells in told]
    covered = table(("数据", "已收齐到", ""), rows) if rows else '<p class="soft">归档里没有，不能说明当时的覆盖。</p>'
    missing = [gap(each.model_copy(update={"feed": feed_title(each.feed)})) for each in say.told.alert.coverage]
    lacking = f"<p>缺少的数据（未计入，不等于没有）：{say('；'.join(missing))}</p>" if missing else ""
    return f"<h2>数据覆盖（当时）</h2>{covered}{lacking}"


def _end(say: _Words) -> str:
    told, alert = say.told, say.told.alert
    versions = [
        f"规则 {alert.detector}@{alert.detector_version}{now(alert.detector_version, told.sources.detector_now)}",
        f"参数 {alert.threshold.policy}{now(alert.threshold.policy, told.sources.policy_now)}",
        f"台账格式 {told.versions['codec']}，折叠规则 {told.versions['fold']}（本机）",
    ]
    lines = [*versions, *verdict(told.verdict)]
    cases = f"<p>个案 {say('、'.join(told.cases))}</p>" if told.cases else ""
    return (
        "<h2>版本与重放</h2>"
        + "".join(f"<p>{say(each)}</p>" for each in lines)
        + f"<p><code>{say(told.replay_command)}</code></p>{cases}"
        + "<footer>本页不含姓名、证件号码和住址。系统只作提示，是否救助由经办人核实后决定。</footer>"
    )
