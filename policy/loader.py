"""Reads the files of the policy room into plain JSON values, or refuses with file, line and a Chinese sentence.

Layout: `areas.yaml`, `schemes.yaml`, `national/` (declares every rule: label, unit, keys with their kinds; may give
values) and one folder per area code, with `standards.yaml` and `<family>/<rule>.yaml`. Values are dated and hold
until the next one or their own `until`. Refused: unknown keys, a missing key, gaps, overlaps, a pilot without
signature or end, a rule nobody declared, an area that is not in the tree.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from policy.areas import NATIONAL
from policy.areas_file import read_areas
from policy.kinds import Reader, reader_of
from policy.marked import JSON, Marked, PolicyError, read_marked

FAMILIES = ("risk", "entitlement", "review", "quality")
_SCHEME = frozenset({"label", "ranks", "places"})
_RULE = frozenset({"values", "last_value_still_valid_on", "targets", "label", "unit"})
_VALUE = frozenset({"status", "document", "until", "note"})
_TARGET = frozenset({"at_least", "document"})


class Declared:
    """A rule as the national file declares it: the kinds of its keys."""

    def __init__(self, family: str, label: str, unit: str, kinds: dict[str, Reader]) -> None:
        self.family, self.label, self.unit, self.kinds = family, label, unit, kinds


def read_directory(folder: Path) -> dict[str, JSON]:
    """The whole folder as one plain value. Raises `PolicyError`."""
    areas = read_areas(_open(folder / "areas.yaml", folder))
    schemes = _read_schemes(_open(folder / "schemes.yaml", folder), areas)
    known = _ranked(schemes)
    declared: dict[str, Declared] = {}
    for family, file in _files(folder / "national", folder):
        for name, key, rule in file.items():
            if name in declared:
                key.fail(f"“{name}”已经在别的文件里定义")
            declared[name] = _declare(family, rule)
    rules: dict[str, JSON] = {}
    for place in ["national", *_area_folders(folder, areas)]:
        found: dict[str, JSON] = {}
        for family, file in _files(folder / place, folder):
            for name, key, rule in file.items():
                if place != "national" and "keys" in rule.mapping():
                    rule.fail("“keys”只能写在national里")
                found |= _read_rule(name, key, rule, family, declared, known)
        rules[NATIONAL if place == "national" else place] = found
    shown: dict[str, JSON] = {
        name: {"label": each.label, "unit": each.unit, "family": each.family} for name, each in declared.items()
    }
    return {"format": 1, "areas": areas, "schemes": schemes, "declared": shown, "rules": rules}


def _open(path: Path, folder: Path) -> Marked:
    shown = f"{folder.name}/{path.relative_to(folder)}"
    if not path.is_file():
        raise PolicyError(shown, 1, "缺少这个文件")
    return read_marked(path, shown)


def _files(place: Path, folder: Path) -> Iterator[tuple[str, Marked]]:
    """(family, root) of every parameter file below an area's folder; anything else lying there is refused."""
    for path in sorted(place.rglob("*")) if place.is_dir() else []:
        if path.is_dir():
            continue
        parts = path.relative_to(place).parts
        if parts == ("standards.yaml",):
            yield "standards", _open(path, folder)
        elif len(parts) == 2 and parts[0] in FAMILIES and path.suffix == ".yaml":
            root = _open(path, folder)
            for name, key, _ in root.items():
                if name != path.stem:
                    key.fail(f"文件名是{path.name}，里面只能写“{path.stem}”")
            yield parts[0], root
        else:
            shown = f"{folder.name}/{path.relative_to(folder)}"
            raise PolicyError(shown, 1, "不认识的文件，参数放在<区划>/<类别>/<规则>.yaml")


def _area_folders(folder: Path, areas: dict[str, JSON]) -> list[str]:
    known = ("national", "__pycache__")
    names = sorted(each.name for each in folder.iterdir() if each.is_dir() and each.name not in known)
    for name in names:
        if name not in areas or name == NATIONAL:
            raise PolicyError(f"{folder.name}/{name}", 1, "文件夹名不是areas.yaml里的区划代码")
    return names


def _read_schemes(root: Marked, areas: dict[str, JSON]) -> dict[str, JSON]:
    schemes: dict[str, JSON] = {}
    for code, _, entry in root.items():
        found = entry.mapping(_SCHEME, required=("label", "ranks"))
        places: dict[str, JSON] = {}
        for area, key, own in found["places"].items() if "places" in found else ():
            if area not in areas:
                key.fail(f"区划{area}没有写在areas.yaml里")
            since = next((each.day() for _, each, _ in own.items()), None)
            if since is None:
                own.fail("这里至少要有一个日期")
            places[area] = {"since": since.isoformat(), "ranks": _read_ranks(own)}
        plain: dict[str, JSON] = {"label": found["label"].text(), "ranks": _read_ranks(found["ranks"])}
        schemes[code] = plain | ({"places": places} if places else {})
    if "OTHER" not in schemes:
        root.fail("缺少“OTHER”")
    return schemes


