"""Medical insurance feeds 医保局: settled bills, later payers, insurance of a year, what a year has cost so far."""

from typing import Annotated

from schemas.calendar import first_of, month_number, ordinal
from schemas.facts import Bill, Refund
from schemas.facts_living import Enrolment, YearTotal
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled, Visit, YesNo
from schemas.scalars import Day, Fen, Key, Month, Sensitivity, Text, Year

_SUM = Flaw("SUM_MISMATCH", "/data/total", "各支付部分之和与总费用相差超过每项一分")
_SIGN = Flaw("BAD_FIELD", "/data/total", "退费记录的各项金额应同为负数，结算记录的各项金额应同为非负数")
_PARTS = 6
_UNTIL = Flaw("BAD_FIELD", "/data/until", "终止日期不得早于起始日期")
_AS_OF = Flaw("BAD_FIELD", "/data/as_of", "截至月份不得早于医保年度")
_BORNE = Flaw("SUM_MISMATCH", "/data/borne", "自付与自费之和与个人负担相差超过每项一分")
_NEGATIVE = Flaw("BAD_FIELD", "/data/borne", "累计金额不得为负数")


class MedicalSettlement(FeedModel, kind="medical.settlement", version=1, title="医保结算", fact=Bill):
    """One settled bill 一次医保结算. Corrected by the same `settle_no`, newest record wins."""

    settle_no: Annotated[Key | None, field("结算单号", key=True, example="S202605-000123")] = None
    settled_on: Annotated[Day, field("结算日期", example="2026-05-14")]
    visit: Annotated[Visit, field("就诊类型", example="INPATIENT")]
    hospital: Annotated[Text, field("医疗机构编码", example="H33990100001")]
    disease: Annotated[Text | None, field("疾病编码 ICD-10", sensitivity=Sensitivity.RESTRICTED, example="C34.900")] = (
        None
    )
    total: Annotated[Fen, field("总费用", example=1_286_000)]
    pooled_pay: Annotated[Fen, field("基本医保统筹支付", example=640_000)]
    critical_pay: Annotated[Fen, field("大病保险支付", example=120_000)]
    aid_pay: Annotated[Fen, field("医疗救助支付", example=100_000)]
    account_pay: Annotated[Fen, field("个人账户支付", example=26_000)]
    in_catalogue_self_paid: Annotated[
        Fen, field("目录内个人自付", meaning="政策范围内，各项支付之后由个人承担的部分", example=250_000)
    ]
    out_of_catalogue: Annotated[Fen, field("目录外自费", meaning="医保目录以外、全部由个人承担的部分", example=150_000)]

    def natural_key(self, origin: Origin) -> str:
        """`settle_no`; a system without one is known by (source, id) of the event."""
        return self.settle_no or f"{origin.source}|{origin.id}"

    def day(self) -> int:
        """Day of settlement."""
        return self.settled_on.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """The parts add up to the total within one fen per part; a refund is negative in every part."""
        total, pooled, critical, aid = self.total, self.pooled_pay, self.critical_pay, self.aid_pay
        account, self_paid, outside = self.account_pay, self.in_catalogue_self_paid, self.out_of_catalogue
        if not -_PARTS <= total - pooled - critical - aid - account - self_paid - outside <= _PARTS:
            return (_SUM,)
        if total >= 0:
            same = pooled >= 0 and critical >= 0 and aid >= 0 and account >= 0 and self_paid >= 0 and outside >= 0
        else:
            same = pooled <= 0 and critical <= 0 and aid <= 0 and account <= 0 and self_paid <= 0 and outside <= 0
        return NO_FLAWS if same else (_SIGN,)

    def to_fact(self, head: FactHead) -> Bill:
        """Amounts after all public payers."""
        return Bill(*head, self.in_catalogue_self_paid, self.out_of_catalogue, self.account_pay, self.total, self.visit)


