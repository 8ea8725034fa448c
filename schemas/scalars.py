"""The scalar types of feeds. Each is defined once, as msgspec reads it; pydantic and JSON Schema follow from that.

The decoder on the hot path is msgspec, the one that explains a refusal is pydantic: since both ask `Scalar.wire`,
they accept the same inputs by construction.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

MAX_FEN = 10**13
MAX_KEY = 64
MAX_TEXT = 200


class Sensitivity(StrEnum):
    """How closely a field is kept."""

    INTERNAL = "internal"
    PERSONAL = "personal"
    RESTRICTED = "restricted"


@dataclass(frozen=True, eq=False)
class Scalar:
    """A JSON value: `wire` decides what is accepted, `sentence` says so in Chinese, `kind` names it for tools."""

    kind: str
    wire: Any
    schema: dict[str, Any]
    sentence: str

    def check(self, value: object) -> object:
        """The value as the decoder would read it. Raises PydanticCustomError without repeating the value."""
        try:
            read = msgspec.convert(value, self.wire, strict=True)
        except msgspec.ValidationError as error:
            wrong = str(error).startswith("Expected `") and ", got `" in str(error)
            raise PydanticCustomError("wrong_type" if wrong else "bad_value", "{s}", {"s": self.sentence}) from None
        if isinstance(read, str) and not read.isprintable():
            raise PydanticCustomError("bad_value", "含有不可见字符")
        if isinstance(read, str) and "|" in read:
            raise PydanticCustomError("bad_value", "不得含竖线")
        return read

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.check, serialization=core_schema.to_string_ser_schema() if self.kind == "date" else None
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(self.schema)


def _pattern(regex: str) -> dict[str, Any]:
    return {"type": "string", "pattern": regex}


def _text(longest: int) -> dict[str, Any]:
    # The bar joins the parts of natural keys.
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": "^[^|]+$"}


# `\Z`, not `$`: Python's `$` also matches before a final newline. JSON Schema knows only `$`, which there is the end.
def _shape(regex: str) -> Any:
    return Annotated[str, Meta(pattern=f"^{regex}\\Z")]


PERSON = r"p_[0-9a-f]{32}"
HOUSEHOLD = r"h_[0-9a-f]{32}"
OPAQUE = r"k_[0-9a-f]{32}"
MONTH = r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])"
YEAR = r"(19|20|21)[0-9]{2}"

# The envelope's own types, as msgspec reads them.
WireWord = Annotated[str, Meta(min_length=1, max_length=128)]
WireTrail = Annotated[str, Meta(min_length=1, max_length=512)]
WireMoment = Annotated[datetime, Meta(tz=True)]
WirePerson = Annotated[str, Meta(pattern=f"^{PERSON}\\Z")]
WireCount = Annotated[int, Meta(ge=0, le=2**31 - 1)]

Fen = Annotated[
    int,
    Scalar(
        "fen",
        Annotated[int, Meta(ge=-MAX_FEN, le=MAX_FEN)],
        {"type": "integer", "minimum": -MAX_FEN, "maximum": MAX_FEN},
        "应为整数，单位为分",
    ),
]
Day = Annotated[date, Scalar("date", date, {"type": "string", "format": "date"}, "应为 YYYY-MM-DD 格式的日期")]
Moment = Annotated[
    datetime,
    Scalar(
        "time",
        WireMoment,
        {"type": "string", "format": "date-time"},
        "应为带时区的 RFC 3339 时间",
    ),
]
Month = Annotated[str, Scalar("month", _shape(MONTH), _pattern(f"^{MONTH}$"), "应为 YYYY-MM 格式的月份")]
Year = Annotated[str, Scalar("year", _shape(YEAR), _pattern(f"^{YEAR}$"), "应为四位年份")]
Key = Annotated[
    str,
    Scalar(
        "key",
        Annotated[str, Meta(min_length=1, max_length=MAX_KEY)],
        _text(MAX_KEY),
        f"应为 1 至 {MAX_KEY} 个字符的编号",
    ),
]
Text = Annotated[
    str,
    Scalar(
        "text",
        Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)],
        _text(MAX_TEXT),
        f"应为 1 至 {MAX_TEXT} 个字符的文字",
    ),
]
Area = Annotated[str, Scalar("area", _shape(r"[0-9]{12}"), _pattern(r"^[0-9]{12}$"), "应为 12 位统计用区划代码")]
Scheme = Annotated[
    str, Scalar("scheme", _shape(r"[A-Z][A-Z0-9_]{1,31}"), _pattern(r"^[A-Z][A-Z0-9_]{1,31}$"), "应为救助类别代码")
]
Person = Annotated[str, Scalar("person", WirePerson, _pattern(f"^{PERSON}$"), "应为 p_ 加 32 位十六进制的人员假名")]
HouseholdId = Annotated[
    str, Scalar("household", _shape(HOUSEHOLD), _pattern(f"^{HOUSEHOLD}$"), "应为 h_ 加 32 位十六进制的户假名")
]
Opaque = Annotated[
    str,
    Scalar("opaque", _shape(OPAQUE), _pattern(f"^{OPAQUE}$"), "应为 k_ 加 32 位十六进制的摘要，由网关从原号码得出"),
]
Percent = Annotated[
    int,
    Scalar(
        "count",
        Annotated[int, Meta(ge=0, le=100)],
        {"type": "integer", "minimum": 0, "maximum": 100},
        "应为 0 至 100 的整数",
    ),
]
Count = Annotated[
    int,
    Scalar(
        "count",
        WireCount,
        {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
        "应为非负整数",
    ),
]
Word = Annotated[str, Scalar("text", WireWord, _text(128), "应为 1 至 128 个字符的文字")]
Trail = Annotated[str, Scalar("text", WireTrail, _text(512), "应为 1 至 512 个字符的文字")]
