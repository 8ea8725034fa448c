"""An explanation on the terminal: enough to check the alert by hand."""

from lidm.alert_text import amount, document, evidence_value, gap, state, subject
from lidm.explanation import DatedLine, Explanation, Verdict
from lidm.tables import table
from lidm.timeline import Entry, Timeline, title_of
from schemas.labels import FamilyLabel
from streams.replay import Covered

_SHOWN = 40


def explanation(told: Explanation) -> str:
    """Sentence, evidence, line, story, coverage, versions, replay."""
    alert, sources = told.alert, told.sources
    lines = [
        alert.reason,
        "",
        *watching(told.run),
        f"预警  {alert.alert_id} 第 {alert.revision} 次  {state(alert)}  {alert.on}",
        f"对象  {alert.household}  {subject(alert)}  {FamilyLabel[alert.family].label}  {alert.severity}级",
        f"事由  {told.story.plain(alert.cause)}  自 {alert.since} 起",
        f"测得  {amount(alert.measure, alert.unit)}",
        f"界线  {amount(alert.threshold.value, alert.unit)}  {document(alert)}",
        *(f"      {each}" for each in dated(told.line)),
        "依据",
        *_evidence(told),
        "",
        *_story(told.story),
        "",
        *_coverage(told),
        "",
        f"规则  {alert.detector}@{alert.detector_version}{now(alert.detector_version, sources.detector_now)}",
        f"      {sources.rule or '本机没有这个检测器'}",
        f"参数  版本 {alert.threshold.policy}{now(alert.threshold.policy, sources.policy_now)}",
        f"      {sources.parameters or '本机没有这个地区的参数'}",
        f"样例  {sources.cases or '—'}",
        f"自测  lidm detectors test {sources.cases or ''}".rstrip(),
        f"重放  {told.replay_command}",
        *(f"      {each}" for each in verdict(told.verdict)),
        *(f"个案  lidm case show {case}" for case in told.cases),
    ]
    return "\n".join(lines)


def watching(run: str) -> list[str]:
    """That a shadow run said it, and what that means."""
    return [f"影子运行 {run} 所说：只供比较，没有发给任何人，也没有个案"] if run else []


def verdict(found: Verdict) -> list[str]:
    """What the replay came to, in sentences."""
    if found.same and found.place:
        generation, partition, offset = found.place
        return [f"重放一致：同一编号、同一修订、同样内容（{generation}代 分区{partition} 第{offset}号）"]
    if found.same is None:
        return ["未能重放：" + "；".join(found.why)]
    return ["重放不一致", *found.why]


def dated(line: DatedLine | None) -> list[str]:
    """Since when the line holds, where, who signed, when somebody last looked."""
    if line is None:
        return []
    until = f"至 {line.until}" if line.until else "起"
    signed = f"，{line.signed_by}签发" if line.signed_by else ""
    which = "" if line.as_then else "（本机现有参数，与当时版本不同）"
    notes = [f"{line.label}（{line.name}），{line.area_name}，{line.since} {until}{signed}{which}"]
    notes.append(f"最近核对 {line.still_valid_on}" + (f"；{line.note}" if line.note else ""))
    return notes


def now(then: str, today: str | None) -> str:
    """A mark where this machine has another version than the alert."""
    return "" if today in (then, None) else f"（本机现为 {today}）"


def what_of(entry: Entry) -> str:
    """One entry's words; a correction says what was believed before."""
    if entry.before and entry.what == "更正":
        return f"{entry.said}（原为 {entry.before}）"
    return entry.said or entry.before


def late(entry: Entry) -> str:
    """How long after it happened we knew."""
    days = (entry.known_at.date() - entry.day).days
    return f"{days}天后" if days > 0 else ""


def late_word(covered: Covered) -> str:
    """A mark where a month that should have been complete was not."""
    return "迟报" if covered.stale else ""


def left_out(story: Timeline) -> str:
    """What the story does not tell, in one sentence; empty when it tells everything."""
    parts = []
    if story.left_out:
        parts.append(f"另有{story.left_out}条与这条规则无关的记录")
    if story.repeated:
        parts.append(f"{story.repeated}条重复或旧版记录")
    return "、".join(parts) + "未列出" if parts else ""


def _evidence(told: Explanation) -> list[str]:
    rows = [
        (str(each.day), evidence_value(each.feed, each.value), each.feed, each.source, told.story.plain(each.key))
        for each in told.alert.evidence
    ]
    return [table(("日期", "值", "数据", "来源", "主键"), rows)]


def _story(story: Timeline) -> list[str]:
    rows = [
        (
            str(each.day),
            f"{each.known_at:%Y-%m-%d %H:%M}",
            each.what,
            title_of(each),
            each.who,
            told_mark(each) + story.plain(what_of(each)),
        )
        for each in story.entries[-_SHOWN:]
    ]
    cut = len(story.entries) - len(rows)
    lines = ["经过（哪天的事、我们何时知道）", table(("发生", "得知", "性质", "数据", "谁", "内容"), rows)]
    lines += [f"  更早的{cut}条见 --json 或 --html"] if cut > 0 else []
    return lines + ([f"  {said}"] if (said := left_out(story)) else [])


def told_mark(entry: Entry) -> str:
    """Marks what the alert rests on and what came to be known only later."""
    return ("【依据】" if entry.evidence else "") + ("" if entry.then else "【事后得知】")


def _coverage(told: Explanation) -> list[str]:
    lines = []
    if told.covered:
        rows = [(each.feed, each.last_closed or "—", late_word(each)) for each in told.covered]
        lines = ["数据覆盖（当时）", table(("数据", "已收齐到", ""), rows)]
    missing = [f"  {gap(each)}" for each in told.alert.coverage]
    return lines + (["缺少的数据（未计入，不等于没有）", *missing] if missing else [])
