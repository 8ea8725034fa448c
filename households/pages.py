"""Pages of a household that are decoded when somebody reads them.

A household in a monthly dump is touched once; decoding two years of facts to add one would cost more than all the
rest. A page still in bytes can be asked whether a text may be in it: msgpack keeps texts as they are, so a key that
is not among the bytes is not in the page.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from households.state import CODEC_VERSION, Page
from schemas.errors import Stop
from schemas.facts import AnyFact, Fact

LIMIT_BYTES = 800_000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, list[AnyFact]]).decode
_VERSION = bytes((CODEC_VERSION,))
_TAGS: dict[type[Fact], bytes] = {}


class Pages(dict[str, Page]):
    """Pages by half-year; those given as bytes are decoded by the first question that needs them."""

    __slots__ = ()

    @classmethod
    def of(cls, raw: Mapping[str, bytes]) -> "Pages":
        """Pages as `encode_page` wrote them."""
        pages = cls()
        for name, value in raw.items():
            check_version(value[0])
            dict.__setitem__(pages, name, cast(Page, value))
        return pages

    def __getitem__(self, name: str) -> Page:
        page: Any = dict.__getitem__(self, name)
        if page.__class__ is bytes:
            page = decode_page(page)
            dict.__setitem__(self, name, page)
        return cast(Page, page)

    def get(self, name: str, default: Any = None) -> Any:
        """The page, `default` when there is none."""
        try:
            return self[name]
        except KeyError:
            return default

    def values(self) -> Any:  # the type of dict.values has no public name
        """Every page, decoded."""
        self._read()
        return super().values()

    def items(self) -> Any:
        """Every page with its name, decoded."""
        self._read()
        return super().items()

    def may_hold(self, name: str, text: bytes) -> bool:
        """False only when a page in bytes cannot contain the text."""
        page: Any = dict.__getitem__(self, name)
        return page.__class__ is not bytes or text in page

    def may_hold_kind(self, name: str, kind: type[Fact]) -> bool:
        """False only when a page in bytes cannot contain a fact of the kind."""
        page: Any = dict.__getitem__(self, name)
        return page.__class__ is not bytes or tag_of(kind) in page

    def unread(self) -> Iterator[str]:
        """Names of pages still in bytes."""
        return (name for name in self if cast(Any, dict.__getitem__(self, name)).__class__ is bytes)

    def _read(self) -> None:
        for name in tuple(self.unread()):
            self[name]


def encode_page(page: Page) -> bytes:
    """One half-year of facts as bytes. Raises Stop when it is larger than what one record may hold."""
    raw = _VERSION + _encode(page)
    return raw if len(raw) <= LIMIT_BYTES else too_large(len(raw))


def decode_page(raw: bytes) -> Page:
    """The page `encode_page` was called on. Raises Stop on another codec's bytes."""
    check_version(raw[0])
    return _decode(memoryview(raw)[1:])


def tag_of(kind: type[Fact]) -> bytes:
    """How msgpack begins a fact of the kind: the tag as a short text."""
    tag = _TAGS.get(kind)
    if tag is None:
        text = str(kind.__struct_config__.tag).encode()
        tag = _TAGS[kind] = bytes((0xA0 | len(text),)) + text
    return tag


def check_version(version: int) -> None:
    """Raises Stop when the bytes were written by another codec."""
    if version != CODEC_VERSION:
        raise Stop(f"状态的编码版本是{version}，本程序只读{CODEC_VERSION}：请运行 lidm rebuild")


def too_large(size: int) -> bytes:
    """Raises Stop."""
    raise Stop(f"一户的状态有{size}字节，超过{LIMIT_BYTES}字节上限")
