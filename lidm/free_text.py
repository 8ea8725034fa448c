"""The type of every option in which people say something in their own words. Refused with exit code 2, never quoted."""

import click

from schemas.errors import CallError
from schemas.free_text import reason_of


class FreeText(click.ParamType):
    """Text without an identity or phone number; `needed`: also not blank."""

    name = "text"

    def __init__(self, *, needed: bool = False) -> None:
        self._needed = needed

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See reason_of."""
        said = reason_of(value)
        if self._needed and not said:
            raise CallError(f"须写明理由（{param.opts[0] if param else ''}）：会留在记录里")
        return said


FREE_TEXT = FreeText()
REASON = FreeText(needed=True)
