"""What no rule of the review family may look at: nationality, ethnicity, and where a household registration comes from.

A rule that may lead to a benefit being looked at again must not treat people by origin. The registry refuses it before
it can run: by the feeds it listens to, and by what the detector, and every function of ours it reaches, is made of (the
names it reads, the words it contains, and ways of reading a field that hide which one).
"""

import inspect
import re
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Final

FIELDS: Final = frozenset({"hukou_area", "from_area", "to_area", "sex"})
"""The fields of the ledger that say where a registration lies or came from, and one kept for reports alone."""
WORDS: Final = frozenset({
    "hukou", "huji", "jiguan", "birthplace", "nationality", "nation", "citizenship", "ethnicity", "ethnic", "minzu",
    "race", "tribe",
})  # fmt: skip
TEXTS: Final = ("户籍", "籍贯", "国籍", "民族", "族裔")
HIDING: Final = frozenset({
    "getattr", "__getattribute__", "attrgetter", "itemgetter", "vars", "asdict", "astuple", "to_builtins", "eval",
    "exec", "__import__", "import_module", "__struct_fields__", "__dict__",
})  # fmt: skip
FEEDS: Final = frozenset({"household.change"})
"""Feeds about nothing but registrations and where they move."""
_OURS = ("detectors.", "households.", "policy.")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ProtectedAttribute(ValueError):
    """A rule of the review family looks at what it must not."""


def forbidden_in(function: Callable[..., object]) -> list[str]:
    """Names and texts of a function, and of what it reaches in our rooms, that a review must not use; sorted."""
    found: set[str] = set()
    for each in _reached(function):
        for code in _codes(each.__code__):
            found |= set(_forbidden(code))
    return sorted(found)


def _forbidden(code: CodeType) -> Iterator[str]:
    for name in (*code.co_names, *code.co_freevars, *code.co_varnames):
        if name in FIELDS or name in HIDING or _has_word(name):
            yield name
    for text in _texts(code):
        if text in FIELDS or (_NAME.fullmatch(text) and _has_word(text)) or any(each in text for each in TEXTS):
            yield text


def _has_word(name: str) -> bool:
    return not WORDS.isdisjoint(name.lower().split("_"))


def _texts(code: CodeType) -> Iterator[str]:
    """Texts among the constants, without the docstring, which stands first in a function that has a name."""
    first = 0 if code.co_name.startswith("<") else 1
    for constant in code.co_consts[first:]:
        for each in constant if isinstance(constant, tuple | frozenset) else (constant,):
            if isinstance(each, str):
                yield each


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _reached(function: Callable[..., object]) -> list[FunctionType]:
    """The function and all it calls or builds in our rooms; methods of a household are questions, not fields."""
    found: dict[int, FunctionType] = {}
    waiting: list[object] = [function]
    while waiting:
        each = inspect.unwrap(one) if callable(one := waiting.pop()) else one
        if isinstance(each, FunctionType) and id(each) not in found:
            found[id(each)] = each
            waiting += _mentioned(each)
        elif isinstance(each, type) and each.__module__.startswith("detectors."):
            waiting += [own for member in vars(each).values() if _ours(own := _plain(member))]
    return list(found.values())


def _plain(member: object) -> object:
    """The function behind a property, a class method or a cached value."""
    if isinstance(member, property):
        return member.fget
    if isinstance(member, staticmethod | classmethod):
        return member.__func__
    return vars(member).get("func", member) if hasattr(member, "__dict__") and "func" in vars(member) else member


def _mentioned(function: FunctionType) -> Iterator[object]:
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    for cell in function.__closure__ or ():
        if _ours(cell.cell_contents):
            yield cell.cell_contents
    for name in names:
        value = function.__globals__.get(name)
        if isinstance(value, ModuleType) and value.__name__.startswith(_OURS):
            yield from (each for inner in names if _ours(each := vars(value).get(inner)))
        elif isinstance(value, dict):
            yield from filter(_ours, value.values())
        elif _ours(value):
            yield value


def _ours(value: object) -> bool:
    module = getattr(value, "__module__", None)
    return isinstance(value, FunctionType | type) and isinstance(module, str) and module.startswith(_OURS)
