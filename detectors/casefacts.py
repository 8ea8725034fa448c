"""Turns the facts of a case file into ledger facts: short forms of the first feeds here, any other by its fields."""

from collections.abc import Callable
from datetime import date

from detectors.casefile import Case, household_fields, person_of
from detectors.casemonths import each_month
from detectors.feedfacts import of_feed
from policy.marked import Marked
from schemas.facts import (
    AnyFact,
    Benefit,
    Bill,
    Contribution,
    Death,
    Declared,
    Employment,
    Membership,
    Refund,
    Rent,
    Status,
)
from schemas.facts_contact import AreaIncident
from schemas.feeds.emergency import IncidentSort
from schemas.feeds.links import SharedAccount
from schemas.labels import Relation, ReportedBy
from schemas.records import FactBody

HOUSEHOLD_ID = "h_" + "0" * 31 + "1"
OTHER_HOUSEHOLD = "h_" + "0" * 31 + "2"
_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_MEMBER_SINCE = date(2020, 1, 1)
_COMMON = frozenset({"person", "operation", "source", "recorded"})


class Line:
    """One fact of a case: its fields by name, each asked for at most once; asking tells which are allowed."""

    def __init__(self, place: Marked, sequence: int, area: str) -> None:
        self.place, self.sequence, self.area = place, sequence, area
        self.fields = place.mapping()
        self.asked = set(_COMMON)

    def has(self, name: str) -> bool:
        """Whether a field is written."""
        self.asked.add(name)
        return name in self.fields

    def text(self, name: str, default: str) -> str:
        """A text field."""
        return self.fields[name].text() if self.has(name) else default

    def fen(self, name: str) -> int:
        """An amount, 0 when it is not written; a credit is written `-300元`."""
        if not self.has(name):
            return 0
        text = self.fields[name].text()
        return -_yuan(text[1:], self.fields[name]) if text.startswith("-") else self.fields[name].fen()

    def day(self, name: str) -> int:
        """A day ordinal; the field is required."""
        if not self.has(name):
            self.place.fail(f"缺少“{name}”")
        return self.fields[name].day().toordinal()

    def day_or_none(self, name: str) -> int | None:
        """A day ordinal, None when it is not written."""
        return self.day(name) if self.has(name) else None

    def month(self, name: str) -> int:
        """First day of a month written 2025-03."""
        if not self.has(name):
            self.place.fail(f"缺少“{name}”")
        text = self.fields[name].text()
        try:
            return date.fromisoformat(f"{text}-01").toordinal()
        except ValueError:
            self.fields[name].fail("月份写成2025-03这样")

    @property
    def person(self) -> str:
        """The pseudonym of the person the fact belongs to."""
        return person_of(self.text("person", ""))

    def head(self, key: str, day: int) -> tuple[str, int, int, str, str, bool, int]:
        """The seven fields every fact starts with. Later lines win over earlier ones."""
        recorded = self.day_or_none("recorded") or day
        gone = self.text("operation", "record") == "reverse"
        source = self.text("source", "案例")
        return (key, (recorded - _EPOCH) * _DAY_MS, self.sequence, f"case-{self.sequence}", source, gone, day)

    def finish(self) -> None:
        """Refuse fields nobody asked for."""
        for name, value in self.fields.items():
            if name not in self.asked:
                value.fail(f"不认识的字段“{name}”")


def _bill(line: Line) -> AnyFact:
    head = line.head(line.text("settle_no", ""), line.day("on"))
    inside, outside, account = line.fen("in_catalogue_self_paid"), line.fen("out_of_catalogue"), line.fen("account_pay")
    return Bill(*head, inside, outside, account, inside + outside + account, line.text("visit", "INPATIENT"))


def _refund(line: Line) -> AnyFact:
    settle_no, payer, number = line.text("settle_no", ""), line.text("payer", ""), line.text("reimburse_no", "")
    return Refund(*line.head(f"{settle_no}|{payer}|{number}", line.day("on")), settle_no, payer, line.fen("amount"))


def _contribution(line: Line) -> AnyFact:
    month, employer = line.month("month"), line.text("employer", "E1")
    key = f"{line.person}|{date.fromordinal(month):%Y-%m}|{employer}"
    return Contribution(*line.head(key, month), employer, line.fen("base"))


def _employment(line: Line) -> AnyFact:
    kind, start = line.text("kind", ""), line.day("start")
    key = f"{line.person}|{kind}|{date.fromordinal(start)}"
    return Employment(*line.head(key, start), kind, line.day_or_none("until"))


def _rent(line: Line) -> AnyFact:
    contract, item, period = line.text("contract", "G1"), line.text("item", "bill"), line.month("period")
    head = line.head(f"{contract}|{date.fromordinal(period):%Y-%m}|{item}", period)
    due_on = line.day_or_none("due_on") or period + 19
    until = line.day_or_none("until") or line.day_or_none("paid_on")
    return Rent(*head, contract, item, line.fen("amount"), line.fen("paid"), due_on, until)


