"""`lidm feed list` and `lidm feed describe`: what departments publish, field by field."""

import json
from dataclasses import asdict

import click

from lidm.tables import table
from schemas.catalogue_words import KINDS, cadence_text, missing_text, watched_text
from schemas.errors import CallError
from schemas.examples_of import example_event
from schemas.feed import FEEDS, FeedSpec, FieldSpec
from schemas.generate import schema_of
from schemas.topics import Catalogue


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_feeds(as_json: bool) -> None:
    """全部数据种类：归属部门、主题、频次、范围。"""
    catalogue = Catalogue.load()
    if as_json:
        click.echo(json.dumps([_summary(spec, catalogue) for spec in FEEDS.every], ensure_ascii=False))
        return
    rows = [
        (spec.kind, spec.title, catalogue.entries[spec.topic].owner, _cadence(spec, catalogue), spec.topic)
        for spec in FEEDS.every
    ]
    click.echo(table(("数据种类", "名称", "归属", "频次", "主题"), rows))


@click.command("describe")
@click.argument("feed", metavar="数据种类")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON（含 JSON Schema 和示例）")
def describe_feed(feed: str, as_json: bool) -> None:
    """一个数据种类的字段、主键、依据和一条示例消息。"""
    spec = FEEDS.get(feed)
    if spec is None:
        raise CallError(f"没有这个数据种类。现有：{'、'.join(FEEDS)}")
    catalogue = Catalogue.load()
    if as_json:
        shown = {
            **_summary(spec, catalogue),
            "fields": [asdict(each) for each in spec.fields],
            "schema": schema_of(spec),
            "example": example_event(spec),
        }
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    entry = catalogue.entries[spec.topic]
    click.echo(f"{spec.title}（{spec.kind}，第 {spec.version} 版）")
    click.echo(f"归属：{entry.owner}　主题：{spec.topic}　频次：{_cadence(spec, catalogue)}")
    if entry.scope:
        said = f"依据：{entry.scope.basis}　用途：{entry.scope.purpose}　范围：{watched_text(entry.scope)}"
        click.echo(said)
    click.echo(f"整批报送：{missing_text(spec.fact, catalogue.hold_above(spec.kind))}")
    click.echo(table(("字段", "名称", "类型", "必填", "主键", "说明"), [*_rows(spec.fields, "")]))
    click.echo("示例：")
    click.echo(json.dumps(example_event(spec), ensure_ascii=False, indent=2))


def _summary(spec: FeedSpec, catalogue: Catalogue) -> dict[str, object]:
    entry = catalogue.entries[spec.topic]
    return {
        "kind": spec.kind,
        "version": spec.version,
        "title": spec.title,
        "topic": spec.topic,
        "type": spec.event_type,
        "owner": entry.owner,
        "key_fields": list(spec.key_fields),
        "cadence": entry.cadence.model_dump() if entry.cadence else None,
        "scope": entry.scope.model_dump() if entry.scope else None,
        "hold_above": catalogue.hold_above(spec.kind),
    }


def _cadence(spec: FeedSpec, catalogue: Catalogue) -> str:
    return cadence_text(catalogue.cadence(spec.kind))


def _rows(fields: tuple[FieldSpec, ...], prefix: str) -> list[tuple[str, str, str, str, str, str]]:
    rows: list[tuple[str, str, str, str, str, str]] = []
    for each in fields:
        codes = " ".join(f"{code}={label}" for code, label in each.labels.items())
        note = "；".join(text for text in (each.meaning, codes) if text)
        rows.append(
            (
                prefix + each.name,
                each.label,
                KINDS[each.kind],
                "是" if each.required else "",
                "是" if each.key else "",
                note,
            )
        )
        rows.extend(_rows(each.parts, f"{prefix}{each.name}."))
    return rows
