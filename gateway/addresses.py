"""Which households live at an address, by the roster; the answer is pseudonyms, the address stays here."""

import unicodedata
from datetime import date

from gateway.vault import Identity, Vault
from schemas.errors import CallError

LEAST = 4
"""Letters and digits an address asked for must have."""
MOST = 200
"""Households; more is an area."""


class Addresses(Vault):
    """The vault as one question sees it: who lives at an address."""

    def households_at(self, address: str, on: date, *, actor: str, purpose: str, at_ms: int) -> list[str]:
        """Households with a member on that day who has an address that is this one or begins with it, in order.

        One opening of everything, logged before the first is read. Raises CallError where the address is too short, or
        of more households than `MOST`.
        """
        wanted = plain_address(address)
        if len(wanted) < LEAST:
            raise CallError(f"地址太短：去掉空格和标点后至少{LEAST}个字")
        self.note(["*"], actor=actor, purpose=purpose, at_ms=at_ms)
        rows = self._db.execute(
            "SELECT h.household, p.person FROM households h JOIN persons p ON p.person = h.person"
            " WHERE coalesce(h.until, '9999') > ? ORDER BY h.household, p.person",
            (on.isoformat(),),
        )
        found: dict[str, None] = {}
        for household, person in rows.fetchall():
            if household not in found and _lives_at(wanted, self._identity(str(person))):
                found[str(household)] = None
        if len(found) > MOST:
            raise CallError(f"地址太宽：有{len(found)}户相符，最多{MOST}户；整个乡镇或村请用 --area")
        return sorted({self.first(each) for each in found})


def plain_address(text: str) -> str:
    """An address as it is compared: one width, no spaces, no punctuation."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(each for each in plain if unicodedata.category(each)[0] in "LN")


def _lives_at(wanted: str, who: Identity | None) -> bool:
    return any(_begins(plain_address(each), wanted) for each in who.addresses) if who else False


def _begins(address: str, wanted: str) -> bool:
    """`1` is not the beginning of `12`."""
    if not address.startswith(wanted):
        return False
    return not (wanted[-1].isdigit() and address[len(wanted) :][:1].isdigit())
