"""YAML that remembers where it was written: every value knows its file and line, so that a refusal can point at it.

Wrong content raises `PolicyError` with one Chinese sentence, the file and the line. Nothing is coerced silently: a
date must be a date, an amount is integer fen or written `5000元`, a key twice in one mapping is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NoReturn

import yaml

from schemas.errors import DataError

JSON = None | bool | int | str | list["JSON"] | dict[str, "JSON"]

_YUAN = re.compile(r"^(\d+)(?:\.(\d{1,2}))?元$")
_INT = re.compile(r"^\d+$")
_DECIMAL = re.compile(r"^(\d+)(?:\.(\d{1,2}))?$")


class PolicyError(DataError):
    """The files of the policy room are wrong at one place; nothing of them is used."""

    def __init__(self, file: str, line: int, message_zh: str) -> None:
        super().__init__(f"{file} 第{line}行：{message_zh}")
        self.file, self.line, self.problem = file, line, message_zh


@dataclass(frozen=True)
class Marked:
    """A YAML node with its place. Reading methods return plain values or raise `PolicyError`."""

    node: yaml.Node
    file: str

    @property
    def line(self) -> int:
        """Line of the value, counted from 1."""
        return int(self.node.start_mark.line) + 1

    def fail(self, message_zh: str) -> NoReturn:
        """Refuse this value."""
        raise PolicyError(self.file, self.line, message_zh)

    def items(self) -> Iterator[tuple[str, "Marked", "Marked"]]:
        """(key, place of the key, value) of a mapping; a repeated key is refused."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("这里应当是“名称: 值”的列表")
        seen: set[str] = set()
        for key_node, value_node in self.node.value:
            key = Marked(key_node, self.file)
            name = key.text()
            if name in seen:
                key.fail(f"“{name}”写了两次")
            seen.add(name)
            yield name, key, Marked(value_node, self.file)

    def mapping(self, allowed: frozenset[str] | None = None, required: tuple[str, ...] = ()) -> dict[str, "Marked"]:
        """The mapping by key. A key outside `allowed` or a missing required one is refused."""
        found: dict[str, Marked] = {}
        for name, key, value in self.items():
            if allowed is not None and name not in allowed:
                key.fail(f"不认识的项“{name}”，这里可以写：{'、'.join(sorted(allowed))}")
            found[name] = value
        for name in required:
            if name not in found:
                self.fail(f"缺少“{name}”")
        return found

    def sequence(self) -> list["Marked"]:
        """The elements of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("这里应当是一个列表")
        return [Marked(each, self.file) for each in self.node.value]

    def text(self) -> str:
        """A non-empty text (scalars of other kinds as they were written)."""
        if not isinstance(self.node, yaml.ScalarNode) or not str(self.node.value).strip():
            self.fail("这里应当是文字")
        return str(self.node.value)

    def optional_text(self) -> str | None:
        """Text, or None for null."""
        return None if self.is_null else self.text()

    @property
    def is_null(self) -> bool:
        """Whether the value is YAML null."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == "tag:yaml.org,2002:null"

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_sequence(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    def whole(self, low: int = 0, high: int = 10**12) -> int:
        """A whole number between `low` and `high`."""
        text = self.text()
        if not _INT.match(text) or not low <= int(text) <= high:
            self.fail(f"这里应当是{low}到{high}之间的整数，写的是“{text}”")
        return int(text)

    def hundredths(self) -> int:
        """A number with at most two decimals, times one hundred."""
        found = _DECIMAL.match(self.text())
        if found is None:
            self.fail(f"这里应当是最多两位小数的数，写的是“{self.text()}”")
        return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))

    def fen(self) -> int:
        """An amount: integer fen, or yuan written `5000元`."""
        text = self.text()
        if found := _YUAN.match(text):
            return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
        if not _INT.match(text):
            self.fail(f"金额写成整数分，或者“5000元”这样，写的是“{text}”")
        return int(text)

    def day(self) -> date:
        """A date written 2024-01-01."""
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            self.fail(f"日期写成2024-01-01这样，写的是“{self.text()}”")

    def flag(self) -> bool:
        """true or false."""
        text = self.text()
        if text not in ("true", "false"):
            self.fail(f"这里只能写true或false，写的是“{text}”")
        return text == "true"


def read_marked(path: Path, shown: str) -> Marked:
    """The root mapping of a YAML file; `shown` is the name used in messages."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise PolicyError(shown, 1, "文件不是UTF-8编码") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(shown, line, f"不是合格的YAML：{error.problem}") from error
    if node is None:
        raise PolicyError(shown, 1, "文件是空的")
    return Marked(node, shown)
