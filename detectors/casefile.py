"""Reads `*.cases.yaml`: households, facts and expectations as a case manager writes them, each with its line.

People are called 甲, 乙, 丙; amounts are yuan (`3000元`); a fact is `{feed: {fields}}`, `months: 2025-01..2025-12` in
it says it of every month between. `same_as` copies a case, `facts` replaces, `facts+` comes after the base case was
evaluated on its own `on`. Wrong content raises PolicyError.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

from detectors.casemonths import months_between
from policy.catalogue import read_catalogue
from policy.kinds import Plain
from policy.marked import Marked, read_marked
from schemas.labels import SCHEMES

_CASE = frozenset(
    {"case", "same_as", "household", "feed", "policy", "facts", "facts+", "on", "stale_feeds", "closed", "expect"}
)
_HOUSEHOLD = frozenset({"area", "members", "income"})
_FEED = frozenset({"area", "kind", "department", "every"})
_EXPECT = frozenset({"breach", "withdrawn", "lapsed", "insufficient"})
_BREACH = frozenset({"severity", "measure", "since", "because", "says"})


@dataclass(frozen=True)
class Expected:
    """What one breach must look like; None is not asked."""

    severity: int | None = None
    measure: int | None = None
    since: date | None = None
    because: tuple[str, ...] | None = None
    says: str | None = None


@dataclass(frozen=True)
class Outcome:
    """Every episode of the detector, and the feeds it could not rely on."""

    breach: dict[str, Expected] = field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()
    insufficient: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether nothing may stand at the end."""
        return not self.breach


@dataclass(frozen=True)
class Case:
    """One case. `settled_on`: the day the base case was evaluated, None when there is no base evaluation.

    `household`: the mapping of the household, or, `about_feed`, of the feed.
    """

    name: str
    line: int
    file: str
    household: Marked
    facts: tuple[Marked, ...]
    later: tuple[Marked, ...]
    on: date
    settled_on: date | None
    policy: dict[str, Plain]
    stale: tuple[str, ...]
    closed: dict[str, tuple[str, ...]]
    expect: Outcome
    about_feed: bool = False


def person_of(name: str) -> str:
    """The pseudonym a person of a case goes by."""
    return "p_" + sha256(name.encode()).hexdigest()[:32]


def read_cases(path: Path) -> list[Case]:
    """The cases of a file in their order."""
    cases: dict[str, Case] = {}
    for entry in read_marked(path, path.name).sequence():
        found = entry.mapping(_CASE, required=("case", "expect"))
        name = found["case"].text()
        if name in cases:
            found["case"].fail(f"案例“{name}”写了两次")
        cases[name] = _case(name, entry, found, cases)
    return list(cases.values())


def _case(name: str, entry: Marked, found: dict[str, Marked], cases: dict[str, Case]) -> Case:
    own_on = found["on"].day() if "on" in found else None
    later = tuple(found["facts+"].sequence()) if "facts+" in found else ()
    expect = _outcome(found["expect"])
    if "same_as" in found:
        base = cases.get(found["same_as"].text())
        if base is None:
            found["same_as"].fail("前面没有这个案例")
        if own_on is not None and own_on < base.on:
            found["on"].fail(f"不能早于原案例的{base.on}")
        case = replace(
            base,
            name=name,
            line=entry.line,
            later=later,
            on=own_on or base.on,
            settled_on=base.on,
            expect=expect,
            household=found.get("household") or found.get("feed") or base.household,
            about_feed="feed" in found or (base.about_feed and "household" not in found),
            facts=tuple(found["facts"].sequence()) if "facts" in found else base.facts + base.later,
        )
    else:
        case = _first(name, entry, found, later, expect)
    return _overridden(case, found)


def _first(name: str, entry: Marked, found: dict[str, Marked], later: tuple[Marked, ...], expect: Outcome) -> Case:
    """A case that copies none."""
    about = "feed" if "feed" in found else "household"
    for key in (about, "on"):
        if key not in found:
            entry.fail(f"缺少“{key}”")
    on = found["on"].day()
    return Case(
        name=name,
        line=entry.line,
        file=entry.file,
        household=found[about],
        about_feed=about == "feed",
        facts=tuple(found["facts"].sequence()) if "facts" in found else (),
        later=later,
        on=on,
        settled_on=on if later else None,
        policy={},
        stale=(),
        closed={},
        expect=expect,
    )


def _overridden(case: Case, found: dict[str, Marked]) -> Case:
    if "policy" in found:
        case = replace(case, policy={key: _plain(value) for key, _, value in found["policy"].items()})
    if "stale_feeds" in found:
        case = replace(case, stale=tuple(each.text() for each in found["stale_feeds"].sequence()))
    if "closed" in found:
        closed = {
            feed: tuple(month for each in value.sequence() for month in months_between(each))
            for feed, _, value in found["closed"].items()
        }
        case = replace(case, closed=closed)
    return case


def _plain(value: Marked) -> Plain:
    if value.is_mapping and any(each.is_mapping for _, _, each in value.items()):
        return read_catalogue(value, frozenset(SCHEMES))
    if value.is_mapping:
        return {key: each.fen() for key, _, each in value.items()}
    if value.is_sequence:
        elements = value.sequence()
        return [each.whole() for each in elements] if _all_whole(elements) else [each.text() for each in elements]
    if value.text() in ("true", "false"):
        return value.flag()
    return value.fen() if value.text()[0].isdigit() else value.text()


def _all_whole(elements: list[Marked]) -> bool:
    return all(not each.is_sequence and each.text().isdigit() for each in elements)


def _outcome(value: Marked) -> Outcome:
    if not value.is_mapping:
        if value.text() != "clear":
            value.fail("expect写成clear，或者列出breach、withdrawn、lapsed、insufficient")
        return Outcome()
    found = value.mapping(_EXPECT)
    breaches = {cause: _expected(each) for cause, _, each in found["breach"].items()} if "breach" in found else {}
    return Outcome(breaches, *(_texts(found.get(key)) for key in ("withdrawn", "lapsed", "insufficient")))


def _texts(value: Marked | None) -> tuple[str, ...]:
    return tuple(each.text() for each in value.sequence()) if value is not None else ()


def _expected(value: Marked) -> Expected:
    found = value.mapping(_BREACH)
    return Expected(
        severity=found["severity"].whole(1, 4) if "severity" in found else None,
        measure=found["measure"].fen() if "measure" in found else None,
        since=found["since"].day() if "since" in found else None,
        because=_texts(found["because"]) if "because" in found else None,
        says=found["says"].text() if "says" in found else None,
    )


def household_fields(case: Case) -> dict[str, Marked]:
    """The household's mapping: area, members, income of a month."""
    return case.household.mapping(_HOUSEHOLD, required=("area", "members"))


def feed_fields(case: Case) -> dict[str, Marked]:
    """The feed's mapping: area, kind, department, how often it speaks."""
    return case.household.mapping(_FEED, required=("area", "kind"))
