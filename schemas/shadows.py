"""How a rule is called while it only watches: its code, a mark, the name of the shadow run (`MED-SELFPAY~draft-2027`).

No live rule has the mark in its code, so episodes, alerts and ids of a shadow run are never those of a live rule.
"""

import re

MARK = "~"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")


def shadow_code(code: str, run: str) -> str:
    """What a rule is called in a run."""
    return f"{code}{MARK}{run}"


def is_shadow(code: str) -> bool:
    """Whether this is what a rule is called in some run."""
    return MARK in code


def of_run(code: str, run: str) -> bool:
    """Whether this is what a rule is called in this run."""
    return code.endswith(MARK + run)


def run_of(code: str) -> str:
    """The run a rule is called so in; "" for a live rule."""
    return code.partition(MARK)[2]


def rule_of(code: str) -> str:
    """The rule's own code."""
    return code.partition(MARK)[0]
