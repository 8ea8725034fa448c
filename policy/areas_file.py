"""Reads `areas.yaml`: areas, what they are part of, in whose hands they were, who follows those that ended."""

from policy.areas import NATIONAL
from policy.marked import JSON, Marked

_AREA = frozenset({"name", "parent", "valid_from", "valid_to", "successors", "setting", "entrusted"})
_TRUST = frozenset({"to", "valid_from", "valid_to"})
_SETTINGS = ("urban", "rural")


def read_areas(root: Marked) -> dict[str, JSON]:
    """Every area by its code, as plain values. Raises `PolicyError` at whatever does not hold together."""
    areas: dict[str, JSON] = {}
    links: list[tuple[Marked, str]] = []
    for code, key, entry in root.items():
        if len(code) != 12 or not code.isdigit():
            key.fail("区划代码是12位数字")
        found = entry.mapping(_AREA, required=("name",))
        if code != NATIONAL and "parent" not in found:
            entry.fail("缺少“parent”")
        successors = _sequence(found, "successors")
        trusts = [each.mapping(_TRUST, required=("to", "valid_from")) for each in _sequence(found, "entrusted")]
        named = [*successors, *([found["parent"]] if "parent" in found else []), *(trust["to"] for trust in trusts)]
        links += [(each, each.text()) for each in named]
        first, last = _interval(found, "valid_from", "valid_to")
        plain: dict[str, JSON] = {
            "name": found["name"].text(),
            "parent": found["parent"].text() if "parent" in found else None,
            "valid_from": first,
            "valid_to": last,
            "successors": [each.text() for each in successors],
        }
        areas[code] = plain | _setting(found) | _entrusted(trusts)
    for place, code in links:
        if code not in areas:
            place.fail(f"区划{code}没有写在本文件里")
    return areas


def _sequence(found: dict[str, Marked], name: str) -> list[Marked]:
    return found[name].sequence() if name in found else []


def _entrusted(trusts: list[dict[str, Marked]]) -> dict[str, JSON]:
    """Hands an area was in, one after another; only where somebody wrote it."""
    plain: list[JSON] = []
    end: str | None = ""
    for trust in trusts:
        since, until = _interval(trust, "valid_from", "valid_to")
        if since is None or end is None or since < end:
            trust["valid_from"].fail("托管日期要从早到晚、不重叠，前一段要写结束日期")
        plain.append({"to": trust["to"].text(), "valid_from": since, "valid_to": until})
        end = until
    return {"entrusted": plain} if plain else {}


def _setting(found: dict[str, Marked]) -> dict[str, JSON]:
    """Only where somebody wrote it: a bundle without is the one it always was."""
    if "setting" not in found:
        return {}
    if (setting := found["setting"].text()) not in _SETTINGS:
        found["setting"].fail(f"setting 只能是 {'、'.join(_SETTINGS)}")
    return {"setting": setting}


def _interval(found: dict[str, Marked], first: str, last: str) -> tuple[str | None, str | None]:
    since = found[first].day() if first in found and not found[first].is_null else None
    until = found[last].day() if last in found and not found[last].is_null else None
    if since and until and until <= since:
        found[last].fail("结束日期不晚于开始日期")
    return since.isoformat() if since else None, until.isoformat() if until else None
