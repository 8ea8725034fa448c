"""Rows of the feeds that only a city of every rule delivers, one function per feed; as `rows`, with plain numbers."""

from datetime import date

from load_tests.city.rows import Row, Value


def _row(feed: str, identity: str, **values: Value) -> Row:
    return Row(feed, identity, values)


def _yes(said: bool) -> str:
    return "yes" if said else "no"


def insured(
    identity: str, year: int, *, subsidised: bool, since: date | None = None, until: date | None = None,
    plan: str = "RESIDENT",
) -> Row:  # fmt: skip
    """Medical insurance of a year."""
    return _row(
        "medical.enrolment", identity, plan=plan, year=str(year), since=since or date(year, 1, 1), until=until,
        subsidised=_yes(subsidised),
    )  # fmt: skip


def pension(identity: str, month: date, fen: int, basic_fen: int = 0) -> Row:
    """A pension of a month; with a basic pension it is that of residents."""
    scheme = "RESIDENT" if basic_fen else "EMPLOYEE"
    return _row("pension.payment", identity, scheme=scheme, month=f"{month:%Y-%m}", amount=fen, basic=basic_fen)


def school(
    identity: str, since: date, stage: str, until: date | None = None, ended: str | None = None,
    number: str = "3133990101",
) -> Row:  # fmt: skip
    """A spell at a school."""
    return _row("education.enrolment", identity, school=number, since=since, stage=stage, until=until, ended=ended)


def fee(identity: str, year: int, fen: int, stage: str, term: str = "AUTUMN", item: str = "TUITION") -> Row:
    """What a family paid for a term."""
    return _row("education.fee", identity, school_year=str(year), term=term, item=item, stage=stage, amount=fen)


def school_aid(identity: str, year: int, fen: int, aid: str = "GRANT", term: str = "AUTUMN") -> Row:
    """Aid of a term."""
    return _row("education.aid", identity, school_year=str(year), term=term, aid=aid, amount=fen)


def temp_aid(identity: str, number: str, day: date, area: str, fen: int = 200_000) -> Row:
    """Temporary aid granted."""
    return _row("civil.temp_aid", identity, aid_no=number, kind="EXPENSE", amount=fen, approved_on=day, area=area)


def allows(identity: str, day: date, scope: str = "MEANS") -> Row:
    """Somebody allows something to be looked at, without an end."""
    return _row("civil.authorisation", identity, scope=scope, signed_on=day, document=f"星核授{day:%Y%m%d}")


def power(
    identity: str, account: str, month: date, fen: int, paid_fen: int, due: date, *, notice: date | None = None,
    lives_there: bool = True,
) -> Row:  # fmt: skip
    """An electricity bill of a month."""
    return _row(
        "utility.bill", identity, utility="ELECTRICITY", account=account, month=f"{month:%Y-%m}", amount=fen,
        paid=paid_fen, due_on=due, notice_on=notice, lives_there=_yes(lives_there),
    )  # fmt: skip


def used(identity: str, meter: str, month: date, quantity: int, last: date) -> Row:
    """What a meter counted in a whole month, `last` its last day."""
    return _row(
        "utility.usage", identity, utility="ELECTRICITY", meter=meter, month=f"{month:%Y-%m}", quantity=quantity,
        as_of=last,
    )  # fmt: skip


def certificate(
    identity: str, day: date, level: int, action: str = "NEW", category: str = "PHYSICAL", expires: date | None = None
) -> Row:
    """A disability certificate."""
    return _row(
        "disability.certificate", identity, category=category, issued_on=day, level=str(level), action=action,
        expires_on=expires,
    )  # fmt: skip


def ticket(identity: str, number: str, day: date, area: str, category: str = "LIVING") -> Row:
    """A call about somebody."""
    return _row("hotline.ticket", identity, ticket_no=number, category=category, called_on=day, area=area, about="SELF")


