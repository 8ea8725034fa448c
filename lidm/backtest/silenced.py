"""Rules that a draft takes the ground from: what they said stands as it is, which must not pass for "nothing lost"."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from detectors.registry import Detector
from lidm.backtest.work import Answer
from policy.bundle import Bundle
from policy.drafts import Draft

_SHOWN_PLACES = 6


def silenced(answer: Answer, detectors: Mapping[str, Detector], place: Callable[[str], str]) -> Iterator[str]:
    """Sentences, one per rule that lacks a parameter, or has only an example of it, where it did not before."""
    asked, newest = answer.asked, answer.policies[-1].bundle
    drafted = Draft(asked.draft, newest, asked.law, asked.first).instead_of(newest)
    days = [date.fromordinal(day) for day in sorted({answer.span.parts, answer.reached})]
    areas = sorted(code for code in answer.tally.households if code)
    for detector in detectors.values():
        if detector.about != "household":
            continue
        lacking = [each for each in areas if _lost(detector, newest, drafted, each, days, _known)]
        if lacking:
            yield f"按草案 {detector.code} 在{_where(lacking, place)}缺少参数，不能运行：已有的情形原样保留，不计入减少"
        mute = [each for each in areas if _lost(detector, newest, drafted, each, days, _signed)]
        if mute and not lacking:
            yield f"按草案 {detector.code} 在{_where(mute, place)}只有示例值：启用后不会发出预警，这里仍按草案计算"


def _lost(
    detector: Detector,
    before: Bundle,
    after: Bundle,
    area: str,
    days: list[date],
    stands: Callable[[Detector, Bundle, str, date], bool],
) -> bool:
    return any(stands(detector, before, area, day) and not stands(detector, after, area, day) for day in days)


def _known(detector: Detector, bundle: Bundle, area: str, day: date) -> bool:
    policy = bundle.on(day)
    return all(policy.known(name, area) is not None for name in detector.parameters)


def _signed(detector: Detector, bundle: Bundle, area: str, day: date) -> bool:
    policy = bundle.on(day)
    rules = [policy.known(name, area) for name in detector.parameters]
    return all(rule is not None and rule.status != "example" for rule in rules)


def _where(areas: list[str], place: Callable[[str], str]) -> str:
    shown = "、".join(place(each) for each in areas[:_SHOWN_PLACES])
    return f"{shown}等{len(areas)}地" if len(areas) > _SHOWN_PLACES else shown
