"""What a parameter may look like. The national file of a rule declares each key with one of these expressions.

fen · fen by scheme · count · percent · multiple · severity · yes or no · one of A, B · list of A, B ·
severity by multiple · severity by count · age range
"""

from collections.abc import Callable

from policy.marked import Marked

Plain = int | bool | str | list[str] | list[int] | list[list[int]] | dict[str, int]
Reader = Callable[[Marked, frozenset[str]], Plain]


def reader_of(expression: Marked) -> Reader:
    """The function that reads a value of the declared kind (value, known schemes) into plain JSON values."""
    text = expression.text()
    for prefix, make in (("one of ", _one_of), ("list of ", _list_of)):
        if text.startswith(prefix):
            return make(tuple(word.strip() for word in text.removeprefix(prefix).split(",")))
    if text not in _SIMPLE:
        expression.fail(f"不认识的参数类型“{text}”")
    return _SIMPLE[text]


def _one_of(words: tuple[str, ...]) -> Reader:
    def read(value: Marked, schemes: frozenset[str]) -> Plain:
        return _word(value, words)

    return read


def _list_of(words: tuple[str, ...]) -> Reader:
    def read(value: Marked, schemes: frozenset[str]) -> Plain:
        found = [_word(each, words) for each in value.sequence()]
        if len(set(found)) < len(found):
            value.fail("列表里有重复的项")
        return found

    return read


def _word(value: Marked, words: tuple[str, ...]) -> str:
    text = value.text()
    if text not in words:
        value.fail(f"“{text}”不在可选范围内：{'、'.join(words)}")
    return text


def _fen_by_scheme(value: Marked, schemes: frozenset[str]) -> Plain:
    return {scheme: each.fen() for scheme, each in value.mapping(schemes, required=("OTHER",)).items()}


def _steps(first: Callable[[Marked], int]) -> Reader:
    def read(value: Marked, schemes: frozenset[str]) -> Plain:
        steps: list[list[int]] = []
        for each in value.sequence():
            pair = each.sequence()
            if len(pair) != 2:
                each.fail("每一档写成[起点, 等级]")
            step = [first(pair[0]), pair[1].whole(1, 4)]
            if steps and (step[0] <= steps[-1][0] or step[1] < steps[-1][1]):
                each.fail("各档要从低到高排列")
            steps.append(step)
        if not steps:
            value.fail("至少要有一档")
        return steps

    return read


def _age_range(value: Marked, schemes: frozenset[str]) -> Plain:
    ends = value.sequence()
    if len(ends) != 2 or ends[0].whole(0, 120) >= ends[1].whole(0, 120):
        value.fail("年龄范围写成[下限, 上限]，含下限不含上限")
    return [ends[0].whole(), ends[1].whole()]


_SIMPLE: dict[str, Reader] = {
    "fen": lambda value, schemes: value.fen(),
    "fen by scheme": _fen_by_scheme,
    "count": lambda value, schemes: value.whole(0, 10_000),
    "percent": lambda value, schemes: value.whole(1, 1000),
    "multiple": lambda value, schemes: value.hundredths(),
    "severity": lambda value, schemes: value.whole(1, 4),
    "yes or no": lambda value, schemes: value.flag(),
    "severity by multiple": _steps(Marked.hundredths),
    "severity by count": _steps(Marked.whole),
    "age range": _age_range,
}
