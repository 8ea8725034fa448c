"""Whether a detector may speak: every parameter it reads must be in force, enacted or signed, in an area and below."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from policy.bundle import Bundle
from policy.parameters import Rule


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


def needing_attention(bundle: Bundle, on: date, checked_within: timedelta = timedelta(days=400)) -> list[str]:
    """Chinese sentences about values nobody has looked at for long, and values that ended without a following one."""
    sentences = []
    for (area, name), history in sorted(bundle.histories().items()):
        if not history.rules:
            continue
        what = f"{bundle.areas.name(area)}“{bundle.label(name)}”"
        last, checked = history.rules[-1], bundle.still_valid_on(area, name)
        if last.until is not None and last.until <= on:
            sentences.append(f"{what}的最后一个值到{last.until}为止，之后没有录入")
        elif checked < on - checked_within:
            sentences.append(f"{what}上次核对是{checked}，请核对现行值是否仍然有效")
    return sentences


def _example(bundle: Bundle, rule: Rule) -> str:
    what = f"“{rule.label}”（{rule.name}，{bundle.areas.name(rule.area)}）"
    return f"{what}还是示例值，只能影子运行；请填写本地文件和签发状态"
