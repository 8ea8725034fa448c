"""Tells persons apart without any key, for checks: a name here means nothing outside this process."""

from gateway.identities import RESIDENT, SYNTHETIC_REGION, BadIdentity, Linkage


class Unlinked(Linkage):
    """Checks numbers as a gateway does, without its key: equal numbers get equal names, only within this process."""

    def __init__(self, *, synthetic: bool = False) -> None:
        super().__init__(bytes(32), synthetic=synthetic)
        self.ends_in_zeros = 0
        self.numbers = 0
        self.invented = 0

    def person(self, raw: str, id_type: str = RESIDENT) -> str:
        """A name of the shape of a pseudonym. Raises BadIdentity."""
        known = self._seen.get(raw) if id_type == RESIDENT else None
        if known is not None:
            return known
        try:
            number = self.number(raw, id_type)
        except BadIdentity:
            self.invented += not self.synthetic and raw.startswith(SYNTHETIC_REGION)
            raise
        self.numbers += 1
        self.ends_in_zeros += number.endswith("000")
        name = f"p_{hash((id_type, number)) & 0xFFFF_FFFF_FFFF_FFFF:032x}"
        if id_type == RESIDENT:
            if len(self._seen) >= 400_000:
                self._seen.clear()
            if len(raw) == 18:
                self._seen[raw] = name
        return name
