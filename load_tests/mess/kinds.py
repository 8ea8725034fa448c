"""All kinds of mess by their number in the list of what the service has to survive."""

from collections.abc import Callable
from pathlib import Path

from load_tests.mess import forms, people
from load_tests.mess.files import Mess

KINDS: dict[int, Callable[[Path], list[Mess]]] = {
    1: forms.late,
    2: forms.reversals,
    3: people.duplicates,
    4: forms.out_of_order,
    5: people.identity_chaos,
    6: people.names,
    7: people.households,
    8: people.areas,
    9: people.deaths,
    10: forms.units,
    11: forms.forms,
    13: forms.silence,
    15: forms.drift,
}
