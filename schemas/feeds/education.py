"""Education feeds 教育局: spells at a school, aid received, fees paid."""

from datetime import date
from typing import Annotated

from schemas.calendar import ordinal
from schemas.facts_living import SchoolAid, SchoolFee, Schooling
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled
from schemas.scalars import Day, Fen, Key, Year

_UNTIL = Flaw("BAD_FIELD", "/data/until", "离校日期不得早于入学日期")
_ENDED = Flaw("MISSING_FIELD", "/data/ended", "离校日期和离校原因须同时填写")


class Stage(Labelled):
    """Stage of schooling."""

    PRESCHOOL = "PRESCHOOL", "学前教育"
    PRIMARY = "PRIMARY", "小学"
    JUNIOR = "JUNIOR", "初中"
    SENIOR = "SENIOR", "普通高中"
    VOCATIONAL = "VOCATIONAL", "中等职业教育"
    COLLEGE = "COLLEGE", "高等教育"
    SPECIAL = "SPECIAL", "特殊教育"


class Leaving(Labelled):
    """How a spell at a school ended."""

    GRADUATED = "GRADUATED", "毕业"
    TRANSFERRED = "TRANSFERRED", "转出"
    SUSPENDED = "SUSPENDED", "休学"
    LEFT = "LEFT", "离校未续学"


class Term(Labelled):
    """Term of a school year."""

    AUTUMN = "AUTUMN", "秋季学期"
    SPRING = "SPRING", "春季学期"


class SchoolAidKind(Labelled):
    """Aid to pupils and students."""

    GRANT = "GRANT", "国家助学金"
    WAIVER = "WAIVER", "学费减免"
    LIVING = "LIVING", "生活补助"
    LOAN = "LOAN", "助学贷款"
    CHARITY = "CHARITY", "慈善助学"
    OTHER = "OTHER", "其他资助"


class FeeItem(Labelled):
    """What a fee is for."""

    TUITION = "TUITION", "学费"
    BOARDING = "BOARDING", "住宿费"
    BOOKS = "BOOKS", "教材费"
    MEALS = "MEALS", "伙食费"
    OTHER = "OTHER", "其他"


class EducationEnrolment(
    FeedModel, kind="education.enrolment", version=1, title="学籍", fact=Schooling, ahead_days=120
):
    """A spell at one school 在一所学校的一段学籍; leaving comes as a correction with `until` and `ended`."""

    school: Annotated[Key, field("学校标识码", key=True, example="3133990101")]
    since: Annotated[Day, field("入学日期", key=True, example="2025-09-01")]
    stage: Annotated[Stage, field("学段", example="JUNIOR")]
    until: Annotated[Day | None, field("离校日期", meaning="不再在校的第一天；仍在校则不填")] = None
    ended: Annotated[Leaving | None, field("离校原因", meaning="有离校日期时必填")] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, school, start)."""
        return f"{origin.subject}|{self.school}|{self.since}"

    def day(self) -> int:
        """First day at the school."""
        return self.since.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A spell ends after it begins, and for a reason."""
        if self.until is not None and self.until < self.since:
            return (_UNTIL,)
        return NO_FLAWS if (self.until is None) == (self.ended is None) else (_ENDED,)

    def to_fact(self, head: FactHead) -> Schooling:
        """The spell, half-open."""
        return Schooling(*head, self.school, self.stage, ordinal(self.until), self.ended)


class EducationAid(FeedModel, kind="education.aid", version=1, title="学生资助", fact=SchoolAid, ahead_days=200):
    """Aid for one term 一个学期的一项资助."""

    school_year: Annotated[
        Year, field("学年", key=True, meaning="学年开始的年份，2025 即 2025—2026 学年", example="2025")
    ]
    term: Annotated[Term, field("学期", key=True, example="SPRING")]
    aid: Annotated[SchoolAidKind, field("资助项目", key=True, example="GRANT")]
    amount: Annotated[Fen, field("资助金额", meaning="减免填减免额；追回为负数", example=150_000)]
    paid_on: Annotated[Day | None, field("发放日期", example="2026-04-10")] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, school year, term, kind of aid)."""
        return f"{origin.subject}|{self.school_year}|{self.term}|{self.aid}"

    def day(self) -> int:
        """First day of the term."""
        return _first_day(self.school_year, self.term)

    def to_fact(self, head: FactHead) -> SchoolAid:
        """The term's aid."""
        return SchoolAid(*head, int(self.school_year), self.term, self.aid, self.amount)


class EducationFee(FeedModel, kind="education.fee", version=1, title="教育缴费", fact=SchoolFee, ahead_days=200):
    """What a family paid for one term 一个学期的一项缴费, after reductions."""

    school_year: Annotated[
        Year, field("学年", key=True, meaning="学年开始的年份，2025 即 2025—2026 学年", example="2025")
    ]
    term: Annotated[Term, field("学期", key=True, example="SPRING")]
    item: Annotated[FeeItem, field("缴费项目", key=True, example="TUITION")]
    stage: Annotated[Stage, field("学段", example="COLLEGE")]
    amount: Annotated[Fen, field("个人缴纳金额", meaning="减免之后由家庭缴纳；退费为负数", example=260_000)]
    paid_on: Annotated[Day | None, field("缴费日期", example="2026-02-27")] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, school year, term, item)."""
        return f"{origin.subject}|{self.school_year}|{self.term}|{self.item}"

    def day(self) -> int:
        """First day of the term."""
        return _first_day(self.school_year, self.term)

    def to_fact(self, head: FactHead) -> SchoolFee:
        """The term's fee."""
        return SchoolFee(*head, int(self.school_year), self.term, self.item, self.stage, self.amount)


def _first_day(school_year: str, term: str) -> int:
    """1 September, or 1 February of the following year."""
    year = int(school_year)
    return date(year + 1, 2, 1).toordinal() if term == "SPRING" else date(year, 9, 1).toordinal()
