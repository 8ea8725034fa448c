"""Values of parameters in the words people read: 1,100元 instead of 110000, 1.5倍 instead of 150."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from policy.marked import JSON, Marked, read_marked
from schemas.labels import yuan

STATUS = {"enacted": "正式", "pilot": "试行", "example": "示例"}
FIELDS = {
    "until": "终止日期", "signed_by": "签发单位", "note": "说明", "document.title": "依据文件",
    "document.number": "文号", "document.status": "状态", "document": "依据文件", "label": "名称", "unit": "单位",
    "family": "类别", "name": "名称", "parent": "上级", "valid_from": "设立日期", "valid_to": "撤销日期",
    "successors": "接续区划", "setting": "城乡分类", "entrusted": "托管", "ranks": "次序", "places": "各地次序",
    "since": "开始日期", "rank": "排序值", "to": "受托区划", "at_least": "目标",
}  # fmt: skip


def kinds_in(folder: Path) -> dict[tuple[str, str], str]:
    """The declared kind of every key of every parameter of a policy folder, which must be one that loads."""
    found = {}
    for name, key, expression in _declared(folder):
        found[name, key] = expression.text()
    return found


def _declared(folder: Path) -> Iterator[tuple[str, str, Marked]]:
    for path in sorted((folder / "national").rglob("*.yaml")):
        for name, _, rule in read_marked(path, path.name).items():
            keys = rule.mapping().get("keys")
            for key, _, expression in keys.items() if keys is not None else ():
                yield name, key, expression


def word(value: JSON, kind: str = "") -> str:
    """A value for people; without a known kind as it is kept."""
    if value is None:
        return "无"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int):
        return _number(value, kind)
    if isinstance(value, Mapping):
        return "、".join(f"{FIELDS.get(key, key)} {word(each, kind)}" for key, each in value.items())
    if isinstance(value, list):
        return _listed(value, kind)
    return STATUS.get(value, value)


def _number(value: int, kind: str) -> str:
    if kind.startswith("fen"):
        return yuan(value)
    if kind == "multiple":
        return f"{_hundredths(value)}倍"
    return f"{value}%" if kind == "percent" else f"{value}级" if kind == "severity" else str(value)


def _listed(value: list[JSON], kind: str) -> str:
    if kind.startswith("severity ") and all(isinstance(each, list) and len(each) == 2 for each in value):
        return "、".join(_step(each, kind) for each in value if isinstance(each, list))
    if kind == "age range":
        return "至".join(str(each) for each in value) + "岁"
    return "、".join(word(each) for each in value) or "无"


def _step(step: list[JSON], kind: str) -> str:
    start, level = step
    counted = kind.endswith("count") or not isinstance(start, int)
    return f"{start if counted else _hundredths(int(str(start))) + '倍'}起{level}级"


def _hundredths(value: int) -> str:
    return f"{value / 100:.2f}".rstrip("0").rstrip(".")
