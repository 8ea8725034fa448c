"""Civil affairs feeds 民政局: memberships of declared households, benefits and temporary aid, authorisations."""

from datetime import date
from typing import Annotated

from schemas.facts import Benefit, Declared, Membership, Status
from schemas.facts_contact import TempAid
from schemas.facts_standing import Authorisation
from schemas.feed import NO_FLAWS, FactHead, FeedModel, FeedPart, Flaw, Origin, field
from schemas.labels import Labelled, Relation, Sex
from schemas.scalars import Area, Day, Fen, HouseholdId, Key, Month, Scheme, Text

_ORDER = Flaw("BAD_FIELD", "/data/valid_to", "终止日期不得早于起始日期")
_STATUS_ORDER = Flaw("BAD_FIELD", "/data/statuses", "类别的终止日期不得早于起始日期")
_DECLARED = Flaw("MISSING_FIELD", "/data/declared", "户主的成员记录须带属地与核定收入")
_NOT_HEAD = Flaw("BAD_FIELD", "/data/declared", "属地与核定收入只随户主的成员记录报送")
_AID = Flaw("BAD_FIELD", "/data/amount", "救助金额不得为负数，误登请冲销")
_VALID = Flaw("BAD_FIELD", "/data/valid_to", "有效期止和撤回日期不得早于签署日期")
_INCOME = Flaw("BAD_FIELD", "/data/declared/monthly_income", "核定收入不得为负数")


class HeldStatus(FeedPart):
    """A scheme the person holds 救助类别."""

    scheme: Annotated[Scheme, field("类别", example="DIBAO")]
    since: Annotated[Day, field("起始日期", example="2025-01-01")]
    until: Annotated[Day | None, field("终止日期", meaning="不再享受的第一天；仍在享受则不填")] = None
    source: Annotated[Text, field("认定机关", example="星河市民政局")]
    document: Annotated[Text, field("认定文号", example="星民认〔2025〕12号")]


class DeclaredHousehold(FeedPart):
    """What civil affairs decided for the whole household 属地与核定收入."""

    hukou_area: Annotated[Area, field("户籍地", example="339901001000")]
    residence_area: Annotated[Area, field("居住地", example="339901001000")]
    responsible_area: Annotated[Area, field("救助管理地", meaning="由其标准和资金救助", example="339901001000")]
    incident_area: Annotated[Area, field("急难发生地", example="339901001000")]
    monthly_income: Annotated[Fen | None, field("核定家庭月收入", meaning="全家每月收入合计", example=180_000)] = None
    income_period: Annotated[Text, field("核定期间", example="2025-01/2025-12")] = "未核定"
    income_document: Annotated[Text, field("核定文号", example="星民核〔2026〕3号")] = "未核定"


class CivilHousehold(FeedModel, kind="civil.household", version=1, title="共同生活家庭成员", fact=Membership):
    """One membership of a declared household 一人在一户的一段; leaving is a `valid_to`. Subject: the member."""

    household: Annotated[HouseholdId, field("户", key=True, example="h_" + "0" * 31 + "1")]
    relation: Annotated[Relation, field("与户主关系", example="HEAD")]
    valid_from: Annotated[Day, field("起始日期", key=True, example="2025-01-01")]
    valid_to: Annotated[Day | None, field("终止日期", meaning="不再是成员的第一天；仍是成员则不填")] = None
    born: Annotated[Day | None, field("出生日期", example="1968-04-01")] = None
    statuses: Annotated[tuple[HeldStatus, ...], field("救助类别")] = ()
    declared: Annotated[
        DeclaredHousehold | None, field("属地与核定收入", meaning="只随户主的成员记录报送，户主必填")
    ] = None
    sex: Annotated[Sex | None, field("性别", meaning="只用于公平与覆盖报告，任何规则都不使用", example="F")] = None

    def natural_key(self, origin: Origin) -> str:
        """(household, person, valid_from)."""
        return f"{self.household}|{origin.subject}|{self.valid_from}"

    def day(self) -> int:
        """First day of the membership."""
        return self.valid_from.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """Intervals run forward; the head and nobody else brings what was decided for the household."""
        if self.valid_to is not None and self.valid_to < self.valid_from:
            return (_ORDER,)
        if any(held.until is not None and held.until < held.since for held in self.statuses):
            return (_STATUS_ORDER,)
        if (self.relation == "HEAD") != (self.declared is not None):
            return (_NOT_HEAD,) if self.declared else (_DECLARED,)
        if self.declared and self.declared.monthly_income is not None and self.declared.monthly_income < 0:
            return (_INCOME,)
        return NO_FLAWS

    def to_fact(self, head: FactHead) -> Membership:
        """The membership; its person is the middle of the key."""
        declared = (
            None
            if self.declared is None
            else Declared(
                self.declared.hukou_area,
                self.declared.residence_area,
                self.declared.responsible_area,
                self.declared.incident_area,
                self.declared.monthly_income,
                self.declared.income_period,
                self.declared.income_document,
            )
        )
        return Membership(
            *head,
            self.household,
            head[0].split("|")[1],
            self.relation,
            _ordinal(self.valid_to),
            _ordinal(self.born),
            tuple(
                Status(held.scheme, held.since.toordinal(), _ordinal(held.until), held.source, held.document)
                for held in self.statuses
            ),
            declared,
            self.sex,
        )


