"""Feeds of checks of means 核对中心、金融机构: what was asked, what came back, bank answers in bands."""

from typing import Annotated

from schemas.calendar import ordinal
from schemas.facts_standing import AssetBand, CheckReply, CheckRequest
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled
from schemas.scalars import Area, Day, Fen, Key, Sensitivity

_DUE = Flaw("BAD_FIELD", "/data/reply_due", "应复日期不得早于委托日期")
_UNSIGNED = Flaw("BAD_FIELD", "/data/authorised_on", "授权签署日期不得晚于委托日期")
_FOUND = Flaw("MISSING_FIELD", "/data/found", "有差异的金额类项目须填核得金额")
_AMOUNTS = Flaw("BAD_FIELD", "/data/found", "申报与核得金额不得为负数")
_MONEY = ("INCOME", "DEPOSIT", "SECURITIES", "FUND", "INSURANCE")


class CheckPurpose(Labelled):
    """Why a check was asked for."""

    APPLICATION = "APPLICATION", "申请核对"
    REVIEW = "REVIEW", "定期复核"
    SAMPLE = "SAMPLE", "抽查"
    CROSS_PLACE = "CROSS_PLACE", "异地核查"


class CheckItem(Labelled):
    """What was looked at."""

    INCOME = "INCOME", "收入"
    DEPOSIT = "DEPOSIT", "存款"
    SECURITIES = "SECURITIES", "有价证券"
    FUND = "FUND", "住房公积金"
    INSURANCE = "INSURANCE", "商业保险"
    VEHICLE = "VEHICLE", "机动车"
    PROPERTY = "PROPERTY", "不动产"
    BUSINESS = "BUSINESS", "市场主体"
    MEMBERS = "MEMBERS", "家庭成员"


class Difference(Labelled):
    """Whether what was declared and what a register says agree; neither is called wrong."""

    NONE = "NONE", "一致"
    DIFFERS = "DIFFERS", "不一致，待说明"
    UNKNOWN = "UNKNOWN", "未能核对"


class Asset(Labelled):
    """Kind of asset a bank answers about."""

    DEPOSIT = "DEPOSIT", "存款"
    SECURITIES = "SECURITIES", "有价证券"
    WEALTH = "WEALTH", "理财产品"
    INSURANCE = "INSURANCE", "商业保险"


class Band(Labelled):
    """Band of a sum; the sum itself stays with the bank."""

    NONE = "NONE", "无"
    TO_10K = "TO_10K", "1万元以下"
    TO_50K = "TO_50K", "1万元至5万元"
    TO_100K = "TO_100K", "5万元至10万元"
    OVER_100K = "OVER_100K", "10万元以上"


class CheckRequestData(FeedModel, kind="check.request", version=1, title="经济状况核对委托", fact=CheckRequest):
    """A check asked for one person 一次委托中的一人, on the strength of an authorisation."""

    request_no: Annotated[Key, field("委托编号", key=True, example="HD202605-0071")]
    purpose: Annotated[CheckPurpose, field("核对目的", example="REVIEW")]
    requested_on: Annotated[Day, field("委托日期", example="2026-05-12")]
    authorised_on: Annotated[Day, field("授权签署日期", meaning="所依据授权书的签署日期", example="2026-01-12")]
    reply_due: Annotated[Day | None, field("应复日期", example="2026-05-26")] = None
    place: Annotated[Area | None, field("受托地", meaning="异地核查时填写受托方区划")] = None

    def natural_key(self, origin: Origin) -> str:
        """(request number, person)."""
        return f"{self.request_no}|{origin.subject}"

    def day(self) -> int:
        """Day of the request."""
        return self.requested_on.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """Signed before it was asked, due after."""
        if self.authorised_on > self.requested_on:
            return (_UNSIGNED,)
        return (_DUE,) if self.reply_due is not None and self.reply_due < self.requested_on else NO_FLAWS

    def to_fact(self, head: FactHead) -> CheckRequest:
        """The request."""
        due, authorised = ordinal(self.reply_due), self.authorised_on.toordinal()
        return CheckRequest(*head, self.request_no, self.purpose, due, self.place, authorised)


class CheckReplyData(FeedModel, kind="check.reply", version=1, title="经济状况核对回复", fact=CheckReply):
    """What a register says about one item 一项核对结果: evidence of a difference, never a conclusion."""

    request_no: Annotated[Key, field("委托编号", key=True, example="HD202605-0071")]
    item: Annotated[CheckItem, field("核对项目", key=True, example="DEPOSIT")]
    replied_on: Annotated[Day, field("回复日期", example="2026-05-20")]
    difference: Annotated[Difference, field("比对情况", example="DIFFERS")]
    declared: Annotated[
        Fen | None, field("申报金额", sensitivity=Sensitivity.RESTRICTED, meaning="金额类项目填写", example=500_000)
    ] = None
    found: Annotated[
        Fen | None, field("核得金额", sensitivity=Sensitivity.RESTRICTED, meaning="金额类项目填写", example=1_820_000)
    ] = None
    as_of: Annotated[Day | None, field("数据截至日期", meaning="登记系统数据的日期", example="2026-05-15")] = None
    place: Annotated[Area | None, field("回复地", meaning="异地核查时填写")] = None

    def natural_key(self, origin: Origin) -> str:
        """(request number, person, item)."""
        return f"{self.request_no}|{origin.subject}|{self.item}"

    def day(self) -> int:
        """Day of the reply."""
        return self.replied_on.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A difference in money says how much; sums are not negative."""
        if (self.declared is not None and self.declared < 0) or (self.found is not None and self.found < 0):
            return (_AMOUNTS,)
        missing = self.difference == "DIFFERS" and self.item in _MONEY and self.found is None
        return (_FOUND,) if missing else NO_FLAWS

    def to_fact(self, head: FactHead) -> CheckReply:
        """The item as answered."""
        as_of = ordinal(self.as_of)
        return CheckReply(
            *head, self.request_no, self.item, self.difference, self.declared, self.found, as_of, self.place
        )


class FinanceCheckReply(FeedModel, kind="finance.check_reply", version=1, title="金融机构核对回复", fact=AssetBand):
    """One institution's answer about one kind of asset 一家机构的一类资产, as a band."""

    request_no: Annotated[Key, field("委托编号", key=True, example="HD202605-0071")]
    institution: Annotated[Key, field("机构编号", key=True, example="B339901-03")]
    asset: Annotated[Asset, field("资产类型", key=True, example="DEPOSIT")]
    band: Annotated[Band, field("金额区间", sensitivity=Sensitivity.RESTRICTED, example="TO_50K")]
    as_of: Annotated[Day, field("余额日期", example="2026-05-15")]
    replied_on: Annotated[Day, field("回复日期", example="2026-05-19")]

    def natural_key(self, origin: Origin) -> str:
        """(request number, person, institution, kind of asset)."""
        return f"{self.request_no}|{origin.subject}|{self.institution}|{self.asset}"

    def day(self) -> int:
        """Day of the reply."""
        return self.replied_on.toordinal()

    def to_fact(self, head: FactHead) -> AssetBand:
        """The band."""
        return AssetBand(*head, self.request_no, self.institution, self.asset, self.band, self.as_of.toordinal())
