"""Bills around every line, with refunds, corrections, reversals and repeats."""

from datetime import date, timedelta

from load_tests.recorded.homes import Home, Member
from load_tests.recorded.tell import Teller

_VISITS = ("OUTPATIENT", "CHRONIC_OUTPATIENT", "INPATIENT", "PHARMACY")
_LINES = {"TEKUN": 100_000, "DIBAO": 500_000, None: 1_500_000, "OTHER": 1_500_000}
BEFORE_DAYS = 300


def treatment(teller: Teller, home: Home) -> None:
    """Two thirds of the members are treated, some as if on the line itself."""
    for member in home.members:
        if teller.chance(0.66):
            _bills(teller, member)


def _bills(teller: Teller, member: Member) -> None:
    rng = teller.rng
    scheme = member.held[0].scheme if member.held else None
    line = _LINES.get(scheme, 1_000_000)
    a_year = int(line * rng.choice((0.3, 0.9, 1.1, 1.3, 2.1, 3.2)))
    every = rng.choice((20, 45, 90, 180))
    days = (teller.span.end - teller.span.first).days
    day = teller.span.first - timedelta(days=rng.randrange(BEFORE_DAYS))
    end = teller.span.first + timedelta(days=days)
    number = 0
    while day < end:
        number += 1
        inside = a_year * every // 365 * rng.randrange(40, 160) // 100
        if teller.chance(0.05):
            inside = line // 2  # two of them come to exactly the line
        _bill(teller, member, f"R{teller.name}-{member.person[2:8]}-{number}", day, inside)
        day += timedelta(days=rng.randrange(1, 2 * every))


def _bill(teller: Teller, member: Member, number: str, day: date, inside: int) -> None:
    rng = teller.rng
    outside = inside * rng.choice((0, 0, 10, 50)) // 100
    late = teller.often_late(60)
    data = _amounts(number, day, rng.choice(_VISITS), inside, outside, rng.choice((0, 1_000, 20_000)))
    feed, person = "medical.settlement", member.person
    what = rng.random()
    if what < 0.02:  # taken back before it was told
        teller.tell(feed, person, day, data, late, "reverse")
        teller.tell(feed, person, day, data, late + rng.randrange(1, 30), recorded=max(day, teller.span.first))
        return
    teller.tell(feed, person, day, data, late)
    if what < 0.06:
        teller.tell(feed, person, day, data, late + rng.randrange(1, 90), "reverse")
    elif what < 0.12:
        other = _amounts(number, day + timedelta(days=rng.choice((0, 0, -3))), "INPATIENT",
                         inside * rng.choice((0, 50, 200)) // 100, outside, 0)  # fmt: skip
        teller.tell(feed, person, day, other, late + rng.randrange(1, 90), "correct")
    elif what < 0.15:
        teller.tell(feed, person, day, data, late + rng.randrange(1, 9))
    elif what < 0.17:
        back = _amounts(number + "T", day + timedelta(days=20), "INPATIENT", -inside // 2, 0, 0)
        teller.tell(feed, person, day + timedelta(days=20), back, late)
    if teller.chance(0.15):
        _refunds(teller, member, number, day, inside)


def _refunds(teller: Teller, member: Member, number: str, day: date, inside: int) -> None:
    rng = teller.rng
    for n in range(rng.choice((1, 1, 2))):
        paid = day + timedelta(days=rng.randrange(1, 120))
        payer = rng.choice(("示例惠民保", "示例商业保险"))
        data = {"settle_no": number, "payer": payer, "reimburse_no": f"{number}-{n}",
                "paid_on": paid, "amount": inside * rng.choice((20, 50, 80, 130)) // 100}  # fmt: skip
        teller.tell("medical.reimbursement", member.person, paid, data, teller.often_late())
        if teller.chance(0.1):
            teller.tell("medical.reimbursement", member.person, paid, data, 45, "reverse")


def _amounts(number: str, day: date, visit: str, inside: int, outside: int, account: int) -> dict[str, object]:
    pooled = inside * 2
    if inside < 0:
        account = 0
    return {
        "settle_no": number, "settled_on": day, "visit": visit, "hospital": "H33990100009",
        "total": pooled + account + inside + outside, "pooled_pay": pooled, "critical_pay": 0, "aid_pay": 0,
        "account_pay": account, "in_catalogue_self_paid": inside, "out_of_catalogue": outside,
    }  # fmt: skip
