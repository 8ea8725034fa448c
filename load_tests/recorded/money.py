"""Wages, pensions, taxed income, housing funds, benefits and temporary aid, with gaps, repeats and corrections."""

from collections.abc import Iterator
from datetime import date, timedelta

from load_tests.city.calendar import month_start
from load_tests.recorded.homes import Home, Member
from load_tests.recorded.tell import Teller, month_text

_WORKING = (16, 66)
_KINDS = ("RETIRED", "FLEXIBLE", "MATERNITY", "MILITARY", "PLACED", "UNEMPLOYED")
_TAXED = ("WAGES", "LABOUR", "BUSINESS", "LETTING", "INTEREST", "TRANSFER", "OTHER")
BEFORE_MONTHS = 13


def money(teller: Teller, home: Home) -> None:
    """Whatever comes into a home."""
    for member in home.members:
        age = home.age(member, teller.span.first)
        if _WORKING[0] <= age <= _WORKING[1] and teller.chance(0.5):
            _work(teller, member)
        if age >= 58 and teller.chance(0.7):
            _pension(teller, member)
        if age >= 16 and teller.chance(0.12):
            _taxed(teller, member)
        _benefits(teller, member)
    if teller.chance(0.2):
        _aid(teller, home)


def months(teller: Teller, first: int, after: int) -> Iterator[date]:
    """First days of months, counted from the first simulated one."""
    yield from (month_start(teller.span.first, n) for n in range(first, after))


