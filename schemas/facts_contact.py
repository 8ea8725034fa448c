"""Facts about what happened to people and who looked after it: incidents, leads, lists, visits, help given."""

from typing import ClassVar

from schemas.fact import Fact


class TempAid(Fact, array_like=True, frozen=True, gc=False, tag="tempaid"):
    """Temporary aid granted. Key: aid number."""

    kind: str
    amount_fen: int
    area: str

    feed: ClassVar[str] = "civil.temp_aid"
    keyed_alone: ClassVar[bool] = True


class Incident(Fact, array_like=True, frozen=True, gc=False, tag="incident"):
    """A disaster or fire and what it did to one person. Key: (incident number, person)."""

    sort: str
    area: str
    injury: str
    home: str
    loss_fen: int | None
    insured: str

    feed: ClassVar[str] = "emergency.incident"


class AreaIncident(Fact, array_like=True, frozen=True, gc=False, tag="areaincident"):
    """An incident struck where somebody was on record that day; nobody has looked yet. Key: (incident number, person).

    No department publishes it: it follows from `incident.area` on `households.events.v1`. `named`: the household was
    named, because its address is the one reported; else it is one of all on record in `area`.
    """

    sort: str
    area: str
    named: bool

    feed: ClassVar[str] = "incident.area"
    snapshots: ClassVar[bool] = False


class Accident(Fact, array_like=True, frozen=True, gc=False, tag="accident"):
    """A traffic accident and what it did to one person. Key: (accident number, person)."""

    injury: str
    liability: str
    insured: str

    feed: ClassVar[str] = "traffic.accident"


class SafetyAlarm(Fact, array_like=True, frozen=True, gc=False, tag="alarm"):
    """An alarm another system raised about somebody living alone, and how it ended. Key: (system, alarm number)."""

    system: str
    kind: str
    outcome: str

    feed: ClassVar[str] = "safety.incident"
    keyed_alone: ClassVar[bool] = True


class Ticket(Fact, array_like=True, frozen=True, gc=False, tag="ticket"):
    """A call for help at the hotline: its category, never its text. Key: ticket number."""

    category: str
    area: str
    about: str

    feed: ClassVar[str] = "hotline.ticket"
    keyed_alone: ClassVar[bool] = True


class Lead(Fact, array_like=True, frozen=True, gc=False, tag="lead"):
    """Somebody near saw need. Key: lead number."""

    category: str
    area: str
    found_by: str

    feed: ClassVar[str] = "grid.lead"
    keyed_alone: ClassVar[bool] = True


class SelfReport(Fact, array_like=True, frozen=True, gc=False, tag="selfreport"):
    """Somebody asked for help. Key: report number."""

    category: str
    area: str
    channel: str

    feed: ClassVar[str] = "self.report"
    keyed_alone: ClassVar[bool] = True


class Listed(Fact, array_like=True, frozen=True, gc=False, tag="listed"):
    """A department lists a person as over its own line. Key: (person, list, period).

    `measure` against `line`, in fen or as a number; `reply_due` is when the department wants an answer.
    """

    list_type: str
    department: str
    line_fen: int | None
    measure_fen: int | None
    line_count: int | None
    measure_count: int | None
    reply_due: int | None
    reply_form: str

    feed: ClassVar[str] = "screening.list"


class VisitRecord(Fact, array_like=True, frozen=True, gc=False, tag="visit"):
    """A visit as another system checked it in. Key: (system, visit number)."""

    system: str
    plan: str | None
    result: str
    need: str | None

    feed: ClassVar[str] = "visit.record"
    keyed_alone: ClassVar[bool] = True


class HappyList(Fact, array_like=True, frozen=True, gc=False, tag="happylist"):
    """The list of help received and open was handed over. Key: list number."""

    items: int
    pending: int
    received_by: str

    feed: ClassVar[str] = "happy_list.delivery"
    keyed_alone: ClassVar[bool] = True


class Feedback(Fact, array_like=True, frozen=True, gc=False, tag="feedback"):
    """What a department or charity did about one item of a referral. Key: (referral number, item)."""

    referral_no: str
    item: str
    department: str
    outcome: str
    amount_fen: int | None
    reason: str | None

    feed: ClassVar[str] = "referral.feedback"
    keyed_alone: ClassVar[bool] = True
