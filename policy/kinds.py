"""What a parameter may look like. The national file of a rule declares each key with one of these expressions.

fen · fen by scheme · fen by A, B · count · percent · multiple · severity · yes or no · one of A, B · list of A, B ·
codes · pairs of codes · texts · severity by multiple · severity by count · age range · item catalogue ·
dimensions of need
"""

import re
from collections.abc import Callable

from policy import catalogue, needs
from policy.marked import Marked

Plain = (
    int | bool | str | list[str] | list[int] | list[list[int]] | list[list[str]] | dict[str, int]
    | catalogue.Entries | needs.Entries
)  # fmt: skip
Reader = Callable[[Marked, frozenset[str]], Plain]
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,31}")


def reader_of(expression: Marked) -> Reader:
    """The function that reads a value of the declared kind (value, ranked schemes) into plain JSON values."""
    text = expression.text()
    for prefix, make in (("one of ", _one_of), ("list of ", _list_of), ("fen by ", _fen_by)):
        if text.startswith(prefix) and text not in _SIMPLE:
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


def _fen_by(words: tuple[str, ...]) -> Reader:
    def read(value: Marked, schemes: frozenset[str]) -> Plain:
        return {word: each.fen() for word, each in value.mapping(frozenset(words), required=words).items()}

    return read


def _code(value: Marked) -> str:
    if not _CODE.fullmatch(value.text()):
        value.fail(f"“{value.text()}”不是类别代码：大写字母开头，大写字母、数字和下划线")
    return value.text()


def _distinct(value: Marked, read: Callable[[Marked], str]) -> list[str]:
    found = [read(each) for each in value.sequence()]
    if len(set(found)) < len(found):
        value.fail("列表里有重复的项")
    return found


def _pairs(value: Marked, schemes: frozenset[str]) -> Plain:
    found: list[list[str]] = []
    for each in value.sequence():
        pair = [_code(one) for one in each.sequence()]
        if len(pair) != 2 or pair[0] == pair[1]:
            each.fail("每一对写成[代码, 代码]，两个不同")
        found.append(pair)
    return found


def _word(value: Marked, words: tuple[str, ...]) -> str:
    text = value.text()
    if text not in words:
        value.fail(f"“{text}”不在可选范围内：{'、'.join(words)}")
    return text


def _fen_by_scheme(value: Marked, schemes: frozenset[str]) -> Plain:
    """Every scheme by itself: one that is forgotten would take the line of people who hold none."""
    return {scheme: each.fen() for scheme, each in value.mapping(schemes, required=tuple(sorted(schemes))).items()}


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
    "codes": lambda value, schemes: _distinct(value, _code),
    "pairs of codes": _pairs,
    "texts": lambda value, schemes: _distinct(value, Marked.text),
    "item catalogue": catalogue.read_catalogue,
    "dimensions of need": needs.read_dimensions,
}