def _read_ranks(given: Marked) -> list[JSON]:
    """Dated ranks; from the day of a null on the scheme does not count."""
    ranks: list[JSON] = []
    starts = [(key.day(), key, value) for _, key, value in given.items()]
    for place, (since, key, value) in enumerate(starts):
        if place and since <= starts[place - 1][0]:
            key.fail("日期要从早到晚，与前一个重叠")
        until = starts[place + 1][0].isoformat() if place + 1 < len(starts) else None
        if not value.is_null:
            ranks.append({"since": since.isoformat(), "until": until, "rank": value.whole(1, 1000)})
    return ranks


def _ranked(schemes: dict[str, JSON]) -> frozenset[str]:
    """Schemes somebody can hold; codes of payments have no rank."""
    return frozenset(code for code, each in schemes.items() if isinstance(each, dict) and each["ranks"])


def _declare(family: str, rule: Marked) -> Declared:
    found = rule.mapping(None, required=("label", "unit", "keys"))
    kinds: dict[str, Reader] = {}
    for name, key, expression in found["keys"].items():
        if name in _RULE | _VALUE:
            key.fail(f"“{name}”是保留的名称")
        kinds[name] = reader_of(expression)
    return Declared(family, found["label"].text(), found["unit"].text(), kinds)


def _read_rule(
    name: str, key: Marked, rule: Marked, family: str, declared: dict[str, Declared], schemes: frozenset[str]
) -> dict[str, JSON]:
    """The dated values of one rule; nothing when the national file only declares it."""
    known = declared.get(name)
    if known is None:
        key.fail(f"national里没有定义“{name}”")
    if known.family != family:
        key.fail(f"“{name}”属于{known.family}，不能写在{family}里")
    found = rule.mapping(_RULE | {"keys"} | frozenset(known.kinds))
    if "values" not in found and "targets" not in found:
        return {}
    constants = {each: found[each] for each in known.kinds if each in found}
    values: list[JSON] = []
    entries = [(each.day(), each, value) for _, each, value in found["values"].items()] if "values" in found else []
    for place, (since, since_key, value) in enumerate(entries):
        if place and since <= entries[place - 1][0]:
            since_key.fail("日期要从早到晚，与前一个值重叠")
        following = entries[place + 1][0] if place + 1 < len(entries) else None
        values.append(_read_value(since, following, value, known, constants, schemes))
    if entries and "last_value_still_valid_on" not in found:
        rule.fail("缺少“last_value_still_valid_on”：最后一次核对现行值仍然有效的日期")
    checked = found["last_value_still_valid_on"].day().isoformat() if entries else date.min.isoformat()
    targets = _read_targets(found["targets"]) if "targets" in found else {}
    return {name: {"values": values, "still_valid_on": checked, "targets": targets}}


def _read_value(
    since: date,
    following: date | None,
    value: Marked,
    known: Declared,
    constants: dict[str, Marked],
    schemes: frozenset[str],
) -> JSON:
    found = value.mapping(_VALUE | frozenset(known.kinds), required=("status", "document"))
    status, signed_by, until = _status(found["status"])
    if "until" in found:
        until = found["until"].day()
    if until is not None and until <= since:
        value.fail("结束日期不晚于开始日期")
    if following is not None and until is not None and until != following:
        value.fail(f"与下一个值{'之间有空档' if until < following else '重叠'}：{until}，下一个从{following}开始")
    settled: dict[str, JSON] = {}
    for name, read in known.kinds.items():
        if name in found and name in constants:
            found[name].fail(f"“{name}”上面已经写过，只能写一处")
        source = found.get(name) or constants.get(name)
        if source is None:
            value.fail(f"缺少“{name}”")
        settled[name] = read(source, schemes)  # type: ignore[assignment]  # kinds.Plain is JSON; lists are invariant
    end = until or following
    return {
        "since": since.isoformat(),
        "until": end.isoformat() if end else None,
        "signed_by": signed_by,
        "note": found["note"].text() if "note" in found else None,
        "document": {**_document(found["document"]), "status": status},
        "values": settled,
    }


def _status(value: Marked) -> tuple[str, str | None, date | None]:
    """(status, who signed a pilot, its last day + 1)."""
    if not value.is_mapping:
        word = value.text()
        if word == "pilot":
            value.fail("试行参数要写明签发单位和截止日期：{pilot: {signed_by: …, until: …}}")
        if word not in ("enacted", "example"):
            value.fail(f"“{word}”不是参数状态，只能是enacted、pilot或example")
        return word, None, None
    pilot = value.mapping(frozenset({"pilot"}), required=("pilot",))["pilot"]
    signed = pilot.mapping(frozenset({"signed_by", "until"}), required=("signed_by", "until"))
    return "pilot", signed["signed_by"].text(), signed["until"].day()


def _document(value: Marked) -> dict[str, JSON]:
    found = value.mapping(frozenset({"title", "number"}), required=("title",))
    return {"title": found["title"].text(), "number": found["number"].optional_text() if "number" in found else None}


def _read_targets(value: Marked) -> dict[str, JSON]:
    targets: dict[str, JSON] = {}
    for _, key, entry in value.items():
        found = entry.mapping(_TARGET, required=("at_least", "document"))
        targets[key.day().isoformat()] = {"at_least": found["at_least"].text(), "document": found["document"].text()}
    return targets
