"""Whether a detector may speak, and what has to be looked after before it cannot.

To speak, every parameter it reads must be in force, enacted or signed, in an area and below.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple, get_args

from policy.areas import NATIONAL
from policy.bundle import Bundle
from policy.parameters import Rule

Code = Literal["ended", "unchecked", "ahead", "missing"]
CODES: Final[tuple[Code, ...]] = get_args(Code)
CHECKED_WITHIN = timedelta(days=400)
"""Standards are set once a year; who has not looked for longer has missed one."""


def not_ready(bundle: Bundle, names: Iterable[str], area: str, on: date, optional: Collection[str] = ()) -> list[str]:
    """Chinese sentences, one per parameter that stands in the way; none: ready. Only `optional` ones may be missing."""
    policy = bundle.on(on)
    places = [code for code in bundle.areas.codes() if bundle.areas.within(code, area, on)]
    reasons: dict[str, None] = {}
    for name in (*names, *optional):
        for place in places:
            rule = policy.known(name, place)
            if rule is not None and rule.status == "example":
                reasons[_example(bundle, rule)] = None
            elif rule is None and name not in optional:
                reasons[f"{bundle.areas.name(place)}没有现行的“{bundle.label(name)}”（{name}）"] = None
    return list(reasons)


class Finding(NamedTuple):
    """A parameter somebody has to look after. `day`: where it ended, was last checked or claims to have been checked.

    `ended`: the last value is over and none follows. `unchecked`: nobody looked for long. `ahead`: checked on a day
    that has not come. `missing`: nothing is in force in a place that keeps values of its own, and `rules` need it.
    """

    code: Code
    name: str
    area: str
    day: date | None
    rules: tuple[str, ...]
    text: str


def findings(
    bundle: Bundle,
    on: date,
    needed: Mapping[str, Sequence[str]] | None = None,
    checked_within: timedelta = CHECKED_WITHIN,
) -> list[Finding]:
    """What is stale or missing on a day, by place and parameter. `needed`: parameters with the rules that need them."""
    needed = needed or {}
    found = [each for each in _stale(bundle, on, needed, checked_within) if each is not None]
    ended = {(each.area, each.name) for each in found if each.code == "ended"}
    return found + [each for each in _missing(bundle, on, needed) if (each.area, each.name) not in ended]


def needing_attention(bundle: Bundle, on: date, checked_within: timedelta = CHECKED_WITHIN) -> list[str]:
    """The same about stale values alone, as sentences."""
    return [each.text for each in findings(bundle, on, checked_within=checked_within)]


def _stale(
    bundle: Bundle, on: date, needed: Mapping[str, Sequence[str]], checked_within: timedelta
) -> Iterator[Finding | None]:
    for (area, name), history in sorted(bundle.histories().items()):
        if not history.rules:
            continue
        last, checked = history.rules[-1], bundle.still_valid_on(area, name)
        if last.until is not None and last.until <= on:
            yield _finding(bundle, "ended", name, area, last.until, needed)
        elif checked < on - checked_within:
            yield _finding(bundle, "unchecked", name, area, checked, needed)
        elif checked > on:
            yield _finding(bundle, "ahead", name, area, checked, needed)


def _missing(bundle: Bundle, on: date, needed: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Where places with values of their own lack one; an area below such a place only where that one has it."""
    policy = bundle.on(on)
    keeping = {area for (area, _), history in bundle.histories().items() if history.rules and area != NATIONAL}
    for code in bundle.areas.codes():
        chain = bundle.areas.chain(code, on)
        if keeping.isdisjoint(chain):
            continue
        above = chain[1] if len(chain) > 1 and not keeping.isdisjoint(chain[1:]) else None
        for name in sorted(needed):
            if policy.known(name, code) is None and (above is None or policy.known(name, above) is not None):
                yield _finding(bundle, "missing", name, code, None, needed)


def _finding(
    bundle: Bundle, code: Code, name: str, area: str, day: date | None, needed: Mapping[str, Sequence[str]]
) -> Finding:
    label = bundle.label(name) if name in bundle.names() else name  # a rule may be newer than the policy in force
    what, rules = f"{bundle.areas.name(area)}“{label}”", tuple(needed.get(name, ()))
    said = {
        "ended": f"的最后一个值到{day}为止，之后没有录入",
        "unchecked": f"上次核对是{day}，请核对现行值是否仍然有效",
        "ahead": f"的核对日期{day}还没有到，请改正",
        "missing": "没有现行的值",
    }[code]
    stopped = f"；{'、'.join(rules)}在那里不能运行" if rules and code in ("ended", "missing") else ""
    return Finding(code, name, area, day, rules, f"{what}{said}{stopped}")


def _example(bundle: Bundle, rule: Rule) -> str:
    what = f"“{rule.label}”（{rule.name}，{bundle.areas.name(rule.area)}）"
    return f"{what}还是示例值，只能影子运行；请填写本地文件和签发状态"
