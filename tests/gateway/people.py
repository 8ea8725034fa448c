"""Invented people for the gateway's tests: valid checksums, a region that does not exist."""

from stdnum.cn import ric


def number(order: int, born: str = "19650312", region: str = "999999") -> str:
    """A synthetic identity number."""
    first17 = f"{region}{born}{order:03d}"
    return first17 + ric.calc_check_digit(first17 + "0")


def with_x() -> str:
    """A synthetic number that ends in X."""
    return next(n for n in map(number, range(1, 200)) if n.endswith("X"))