class MedicalReimbursement(FeedModel, kind="medical.reimbursement", version=1, title="医疗费用后续报销", fact=Refund):
    """A later payer or refund against one bill 惠民保、商业保险、二次救助、慈善支付."""

    settle_no: Annotated[Key, field("结算单号", key=True, example="S202605-000123")]
    payer: Annotated[Key, field("支付方", key=True, example="惠民保")]
    reimburse_no: Annotated[Key, field("报销流水号", key=True, example="R202605-000045")]
    paid_on: Annotated[Day, field("支付日期", example="2026-05-28")]
    amount: Annotated[Fen, field("支付金额", meaning="支付给个人的金额；追回为负数", example=80_000)]

    def natural_key(self, origin: Origin) -> str:
        """(settle_no, payer, reimburse_no)."""
        return f"{self.settle_no}|{self.payer}|{self.reimburse_no}"

    def day(self) -> int:
        """Day of payment."""
        return self.paid_on.toordinal()

    def to_fact(self, head: FactHead) -> Refund:
        """The refund, counted against its bill."""
        return Refund(*head, self.settle_no, self.payer, self.amount)


class Plan(Labelled):
    """Medical insurance a person belongs to."""

    EMPLOYEE = "EMPLOYEE", "职工医保"
    RESIDENT = "RESIDENT", "城乡居民医保"


class MedicalEnrolment(
    FeedModel, kind="medical.enrolment", version=1, title="医保参保", fact=Enrolment, ahead_days=366
):
    """Insurance of one year 一个医保年度的一种参保; its end comes as a correction with `until`."""

    plan: Annotated[Plan, field("参保类型", key=True, example="RESIDENT")]
    year: Annotated[Year, field("医保年度", key=True, example="2026")]
    since: Annotated[Day, field("待遇起始日期", example="2026-01-01")]
    until: Annotated[Day | None, field("待遇终止日期", meaning="不再享受待遇的第一天；仍在享受则不填")] = None
    subsidised: Annotated[YesNo, field("是否资助参保", meaning="个人缴费由医疗救助等资助", example="yes")]

    def natural_key(self, origin: Origin) -> str:
        """(person, plan, year)."""
        return f"{origin.subject}|{self.plan}|{self.year}"

    def day(self) -> int:
        """First day of the insurance."""
        return self.since.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """Insurance does not end before it begins."""
        return (_UNTIL,) if self.until is not None and self.until < self.since else NO_FLAWS

    def to_fact(self, head: FactHead) -> Enrolment:
        """The year as insured."""
        return Enrolment(*head, self.plan, int(self.year), ordinal(self.until), self.subsidised == "yes")


class MedicalYearTotal(FeedModel, kind="medical.year_total", version=1, title="医疗费用年度累计", fact=YearTotal):
    """What a person bore of a medical year so far 年度累计. The newest as-of month counts; never added to bills."""

    year: Annotated[Year, field("医保年度", key=True, example="2026")]
    as_of: Annotated[Month, field("截至月份", key=True, meaning="累计到该月月末", example="2026-05")]
    in_catalogue: Annotated[
        Fen | None, field("目录内自付累计", meaning="政策范围内自付；不能拆分则不填", example=1_200_000)
    ] = None
    out_of_catalogue: Annotated[
        Fen | None, field("目录外自费累计", meaning="医保目录以外；不能拆分则不填", example=300_000)
    ] = None
    borne: Annotated[Fen, field("个人负担累计", meaning="自付与自费之和，扣除全部支付方之后", example=1_500_000)]

    def natural_key(self, origin: Origin) -> str:
        """(person, year, as-of month)."""
        return f"{origin.subject}|{self.year}|{self.as_of}"

    def day(self) -> int:
        """First of the as-of month."""
        return first_of(self.as_of)

    def problems(self) -> tuple[Flaw, ...]:
        """The as-of month is not before the year, the parts add up, nothing is negative."""
        if self.as_of[:4] < self.year:
            return (_AS_OF,)
        inside, outside = self.in_catalogue, self.out_of_catalogue
        if self.borne < 0 or (inside is not None and inside < 0) or (outside is not None and outside < 0):
            return (_NEGATIVE,)
        if inside is not None and outside is not None and not -2 <= self.borne - inside - outside <= 2:
            return (_BORNE,)
        return NO_FLAWS

    def to_fact(self, head: FactHead) -> YearTotal:
        """The totals as told for that month."""
        return YearTotal(
            *head, int(self.year), month_number(self.as_of), self.in_catalogue, self.out_of_catalogue, self.borne
        )
