"""Schools, fees and aid of pupils and students; medical insurance of the year."""

from datetime import date, timedelta

from load_tests.recorded.homes import Home, Member
from load_tests.recorded.tell import Teller

_STAGES = ("PRIMARY", "JUNIOR", "SENIOR", "VOCATIONAL", "COLLEGE", "COLLEGE")
_AIDS = ("GRANT", "WAIVER", "LIVING", "LOAN", "CHARITY", "OTHER")


def schooling(teller: Teller, home: Home) -> None:
    """Everybody is insured or not; the young learn."""
    for member in home.members:
        _insured(teller, member)
        if 6 <= home.age(member, teller.span.first) <= 26 and teller.chance(0.6):
            _school(teller, member)


def _years(teller: Teller) -> range:
    return range(teller.span.first.year - 1, teller.span.end.year + 1)


def _insured(teller: Teller, member: Member) -> None:
    rng = teller.rng
    habit = rng.choice((0.1, 0.9, 0.9))
    for year in _years(teller):
        if not teller.chance(0.85):
            continue
        since = date(year, 1, 1) + timedelta(days=rng.choice((0, 0, 0, 40, 150)))
        until = since + timedelta(days=rng.randrange(10, 200)) if teller.chance(0.08) else None
        told = max(since - timedelta(days=10), teller.span.first)
        data: dict[str, object] = {"plan": "RESIDENT" if teller.chance(0.8) else "EMPLOYEE", "year": str(year),
                                   "since": since, "until": until,
                                   "subsidised": "yes" if teller.chance(habit) else "no"}  # fmt: skip
        teller.tell("medical.enrolment", member.person, told, data, rng.choice((0, 5, 30)))


def _school(teller: Teller, member: Member) -> None:
    rng = teller.rng
    stage = rng.choice(_STAGES)
    since = date(rng.choice(list(_years(teller))), 9, 1)
    until = since + timedelta(days=rng.randrange(60, 700)) if teller.chance(0.3) else None
    data: dict[str, object] = {"school": "3133990101", "since": since, "stage": stage, "until": until,
                               "ended": rng.choice(("GRADUATED", "SUSPENDED", "LEFT")) if until else None}  # fmt: skip
    teller.tell("education.enrolment", member.person, since, data, teller.often_late())
    costly, helped = rng.choice((50_000, 400_000, 1_500_000)), rng.choice((0, 0.3, 0.9))
    for year in _years(teller):
        for term, day in (("AUTUMN", date(year, 9, 1)), ("SPRING", date(year + 1, 2, 1))):
            if teller.chance(0.8):
                fee: dict[str, object] = {"school_year": str(year), "term": term, "item": "TUITION", "stage": stage,
                                          "amount": costly if teller.chance(0.95) else -costly // 2}  # fmt: skip
                teller.tell("education.fee", member.person, day, fee, rng.randrange(1, 60))
            if teller.chance(helped):
                aid: dict[str, object] = {"school_year": str(year), "term": term, "aid": rng.choice(_AIDS),
                                          "amount": rng.choice((0, 100_000, 300_000, -50_000))}  # fmt: skip
                teller.tell("education.aid", member.person, day, aid, rng.randrange(1, 90))
