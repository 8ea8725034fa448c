"""Certificates, deaths, custody, public rental and answers of departments."""

from datetime import date, timedelta

from load_tests.city.calendar import month_start
from load_tests.recorded.homes import Home, Member
from load_tests.recorded.tell import Teller, month_text

_CATEGORIES = ("PHYSICAL", "PHYSICAL", "VISUAL", "INTELLECTUAL", "MENTAL", "MULTIPLE")
_SOURCES = ("police", "health", "cremation", "civil")
_ITEMS = ("残疾人两项补贴", "医保资助参保", "公租房租金减免", "学生资助", "电费减免", "临时救助")


def standing(teller: Teller, home: Home) -> None:
    """What is said of a person for longer than a month."""
    for member in home.members:
        if teller.chance(0.18):
            _certificate(teller, member)
        if teller.chance(0.07):
            _death(teller, member)
        if teller.chance(0.03):
            _custody(teller, member)
        if teller.chance(0.06):
            _answer(teller, member)
    if teller.chance(0.2):
        _rent(teller, home)


def _day(teller: Teller, before: int = 0) -> date:
    days = (teller.span.end - teller.span.first).days
    return teller.span.first + timedelta(
        days=teller.rng.randrange(-before, days) if before else teller.rng.randrange(days)
    )


def _certificate(teller: Teller, member: Member) -> None:
    rng, category = teller.rng, teller.rng.choice(_CATEGORIES)
    issued = _day(teller, 700)
    for action in ("NEW", *rng.choice(((), (), ("RENEW",), ("CHANGE",)))):
        expires = issued + timedelta(days=rng.randrange(60, 3000)) if teller.chance(0.7) else None
        cancelled = issued + timedelta(days=rng.randrange(0, 400)) if teller.chance(0.1) else None
        data: dict[str, object] = {"category": category, "issued_on": issued, "level": str(rng.randrange(1, 5)),
                                   "action": "CANCEL" if cancelled else action, "expires_on": expires,
                                   "cancelled_on": cancelled}  # fmt: skip
        late = teller.often_late(90)
        teller.tell("disability.certificate", member.person, issued, data, late)
        if teller.chance(0.05):
            teller.tell("disability.certificate", member.person, issued, data, late + 40, "reverse")
        issued += timedelta(days=rng.randrange(1, 500))
        if issued >= teller.span.end:
            return


def _death(teller: Teller, member: Member) -> None:
    rng, died = teller.rng, _day(teller, 60)
    for source in rng.sample(_SOURCES, rng.choice((1, 1, 2, 3))):
        day = died + timedelta(days=rng.choice((0, 0, 0, 1, 30, -20)))
        data: dict[str, object] = {"reported_by": source, "died_on": day}
        late = rng.choice((1, 3, 20, 70))
        teller.tell("vital.death", member.person, day, data, late)
        if teller.chance(0.2):
            teller.tell("vital.death", member.person, day, data, late + rng.randrange(1, 60), "reverse")
        elif teller.chance(0.1):
            data = {"reported_by": source, "died_on": day + timedelta(days=rng.randrange(-40, 1))}
            teller.tell("vital.death", member.person, day, data, late + rng.randrange(1, 60), "correct")


def _custody(teller: Teller, member: Member) -> None:
    rng, since = teller.rng, _day(teller, 300)
    until = since + timedelta(days=rng.randrange(10, 500)) if teller.chance(0.6) else None
    category = rng.choice(("DETAINED", "PRISON", "REHAB", "MISSING", "OTHER"))
    data: dict[str, object] = {"category": category, "since": since, "until": until}
    teller.tell("justice.custody", member.person, since, data, teller.often_late())


def _answer(teller: Teller, member: Member) -> None:
    rng, day = teller.rng, _day(teller)
    outcome = rng.choice(("ACCEPTED", "DECLINED", "ALREADY", "IN_SERVICE", "DONE"))
    reason = rng.choice(("CONDITIONS", "UNWANTED", "PAPERS")) if outcome == "DECLINED" else None
    data: dict[str, object] = {"referral_no": f"ZJ{member.person[2:10]}", "item": rng.choice(_ITEMS),
                               "department": "示例单位", "answered_on": day, "outcome": outcome,
                               "reason": reason}  # fmt: skip
    teller.tell("referral.feedback", member.person, day, data, teller.often_late())


def _rent(teller: Teller, home: Home) -> None:
    """A contract for some months; relief in some of them."""
    rng, tenant = teller.rng, teller.rng.choice(home.members)
    first = rng.randrange(-3, teller.span.months)
    helped = rng.choice((0, 0.1, 0.9))
    contract = f"GZ{home.household[2:12]}"
    for n in range(first, min(teller.span.months, first + rng.choice((3, 12, 30)))):
        period = month_start(teller.span.first, n)
        due = period + timedelta(days=24)
        bill: dict[str, object] = {"contract": contract, "billing_period": month_text(period), "item": "bill",
                                   "amount": 40_000, "paid": 40_000, "due_on": due}  # fmt: skip
        if teller.chance(0.96):
            teller.tell("housing.security", tenant.person, period, bill, rng.choice((5, 20, 36)))
        if teller.chance(helped):
            relief: dict[str, object] = {"contract": contract, "billing_period": month_text(period), "item": "relief",
                                         "amount": rng.choice((0, 20_000, 40_000))}  # fmt: skip
            teller.tell("housing.security", tenant.person, period, relief, rng.choice((5, 20, 60)))