def lead(identity: str, number: str, day: date, area: str, category: str = "LIVING") -> Row:
    """Need somebody of the village saw."""
    return _row("grid.lead", identity, lead_no=number, category=category, found_on=day, area=area, found_by="VILLAGE")


def report(identity: str, number: str, day: date, area: str, category: str = "LIVING") -> Row:
    """Somebody asks for help."""
    return _row(
        "self.report", identity, report_no=number, category=category, reported_on=day, area=area, channel="WINDOW"
    )


def incident(
    identity: str, number: str, day: date, area: str, *, sort: str = "FIRE", home: str = "INTACT", injury: str = "NONE",
    insured: str = "NONE", loss_fen: int | None = None,
) -> Row:  # fmt: skip
    """What an incident did to somebody."""
    return _row(
        "emergency.incident", identity, incident_no=number, sort=sort, happened_on=day, area=area, injury=injury,
        home=home, loss=loss_fen, insured=insured,
    )  # fmt: skip


def accident(identity: str, number: str, day: date, injury: str, insured: str = "PARTLY") -> Row:
    """A traffic accident."""
    return _row(
        "traffic.accident", identity, accident_no=number, happened_on=day, injury=injury, liability="PART",
        insured=insured,
    )  # fmt: skip


def alarm(identity: str, number: str, day: date, sort: str, outcome: str) -> Row:
    """An alarm of a system that watches homes."""
    return _row(
        "safety.incident", identity, system="XHJJ01", alarm_no=number, alarm=sort, raised_on=day, outcome=outcome
    )


def custody(identity: str, category: str, since: date, expected: date | None = None, until: date | None = None) -> Row:
    """A parent is kept from caring."""
    return _row("justice.custody", identity, category=category, since=since, expected_to=expected, until=until)


def kinship(identity: str, number: str, day: date, relative: str, relation: str) -> Row:
    """The register says how two people are related."""
    return _row(
        "household.change", identity, register_no=number, change="KINSHIP", changed_on=day, relative=relative,
        relation=relation,
    )  # fmt: skip


def vehicle(
    identity: str, number: str, vehicle: str, day: date, *, sort: str = "CAR", band: str = "TO_150K",
    action: str = "NEW", disabled: bool = False,
) -> Row:  # fmt: skip
    """A vehicle registered."""
    return _row(
        "vehicle.registration", identity, registration_no=number, vehicle=vehicle, action=action, registered_on=day,
        sort=sort, band=band, disabled_use=_yes(disabled),
    )  # fmt: skip


def home(identity: str, number: str, unit: str, day: date, *, use: str = "HOME", share: int = 100) -> Row:
    """Real estate acquired."""
    return _row(
        "property.registration", identity, registration_no=number, unit=unit, action="ACQUIRE", registered_on=day,
        right="OWNERSHIP", use=use, share=share, area=80,
    )  # fmt: skip


def business(identity: str, number: str, day: date, role: str, capital_fen: int, share: int | None = None) -> Row:
    """A role in a business."""
    return _row(
        "business.registration", identity, business=number, role=role, since=day, capital=capital_fen, share=share,
        standing="ACTIVE",
    )  # fmt: skip


def savings(identity: str, request: str, day: date, band: str) -> Row:
    """A bank answers about deposits."""
    return _row(
        "finance.check_reply", identity, request_no=request, institution="YH01", asset="DEPOSIT", band=band,
        as_of=day, replied_on=day,
    )  # fmt: skip


def checked(identity: str, request: str, item: str, day: date, difference: str) -> Row:
    """The checking centre answers about one item."""
    return _row("check.reply", identity, request_no=request, item=item, replied_on=day, difference=difference)


def answer(identity: str, number: str, item: str, day: date, outcome: str, reason: str | None = None) -> Row:
    """A department answers about an item of help."""
    return _row(
        "referral.feedback", identity, referral_no=number, item=item, department="示例部门", answered_on=day,
        outcome=outcome, reason=reason,
    )  # fmt: skip