def _benefit(line: Line) -> AnyFact:
    month, scheme = line.month("month"), line.text("scheme", "DIBAO")
    key = f"{line.person}|{scheme}|{date.fromordinal(month):%Y-%m}"
    return Benefit(*line.head(key, month), scheme, line.fen("amount") or 100_000)


def _death(line: Line) -> AnyFact:
    reported_by = line.text("reported_by", "police")
    if ReportedBy.of_label(reported_by) is None and reported_by not in ReportedBy.__members__:
        line.place.fail(f"“{reported_by}”不是登记来源")
    return Death(*line.head(f"{line.person}|{reported_by}", line.day("on")), reported_by)


def _membership(line: Line) -> AnyFact:
    """A stay here, or with `elsewhere` (its area) in another declared household, where the person is the head."""
    if line.has("elsewhere"):
        return membership(line, line.person, declared_in(line.fields["elsewhere"].text(), None), OTHER_HOUSEHOLD)
    return membership(line, line.person, declared_in(line.area, line.fen("income")) if line.has("income") else None)


def _shared(line: Line) -> AnyFact:
    """What the links stage says: from `since` until `until` so many unrelated households use the account."""
    account, since, until = line.text("account", "账户1"), line.day("since"), line.day_or_none("until")
    steps = ((since, line.fields["households"].whole() if line.has("households") else 2),)
    areas = tuple(each.text() for each in line.fields["areas"].sequence()) if line.has("areas") else ()
    key = f"{account}|{line.person}"
    return SharedAccount(*line.head(key, since), account, steps if until is None else (*steps, (until, 0)), areas)


def _struck(line: Line) -> AnyFact:
    """What the monitor makes of a declared incident, for one person: the household's own town unless another is named,
    or its address."""
    sort = line.text("sort", "台风")
    code = IncidentSort.of_label(sort) or line.fields["sort"].fail(f"“{sort}”不是事件类型")
    number, named = line.text("number", "YJ1"), line.text("named", "否") == "是"
    head = line.head(f"{number}|{line.person}", line.day("on"))
    return AreaIncident(*head, code.value, line.text("area", line.area), named)


FACTS: dict[str, Callable[[Line], AnyFact]] = {
    "medical.settlement": _bill,
    "medical.reimbursement": _refund,
    "employment.contribution": _contribution,
    "employment.status": _employment,
    "housing.security": _rent,
    "civil.benefit": _benefit,
    "civil.household": _membership,
    "vital.death": _death,
    "link.account": _shared,
    "incident.area": _struck,
}


def membership(
    line: Line, person: str, declared: Declared | None, household: str = HOUSEHOLD_ID
) -> Membership:
    """One member's stay: relation, born, since, until, status or statuses."""
    since = line.day_or_none("since") or _MEMBER_SINCE.toordinal()
    label = line.text("relation", "户主")
    relation = Relation.of_label(label) or line.fields["relation"].fail(f"“{label}”不是与户主关系")
    statuses = [Status(line.text("status", ""), since, None, "案例", "案例")] if line.has("status") else []
    if line.has("statuses"):
        statuses += [_status(Line(each, 0, line.area)) for each in line.fields["statuses"].sequence()]
    key = f"{household}|{person}|{date.fromordinal(since)}"
    return Membership(
        *line.head(key, since),
        household,
        person,
        relation.value,
        line.day_or_none("until"),
        line.day_or_none("born"),
        tuple(statuses),
        declared,
    )


def declared_in(area: str, income_fen: int | None) -> Declared:
    """What civil affairs decided: one area for all four, the assessed income of a month."""
    return Declared(area, area, area, area, income_fen, "案例核定期间", "案例核定文书")


def bodies(places: tuple[Marked, ...], start: int, area: str) -> list[FactBody]:
    """Facts in their order; `start` numbers them so that later ones win."""
    found = []
    for offset, place in enumerate(places):
        for feed, key, fields in place.items():
            make = FACTS.get(feed) or of_feed(feed) or key.fail(f"没有“{feed}”这个数据")
            for each in each_month(fields):
                line = Line(each, start + offset, area)
                fact = make(line)
                line.finish()
                found.append(FactBody(line.person, fact))
    return found


def members(case: Case) -> list[FactBody]:
    """The household as declared: its members, the areas and the assessed income on the head's membership."""
    fields = household_fields(case)
    area = fields["area"].text()
    income = fields["income"].fen() if "income" in fields else None
    declared = declared_in(area, income)
    found = []
    for place in fields["members"].sequence():
        line = Line(place, 0, area)
        own = declared if line.text("relation", "户主") == "户主" else None
        fact = membership(line, line.person, own)
        line.finish()
        found.append(FactBody(fact.person, fact))
    return found


def _status(line: Line) -> Status:
    status = Status(line.text("scheme", ""), line.day("since"), line.day_or_none("until"), "案例", "案例")
    line.finish()
    return status


def _yuan(text: str, place: Marked) -> int:
    if not text.endswith("元") or not text[:-1].isdigit():
        place.fail("负数金额写成“-300元”这样")
    return int(text[:-1]) * 100