def _work(teller: Teller, member: Member) -> None:
    """Insured for some stretches, with gaps; some gaps have a reason."""
    rng, total = teller.rng, teller.span.months
    base = rng.choice((120_000, 180_000, 250_000, 450_000))
    month, employer = -BEFORE_MONTHS if teller.chance(0.8) else rng.randrange(total), "E33990100001"
    while month < total:
        stop = month + rng.randrange(1, 20)
        for first in months(teller, month, min(stop, total)):
            if not teller.chance(0.01):
                _insured(teller, member, first, employer, base)
        if teller.chance(0.35):
            start = month_start(teller.span.first, stop) + timedelta(days=rng.randrange(-20, 45))
            until = start + timedelta(days=rng.randrange(15, 300)) if teller.chance(0.5) else None
            spell: dict[str, object] = {"kind": rng.choice(_KINDS), "start": start, "until": until}
            teller.tell("employment.status", member.person, start, spell, teller.often_late(80))
        month = stop + rng.choice((0, 1, 2, 3, 4, 8, 15))
        employer = f"E3399010000{rng.randrange(2, 9)}"
    if teller.chance(0.15):
        for first in months(teller, max(0, total // 3), total):
            fund = {"account": f"F{member.person[2:12]}", "month": month_text(first), "base": base,
                    "deposit": base // 10,
                    "withdrawn": 0, "loan": "NONE", "arrears_months": 0}  # fmt: skip
            teller.tell("housing.fund", member.person, first, fund, 40)


def _insured(teller: Teller, member: Member, first: date, employer: str, base: int) -> None:
    feed, data = "employment.contribution", {"month": month_text(first), "employer": employer, "base": base}
    told = month_start(first, 1)
    late = teller.rng.choice((3, 6, 9)) if teller.chance(0.94) else teller.rng.randrange(20, 120)
    if teller.chance(0.3):
        data |= {"paid_on": told}
    teller.tell(feed, member.person, told, data, late)
    if teller.chance(0.02):
        teller.tell(feed, member.person, told, data, late + teller.rng.randrange(1, 60), "reverse")


def _pension(teller: Teller, member: Member) -> None:
    rng = teller.rng
    resident = teller.chance(0.5)
    amount = rng.choice((30_000, 90_000)) if resident else rng.choice((150_000, 280_000))
    basic = 20_000 if resident else amount // 3
    for first in months(teller, rng.choice((-BEFORE_MONTHS, 2)), teller.span.months):
        if teller.chance(0.97):
            data: dict[str, object] = {"scheme": "RESIDENT" if resident else "EMPLOYEE", "month": month_text(first),
                                       "amount": amount, "basic": basic}  # fmt: skip
            late = rng.choice((4, 8)) if teller.chance(0.95) else rng.randrange(20, 90)
            teller.tell("pension.payment", member.person, month_start(first, 1), data, late)


def _taxed(teller: Teller, member: Member) -> None:
    rng = teller.rng
    if teller.chance(0.8):
        signed = teller.span.first - timedelta(days=rng.randrange(0, 200))
        ends = signed + timedelta(days=rng.choice((100, 365, 900))) if teller.chance(0.6) else None
        gone = signed + timedelta(days=rng.randrange(30, 600)) if teller.chance(0.2) else None
        data: dict[str, object] = {"scope": rng.choice(("TAX", "TAX", "MEANS")), "signed_on": signed, "valid_to": ends,
                                   "withdrawn_on": gone, "document": "星民授〔2025〕1号"}  # fmt: skip
        teller.tell("civil.authorisation", member.person, signed, data, rng.choice((0, 30)))
    for _ in range(rng.randrange(1, 5)):
        first = month_start(teller.span.first, rng.randrange(-8, teller.span.months - 2))
        last = month_start(first, rng.choice((0, 0, 1, 2, 11)))
        data = {"payer": rng.choice(("-", "E33990100001")), "kind": rng.choice(_TAXED), "month_from": month_text(first),
                "month_to": month_text(last), "amount": rng.choice((-20_000, 50_000, 300_000, 900_000)),
                "request_no": "HD1"}  # fmt: skip
        teller.tell("tax.income", member.person, month_start(last, 1), data, rng.randrange(5, 60))


def _benefits(teller: Teller, member: Member) -> None:
    """What is held is mostly paid; subsidies of disabled people and a second scheme sometimes are, too."""
    rng, total = teller.rng, teller.span.months
    for scheme in dict.fromkeys(held.scheme for held in member.held):
        if scheme not in ("OTHER", "FANGPIN"):
            _paid(teller, member, scheme, -2, total, 0.99)
    for scheme, share in (("CANJI_SHENGHUO", 0.1), ("CANJI_HULI", 0.1), ("GONGSHANG_HULI", 0.03), ("TEKUN", 0.03),
                          ("DIANFEI", 0.1), ("GAOLING", 0.05)):  # fmt: skip
        if teller.chance(share):
            first = rng.randrange(-3, total)
            _paid(teller, member, scheme, first, min(total, first + rng.choice((1, 2, 6, 40))), 0.95)


def _paid(teller: Teller, member: Member, scheme: str, first: int, after: int, share: float) -> None:
    rng = teller.rng
    for month in months(teller, first, after):
        if not teller.chance(share):
            continue
        amount = 30_000 if teller.chance(0.98) else rng.choice((0, -30_000))
        data: dict[str, object] = {"scheme": scheme, "month": month_text(month), "amount": amount}
        late = rng.choice((0, 3, 20)) if teller.chance(0.95) else rng.randrange(20, 100)
        teller.tell("civil.benefit", member.person, month, data, late)
        if teller.chance(0.01):
            teller.tell("civil.benefit", member.person, month, data, late + rng.randrange(1, 60), "reverse")


def _aid(teller: Teller, home: Home) -> None:
    rng = teller.rng
    days = (teller.span.end - teller.span.first).days
    day = teller.span.first + timedelta(days=rng.randrange(days))
    for n in range(rng.choice((1, 2, 2, 3))):
        member = rng.choice(home.members)
        area = home.town if teller.chance(0.5) else f"{home.town[:6]}{rng.randrange(1, 11):03d}000"
        data: dict[str, object] = {"aid_no": f"LS{teller.name}-{home.household[2:8]}-{n}", "kind": "EMERGENCY",
                                   "amount": rng.choice((0, 100_000, 300_000)), "approved_on": day,
                                   "area": area}  # fmt: skip
        late = teller.often_late()
        teller.tell("civil.temp_aid", member.person, day, data, late)
        if teller.chance(0.08):
            teller.tell("civil.temp_aid", member.person, day, data, late + 30, "reverse")
        day += timedelta(days=rng.randrange(0, 25))
