"""People of a household as officers say it: by their relation, never by a pseudonym."""

import re
from collections.abc import Mapping
from datetime import date

from schemas.facts import Membership
from schemas.labels import Relation

_CODE = re.compile(r"\b[phv]_[0-9a-f][0-9a-f-]{31,35}")


def named(members: Mapping[str, Membership]) -> dict[str, str]:
    """Persons by relation; several of one relation are numbered by age."""
    found: dict[str, str] = {}
    for relation in dict.fromkeys(each.relation for each in members.values()):
        same = sorted(
            (each for each in members.values() if each.relation == relation),
            key=lambda each: (each.born or date.max.toordinal(), each.person),
        )
        label = Relation[relation].label if relation in Relation.__members__ else relation
        for number, each in enumerate(same, 1):
            found[each.person] = f"{label}{number}" if len(same) > 1 else label
    return found


def plain(text: str, people: Mapping[str, str]) -> str:
    """A text with every pseudonym of these people replaced by the relation."""
    for person, name in people.items():
        text = text.replace(person, name)
    return text


def without_codes(text: str, people: Mapping[str, str]) -> str:
    """The same, with no code of anybody else left either."""
    return _CODE.sub("〔代码〕", plain(text, people))
