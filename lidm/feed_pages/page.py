"""The page of one feed."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from gateway.agreement import agreement_of
from lidm.feed_pages.examples import Shown, invalid, record_of, valid
from lidm.feed_pages.markup import Cell, Html, code, join, name, page, section, table, tag, terms
from lidm.feed_pages.mistakes import mistakes
from lidm.feed_pages.words import mend
from lidm.uses import uses_of
from schemas.catalogue_words import KINDS, LEVELS
from schemas.compat import breaks
from schemas.feed import FEEDS, FeedSpec, FieldSpec
from schemas.generate import schema_of
from schemas.topics import Catalogue, inbox_topic

_AREA, _PERIOD = "339901000000", "2026-05"
_SHORT = 20
_FIELDS = ("中文名", "字段", "类型", "必填", "主键", "敏感程度", "含义与代码", "示例")
_TABLES = "表格（CSV、Excel）用中文名作表头，金额以元计，表头写作“名称(元)”；消息和 JSONL 用英文字段名，金额为整数分。"


def page_of(kind: str, catalogue: Catalogue) -> str:
    """The page of a feed, all versions on it. Raises ValueError where an example is not what its place says."""
    versions = FEEDS.versions(kind)
    spec = versions[-1]
    parts = [
        ("about", "概要", _about(versions, catalogue)),
        ("fields", "字段", _fields(versions)),
        ("key", "业务主键", _key(spec)),
        ("versions", "版本", _versions(versions)),
        ("valid", "有效示例", join(_of_versions(versions, _valid))),
        ("invalid", "会被退回的示例", join(_of_versions(versions, _invalid))),
        ("mistakes", "常见错误", _mistakes(spec)),
        ("test", "怎样测试", _test(versions, catalogue)),
        ("uses", "哪些规则会用到", _uses(kind)),
    ]
    entry = catalogue.entries[spec.topic]
    lead = join([code(kind), f" {entry.owner} ", tag("span", LEVELS[entry.sensitivity], "mark")])
    contents = [("index.html", "全部数据类"), *((f"#{at}", said) for at, said, _ in parts)]
    body = join(section(at, said, content) for at, said, content in parts)
    return page(versions[0].title, lead, contents, body)


def key_words(spec: FeedSpec) -> str:
    """The natural key as a sentence."""
    named = "、".join(each.label for each in spec.fields if each.key)
    whose = "" if spec.fact.keyed_alone else "同一个人，"
    said = f"{whose}{named}相同的两条记录是同一件事：记录时间最新的为准，不论由哪个系统报来、先后到达。"
    if spec.fact.keyed_alone:
        said += "编号本身就是主键：报在同一户的另一人名下，即为改正是谁的。"
    else:
        said += "编号相同而人不同的，各是各的。"
    loose = [each.label for each in spec.fields if each.key and not each.required]
    return said + (f"没有{'、'.join(loose)}的，按来源系统和事件编号认。" if loose else "")


def _about(versions: Sequence[FeedSpec], catalogue: Catalogue) -> Html:
    spec = versions[-1]
    said = [(term, what) for term, what in (row[:2] for row in agreement_of(spec, catalogue).terms) if term != "数据类"]
    topics = join((code(each.topic) for each in versions), "、")
    ways = "网关：文件夹、上传网页、数据库视图；消息直发"
    if catalogue.entries[spec.topic].sealed:
        ways += f"；身份列密封的主题 {inbox_topic(spec.kind)}"
    asked = "、".join(catalogue.entries[spec.topic].producers[1:]) or "网关"
    rows: list[tuple[str, Cell]] = [*said, ("来源系统", asked), ("主题", topics), ("事件类型", code(spec.event_type))]
    return terms([*rows, ("报送途径", ways)])


def _fields(versions: Sequence[FeedSpec]) -> Html:
    found = [tag("p", _TABLES)]
    for spec in versions:
        if len(versions) > 1:
            found.append(tag("h3", f"第 {spec.version} 版"))
        found.append(table(_FIELDS, _rows(spec.fields, ""), "fields"))
    return join(found)


def _rows(fields: Sequence[FieldSpec], prefix: str) -> Iterator[tuple[Cell, ...]]:
    for each in fields:
        kind = KINDS[each.kind] if each.unit in (None, "fen") else f"{KINDS[each.kind]}，{each.unit}"
        example = "" if each.example is None else _example(str(each.example))
        yield (
            each.label,
            name(prefix + each.name),
            kind,
            tag("span", "必填", "must") if each.required else tag("span", "选填", "soft word"),
            tag("span", "主键", "key") if each.key else "",
            tag("span", LEVELS[each.sensitivity], "word"),
            join([each.meaning or "", _codes(each)]),
            example,
        )
        yield from _rows(each.parts, f"{prefix}{each.name}{'[]' if each.kind == 'parts' else ''}.")


def _example(said: str) -> Html:
    return code(said) if len(said) > _SHORT else name(said)


def _codes(of: FieldSpec) -> Html:
    if not of.labels:
        return Html()
    listed = (tag("span", join([code(each), f" {label}"])) for each, label in of.labels.items())
    return tag("div", join(listed), "codes")


def _key(spec: FeedSpec) -> Html:
    names = join((code(each.name) for each in spec.fields if each.key), "、")
    change = "更正：整条重报，操作写更正，记录时间要更新。冲销：操作写冲销，只需人员和业务主键；此后视为从未发生。"
    return join([tag("p", key_words(spec)), tag("p", join(["字段：", names])), tag("p", change)])


def _versions(versions: Sequence[FeedSpec]) -> Html:
    if len(versions) == 1:
        return tag(
            "p", "目前只有第 1 版。会破坏既有报送的改动另出新版本，与旧版本并存；旧版本在各方都换用之前继续受理。"
        )
    known = dict.fromkeys(each.name for spec in versions for each in spec.fields)
    held = [{each.name: each for each in spec.fields} for spec in versions]
    rows = []
    for each in known:
        label = next(fields[each].label for fields in reversed(held) if each in fields)
        rows.append((label, name(each), *(_stands(fields.get(each)) for fields in held)))
    head = ("中文名", "字段", *(f"第 {spec.version} 版" for spec in versions))
    found = [
        tag("p", "各版本并存，各有主题，说的是同一件事：同一业务主键以记录时间最新者为准，不论哪一版。"),
        table(head, rows),
    ]
    for old, new in pairwise(versions):
        said = breaks(new.name, schema_of(old), schema_of(new))
        listed = join(tag("li", join([code(each.field), f"：{each.message_zh}"])) for each in said)
        found += [tag("h3", f"从第 {old.version} 版换到第 {new.version} 版"), tag("ul", listed)]
    return join(found)


def _stands(of: FieldSpec | None) -> Cell:
    if of is None:
        return tag("span", "没有", "soft")
    need = "必填" if of.required else "选填"
    return f"{need}，主键" if of.key else need


def _of_versions(versions: Sequence[FeedSpec], made: Callable[[FeedSpec], Html]) -> Iterator[Html]:
    for spec in versions:
        if len(versions) > 1:
            yield tag("h3", f"第 {spec.version} 版")
        yield made(spec)


def _valid(spec: FeedSpec) -> Html:
    plain, *others = valid(spec)
    record = json.dumps(record_of(spec), ensure_ascii=False, indent=2)
    rows = ((each.title, _differs(each), tag("span", each.answer, "yes")) for each in others)
    head = ("示例", "与登记示例的差别", "服务的理解")
    said = tag("p", join([tag("b", "登记"), " ", tag("span", plain.answer, "yes")]))
    return join([said, tag("pre", record), table(head, rows, "refusals")])


def _invalid(spec: FeedSpec) -> Html:
    codes = {f"/data/{each.name}": each.labels for each in spec.fields}
    rows = []
    for each in invalid(spec):
        answer = join([tag("span", each.answer, "no"), Html("<br>"), code(each.pointer or "（整条消息）")])
        how = mend(each.code or "", each.pointer, codes.get(each.pointer, ()))
        rows.append((name(each.code or ""), _differs(each), answer, how))
    return table(("代码", "与登记示例的差别", "服务的答复和位置", "怎样改"), rows, "refusals")


def _differs(shown: Shown) -> Html:
    lines = join(tag("div", said, "differs") for said in shown.differs)
    return lines if shown.whole is None else join([lines, code(shown.whole)])


def _mistakes(spec: FeedSpec) -> Html:
    found = mistakes(spec)
    if not found:
        return tag(
            "p",
            "这类数据有分组字段，不用表格报送：名册用 lidm roster load，其他用 JSONL。文件层面的错误见全部数据类一页。",
        )
    rows = ((each.what, each.column, name(each.wrote) if each.wrote else "", each.said, each.mend) for each in found)
    said = "以下每一行都真的填错一格，由 lidm feed check 检查；“检查的答复”是它的原话（原值一律遮盖）。"
    return join([tag("p", said), table(("情形", "列", "写成", "检查的答复", "怎样改"), rows, "tries")])


def _test(versions: Sequence[FeedSpec], catalogue: Catalogue) -> Html:
    lines = join(f"{line}\n" for line in commands(versions[0], catalogue))
    said = "发布（publish）之前的各条都不连接集群，不发送任何数据；沙盒用完即弃。"
    for later in versions[1:]:
        said += f"以上为第 {versions[0].version} 版；第 {later.version} 版把数据类写成 {later.name}。"
    return join([tag("p", said), tag("pre", lines)])


def commands(spec: FeedSpec, catalogue: Catalogue) -> list[str]:
    """The commands by which a department tries and sends this feed."""
    nested = any(each.parts for each in spec.fields)
    feed = spec.kind
    cadence = catalogue.cadence(spec.kind)
    closes = cadence.closes is not None
    period = f" --period {_PERIOD} --area {_AREA}" if closes else ""
    period += " --source urn:lidm:339901:本单位" if closes and cadence.several else ""
    file, mapping = (f"{feed}.jsonl", "") if nested else (f"{feed}.xlsx", f" --mapping 模板/{feed}.mapping.yaml")
    found = [f"lidm feed describe {feed}"]
    if not nested:
        found.append(f"lidm feed template {feed} --out 模板")
    found += [
        f"lidm feed check {file} --feed {feed}{mapping}",
        f"lidm feed sandbox {file} --feed {feed}{mapping}",
        f"lidm feed publish {feed} {file}{mapping}{period}",
    ]
    if closes:
        found.append(f"lidm feed publish {feed}{period} --nothing-happened   # 当月确无业务")
    return [*found, f"lidm feed report --feed {feed} --month {_PERIOD}"]


def _uses(kind: str) -> Html:
    found = uses_of(kind)
    if not found:
        return tag("p", "目前没有规则直接用到：进入家庭台账，供核查和以后的规则使用。")
    rows = ((code(each.code), each.label, each.family, each.how) for each in found)
    return table(("规则", "名称", "类别", "怎样用"), rows)
