"""Disability feeds 残联: certificates."""

from typing import Annotated

from schemas.calendar import ordinal
from schemas.facts_standing import Disability
from schemas.feed import NO_FLAWS, FactHead, FeedModel, Flaw, Origin, field
from schemas.labels import Labelled, Relation
from schemas.scalars import Day, Sensitivity

_ENDS = Flaw("BAD_FIELD", "/data/expires_on", "有效期止和注销日期不得早于发证日期")
_CANCELLED = Flaw("MISSING_FIELD", "/data/cancelled_on", "注销记录须填注销日期")


class DisabilityCategory(Labelled):
    """Category of a disability certificate."""

    VISUAL = "VISUAL", "视力"
    HEARING = "HEARING", "听力"
    SPEECH = "SPEECH", "言语"
    PHYSICAL = "PHYSICAL", "肢体"
    INTELLECTUAL = "INTELLECTUAL", "智力"
    MENTAL = "MENTAL", "精神"
    MULTIPLE = "MULTIPLE", "多重"


class DisabilityLevel(Labelled):
    """Level of a disability, 1 is the most severe."""

    L1 = "1", "一级"
    L2 = "2", "二级"
    L3 = "3", "三级"
    L4 = "4", "四级"


class CertificateAction(Labelled):
    """What was done to a certificate last."""

    NEW = "NEW", "新办"
    RENEW = "RENEW", "换领"
    CHANGE = "CHANGE", "等级变更"
    CANCEL = "CANCEL", "注销"


class DisabilityCertificate(FeedModel, kind="disability.certificate", version=1, title="残疾人证", fact=Disability):
    """A certificate from its day of issue 一本证的一次核发; its number holds the identity number and is never sent."""

    category: Annotated[
        DisabilityCategory, field("残疾类别", key=True, sensitivity=Sensitivity.RESTRICTED, example="PHYSICAL")
    ]
    issued_on: Annotated[Day, field("发证日期", key=True, meaning="本次核发或变更之日", example="2026-04-20")]
    level: Annotated[DisabilityLevel, field("残疾等级", sensitivity=Sensitivity.RESTRICTED, example="2")]
    action: Annotated[CertificateAction, field("业务类型", example="NEW")]
    expires_on: Annotated[
        Day | None, field("有效期止", meaning="失效的第一天；长期有效则不填", example="2036-04-20")
    ] = None
    cancelled_on: Annotated[Day | None, field("注销日期", meaning="注销记录必填")] = None
    carer: Annotated[Relation | None, field("主要照料人与本人关系", example="SPOUSE")] = None

    def natural_key(self, origin: Origin) -> str:
        """(person, category, issued)."""
        return f"{origin.subject}|{self.category}|{self.issued_on}"

    def day(self) -> int:
        """Day of issue."""
        return self.issued_on.toordinal()

    def problems(self) -> tuple[Flaw, ...]:
        """A certificate ends after it begins; a cancelled one says when."""
        if any(end is not None and end < self.issued_on for end in (self.expires_on, self.cancelled_on)):
            return (_ENDS,)
        return (_CANCELLED,) if self.action == "CANCEL" and self.cancelled_on is None else NO_FLAWS

    def to_fact(self, head: FactHead) -> Disability:
        """The certificate; a reversal, which need not name the level, carries 0."""
        ends = (ordinal(self.expires_on), ordinal(self.cancelled_on))
        return Disability(*head, self.category, int(self.level or 0), *ends, self.action, self.carer)
