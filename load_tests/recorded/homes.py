"""Who lives in a restless household, what they hold, who moves away, and what civil affairs says of it."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from load_tests.city.lines import load_lines
from load_tests.recorded.tell import Teller, pseudonym

SCHEMES = ("DIBAO", "DIBAO", "DIBIAN", "DIBIAN", "TEKUN", "GANGXING", "FANGPIN", "OTHER", None, None, None)
OFFICES = ("星河市民政局（虚构）", "星河市农业农村局（虚构）")


@dataclass
class Holding:
    """A scheme held, half-open."""

    scheme: str
    since: date
    until: date | None
    office: str


@dataclass
class Member:
    """One person of a restless household."""

    person: str
    relation: str
    born: date
    joined: date
    held: list[Holding] = field(default_factory=list)


@dataclass
class Home:
    """One household; `income` is the assessed monthly income in fen, None where nobody assessed it."""

    household: str
    town: str
    income: int | None
    members: list[Member]

    def age(self, member: Member, day: date) -> int:
        """Completed years."""
        return day.year - member.born.year - ((day.month, day.day) < (member.born.month, member.born.day))


def homes(teller: Teller) -> tuple[Home, Home]:
    """Two households with their first export, later changes, and people who move from the first to the second."""
    pair = _home(teller, 0), _home(teller, 1)
    for home in pair:
        for member in home.members:
            _export(teller, home, member)
    for home in pair:
        _changes(teller, home)
    _moves(teller, *pair)
    return pair


def _home(teller: Teller, which: int) -> Home:
    rng = teller.rng
    town = f"{load_lines().city[:6]}{rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10)):03d}000"
    size = rng.choices((1, 2, 3, 4, 5), (25, 30, 25, 15, 5))[0]
    joined = teller.span.first - timedelta(days=rng.randrange(400, 900))
    scheme = rng.choice(SCHEMES)
    ages = [rng.randrange(19, 90), *(rng.choice((rng.randrange(1, 24), rng.randrange(20, 62), rng.randrange(58, 95)))
                                      for _ in range(size - 1))]  # fmt: skip
    members = []
    for place, age in enumerate(ages):
        person = pseudonym("p", f"{teller.name}/{which}/{place}")
        relation = "HEAD" if place == 0 else "CHILD" if age < 24 else "SPOUSE" if place == 1 else "OTHER"
        born = date(teller.span.first.year - age, rng.randrange(1, 13), rng.randrange(1, 29))
        member = Member(person, relation, min(born, joined), joined)
        own = scheme if teller.chance(0.85) else rng.choice(SCHEMES)
        if own is not None:
            member.held.append(_holding(teller, own, joined))
        if teller.chance(0.06):
            member.held.append(_holding(teller, rng.choice(("DIBAO", "TEKUN", "GANGXING")), joined))
        members.append(member)
    income = None if teller.chance(0.1) else rng.randrange(30_000, 900_000)
    return Home(pseudonym("h", f"{teller.name}/{which}"), town, income, members)


def _holding(teller: Teller, scheme: str, joined: date) -> Holding:
    since = joined + timedelta(days=teller.rng.randrange(0, 900)) if teller.chance(0.3) else joined
    until = since + timedelta(days=teller.rng.randrange(20, 900)) if teller.chance(0.35) else None
    return Holding(scheme, since, until, teller.rng.choice(OFFICES))


def _export(
    teller: Teller, home: Home, member: Member, day: date | None = None, left: date | None = None,
    relation: str | None = None,
) -> None:  # fmt: skip
    relation = relation or member.relation
    declared = {
        "hukou_area": home.town, "residence_area": home.town, "responsible_area": home.town,
        "incident_area": home.town, "monthly_income": home.income, "income_period": "2024",
        "income_document": "星民核〔2025〕1号",
    }  # fmt: skip
    data: dict[str, object] = {
        "household": home.household, "relation": relation, "valid_from": member.joined, "valid_to": left,
        "born": member.born,
        "statuses": [
            {"scheme": h.scheme, "since": f"{h.since}", **({"until": f"{h.until}"} if h.until else {}),
             "source": h.office, "document": "星民认〔2025〕1号"}
            for h in member.held
        ],
        "declared": {k: v for k, v in declared.items() if v is not None} if relation == "HEAD" else None,
    }  # fmt: skip
    told = day or teller.span.first
    teller.tell("civil.household", member.person, told, data, operation="correct" if day else "record")


def _changes(teller: Teller, home: Home) -> None:
    """Another income, a scheme that begins or ends, in later exports."""
    rng = teller.rng
    days = (teller.span.end - teller.span.first).days
    for day in sorted(teller.span.first + timedelta(days=rng.randrange(8, days)) for _ in range(rng.randrange(4))):
        member = rng.choice(home.members)
        if member.relation == "HEAD" and teller.chance(0.6):
            home.income = rng.randrange(30_000, 900_000)
        if teller.chance(0.6):
            if member.held and teller.chance(0.5):
                member.held[-1].until = max(member.held[-1].since, day - timedelta(days=rng.randrange(-60, 60)))
            else:
                scheme = rng.choice(("DIBAO", "DIBIAN", "TEKUN", "GANGXING"))
                member.held.append(
                    Holding(scheme, day - timedelta(days=rng.randrange(-30, 90)), None, rng.choice(OFFICES))
                )
        _export(teller, home, member, day)


def _moves(teller: Teller, old: Home, new: Home) -> None:
    """Somebody who is not the head leaves for the other household; known in one export."""
    others = [member for member in old.members if member.relation != "HEAD"]
    if not others or not teller.chance(0.25):
        return
    member = teller.rng.choice(others)
    days = (teller.span.end - teller.span.first).days
    moved = teller.span.first + timedelta(days=teller.rng.randrange(30, days - 30))
    known = moved + timedelta(days=teller.rng.choice((0, 1, 10, 40)))
    _export(teller, old, member, known, left=moved)
    there = Member(member.person, "OTHER", member.born, moved, member.held)
    _export(teller, new, there, known)