class CivilBenefit(FeedModel, kind="civil.benefit", version=1, title="救助待遇发放", fact=Benefit, ahead_days=62):
    """A benefit paid to a person for one month 社会化发放的一月一项."""

    scheme: Annotated[Scheme, field("待遇类别", key=True, example="DIBAO")]
    month: Annotated[Month, field("待遇所属月", key=True, example="2026-05")]
    amount: Annotated[Fen, field("发放金额", meaning="追回为负数", example=98_000)]
    paid_on: Annotated[Day | None, field("发放日期", example="2026-05-10")] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, scheme, month)."""
        return f"{origin.subject}|{self.scheme}|{self.month}"

    def day(self) -> int:
        """First of the month paid for."""
        return date(int(self.month[:4]), int(self.month[5:]), 1).toordinal()

    def to_fact(self, head: FactHead) -> Benefit:
        """The month's payment."""
        return Benefit(*head, self.scheme, self.amount)


class AidKind(Labelled):
    """Why temporary aid was given."""

    EMERGENCY = "EMERGENCY", "急难型"
    EXPENSE = "EXPENSE", "支出型"


class CivilTempAid(FeedModel, kind="civil.temp_aid", version=1, title="临时救助", fact=TempAid):
    """Temporary aid granted 一次临时救助."""

    aid_no: Annotated[Key, field("救助编号", key=True, example="LS2026-000218")]
    kind: Annotated[AidKind, field("救助类型", example="EMERGENCY")]
    amount: Annotated[Fen, field("救助金额", example=300_000)]
    approved_on: Annotated[Day, field("审批日期", example="2026-05-11")]
    area: Annotated[Area, field("审批地", meaning="审批的镇街", example="339901001000")]

    def natural_key(self, origin: Origin) -> str:
        """`aid_no`."""
        return self.aid_no

    def day(self) -> int:
        """Day of approval."""
        return self.approved_on.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """Aid is not negative."""
        return NO_FLAWS if self.amount >= 0 else (_AID,)

    def to_fact(self, head: FactHead) -> TempAid:
        """The aid."""
        return TempAid(*head, self.kind, self.amount, self.area)


class AuthorisationScope(Labelled):
    """What a person allows to be looked at."""

    MEANS = "MEANS", "家庭经济状况核对"
    FINANCE = "FINANCE", "金融信息查询"
    TAX = "TAX", "税收信息查询"
    HEALTH = "HEALTH", "医疗健康信息查询"


class CivilAuthorisation(FeedModel, kind="civil.authorisation", version=1, title="核查授权", fact=Authorisation):
    """What a person allowed in writing 授权书的一项; a withdrawal comes as a correction with `withdrawn_on`."""

    scope: Annotated[AuthorisationScope, field("授权范围", key=True, example="MEANS")]
    signed_on: Annotated[Day, field("签署日期", key=True, example="2026-01-12")]
    valid_to: Annotated[
        Day | None, field("有效期止", meaning="不再有效的第一天；长期有效则不填", example="2027-01-12")
    ] = None
    withdrawn_on: Annotated[Day | None, field("撤回日期", meaning="撤回之日起不再有效；未撤回则不填")] = None
    document: Annotated[Text, field("授权书编号", example="星民授〔2026〕0107号")]

    def natural_key(self, origin: Origin) -> str:
        """(person, scope, signed)."""
        return f"{origin.subject}|{self.scope}|{self.signed_on}"

    def day(self) -> int:
        """Day of signature."""
        return self.signed_on.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """It does not end before it was signed."""
        ends = (self.valid_to, self.withdrawn_on)
        return (_VALID,) if any(end is not None and end < self.signed_on for end in ends) else NO_FLAWS

    def to_fact(self, head: FactHead) -> Authorisation:
        """The authorisation with both its possible ends."""
        return Authorisation(*head, self.scope, _ordinal(self.valid_to), _ordinal(self.withdrawn_on))


def _ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()
