"""The words of case work, each with its official Chinese label: lanes, states, steps, results, outcomes, refusals."""

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A code on the wire with the label people read."""

    label: str

    def __new__(cls, code: str, label: str = "") -> Self:
        word = str.__new__(cls, code)
        word._value_ = code
        word.label = label
        return word


class Lane(Word):
    """Who works a case, with which clocks and rights."""

    HELP = "help", "帮扶"
    REVIEW = "review", "复核"
    CHILD = "child", "儿童"
    DATA = "data", "数据"


class State(Word):
    """Where a case stands."""

    HELD = "held", "存量待放行"
    STORM = "storm", "突增待确认"
    OPEN = "open", "待签收"
    ACCEPTED = "accepted", "待核查"
    VERIFIED = "verified", "已核查"
    REFERRED = "referred", "转介办理中"
    FED_BACK = "fed_back", "待办结"
    CLOSED = "closed", "已办结"


class Action(Word):
    """What a person may ask of a case."""

    ACCEPT = "accept", "签收"
    VERIFY = "verify", "核查"
    REFER = "refer", "转介"
    FEEDBACK = "feedback", "反馈"
    CLOSE = "close", "办结"
    CONTEST = "contest", "异议"
    SNOOZE = "snooze", "暂缓"
    CONTACT = "contact", "查看联系方式"
    INHIBIT = "inhibit", "暂不提示"
    LIFT = "lift", "恢复提示"


class Role(Word):
    """In what capacity somebody acts."""

    OFFICER = "officer", "镇街经办人"
    SUPERVISOR = "supervisor", "区县主管"
    DEPARTMENT = "department", "受理部门"
    STEWARD = "steward", "数据管理员"
    SYSTEM = "system", "系统"


class Step(Word):
    """A step with a deadline."""

    ACCEPT = "accept", "签收"
    VERIFY = "verify", "核查"
    FEEDBACK = "feedback", "部门反馈"
    CLOSE = "close", "办结"


class VerifyResult(Word):
    """What the visit found."""

    NEED = "need", "确有困难"
    NO_NEED = "no_need", "暂无困难"
    UNREACHABLE = "unreachable", "多次联系未果"
    WRONG_AREA = "wrong_area", "不属本辖区"
    DATA_ERROR = "data_error", "数据有误"


class Reply(Word):
    """How the household's right of reply was honoured."""

    HEARD = "heard", "已听取本人陈述"
    WRITTEN = "written", "已收到书面意见"
    WAIVED = "waived", "本人表示无意见"
    NO_ANSWER = "no_answer", "已书面告知，期限内未答复"


class FeedbackResult(Word):
    """What a department answered; `accepted` is interim, the others end a referral."""

    ACCEPTED = "accepted", "已受理，办理中"
    PROVIDED = "provided", "已落实"
    ALREADY = "already", "已在享受"
    DECLINED = "declined", "未予受理"


class Outcome(Word):
    """How a case ends. Nothing here stops a payment: `to_review` hands the question to whoever decides it."""

    DIBAO = "dibao", "纳入低保"
    TEKUN = "tekun", "纳入特困供养"
    DIBIAN = "dibian", "认定低保边缘家庭"
    GANGXING = "gangxing", "认定刚性支出困难家庭"
    FANGPIN = "fangpin", "纳入防止返贫监测"
    TEMP_AID = "temp_aid", "给予临时救助"
    REFERRED_AID = "referred_aid", "转介专项救助"
    SERVICE = "service", "提供服务类帮扶"
    CHARITY = "charity", "链接慈善资源"
    INFORMED = "informed", "政策告知"
    NO_NEED = "no_need", "暂无需救助"
    KEPT = "kept", "维持原待遇"
    TO_REVIEW = "to_review", "移交待遇复核"
    CORRECTED = "corrected", "更正数据"
    HANDED_OVER = "handed_over", "移交其他辖区"
    UNREACHABLE = "unreachable", "联系未果，转入定期走访"


class SnoozeReason(Word):
    """The only reasons for which a clock may pause."""

    CHECK_REPORT = "check_report", "等待核对报告"
    IN_HOSPITAL = "in_hospital", "本人住院"
    AWAY = "away", "本人外出"
    OTHER_DEPARTMENT = "other_department", "等待其他部门结论"


class InhibitReason(Word):
    """The only reasons for which alerts of a rule may call nobody to a household for a while."""

    IN_HAND = "in_hand", "情况已掌握，正在帮扶"
    EXPLAINED = "explained", "已核实并非困难"
    DATA_PENDING = "data_pending", "等待部门更正数据"
    WISH = "wish", "本人要求暂不上门"


class Handling(Word):
    """Why an alert led to no new case of its own when it came; the reason of the event that says where it went."""

    MERGED = "merged", "近期办结的个案重新办理"
    COOLDOWN = "cooldown", "同一情形近期已办结，只备注"
    INHIBITED = "inhibited", "经办人设为暂不提示，只备注"
    REST_OVER = "rest_over", "此前只备注的情形仍在，现予办理"
    STORM = "storm", "同一规则当天突增，待主管确认"


class EvidenceKind(Word):
    """What proves that somebody looked."""

    VISIT = "visit", "入户走访"
    PHONE = "phone", "电话核实"
    DOCUMENT = "document", "书面材料"
    PHOTO = "photo", "影像资料"
    RECORD = "record", "数据比对"


class EventType(Word):
    """What happened to a case."""

    OPENED = "opened", "建立个案"
    JOINED = "joined", "并入预警"
    ANNOTATED = "annotated", "预警变化备注"
    RELEASED = "released", "放行"
    ACCEPTED = "accepted", "签收"
    VERIFIED = "verified", "核查"
    REFERRED = "referred", "转介"
    FEEDBACK = "feedback", "部门反馈"
    CLOSED = "closed", "办结"
    CONTESTED = "contested", "提出异议"
    SNOOZED = "snoozed", "暂缓"
    CONTACT_OPENED = "contact_opened", "查看联系方式"
    OVERDUE = "overdue", "超期提醒"
    INHIBITED = "inhibited", "设为暂不提示"
    LIFTED = "lifted", "恢复提示"
    REFUSED = "refused", "未受理操作"


class Refusal(Word):
    """Why a command changed nothing; the label is the sentence the officer reads."""

    UNKNOWN_CASE = "UNKNOWN_CASE", "没有这件个案，请核对编号与家庭"
    HELD = "HELD", "个案属于上线存量，尚未放行"
    STORM = "STORM", "个案属于突增的一批，待主管确认放行"
    NOT_ACCEPTED = "NOT_ACCEPTED", "个案尚未签收，请先签收"
    ALREADY_ACCEPTED = "ALREADY_ACCEPTED", "个案已经签收"
    NOT_VERIFIED = "NOT_VERIFIED", "个案尚未核查，请先核查并留痕"
    EVIDENCE_MISSING = "EVIDENCE_MISSING", "核查没有留痕，请至少附一项依据"
    REFERRAL_RUNNING = "REFERRAL_RUNNING", "转介正在办理，不能改写核查结果；情况有变可先登记异议"
    NEED_NOT_FOUND = "NEED_NOT_FOUND", "核查结果不是“确有困难”，不能转介"
    ALREADY_REFERRED = "ALREADY_REFERRED", "同一部门的同一事项已在转介中"
    NO_REFERRAL = "NO_REFERRAL", "个案没有这项转介"
    ALREADY_ANSWERED = "ALREADY_ANSWERED", "这项转介已有最终反馈"
    REASON_MISSING = "REASON_MISSING", "未予受理须说明理由"
    FEEDBACK_MISSING = "FEEDBACK_MISSING", "还有转介没有最终反馈，不能办结"
    REPLY_MISSING = "REPLY_MISSING", "复核个案须先记录听取本人陈述的情况"
    OUTCOME_CONFLICT = "OUTCOME_CONFLICT", "办结结论与核查结果或个案类别不符"
    CLOSED = "CLOSED", "个案已经办结"
    TOO_LATE = "TOO_LATE", "已超过可提出异议的期限，请作为新的求助登记"
    OTHER_CASE_OPEN = "OTHER_CASE_OPEN", "这个家庭在同一类别已有办理中的个案，请在该个案提出"
    BAD_DATE = "BAD_DATE", "截止日须在今天之后，且不超过规定的最长天数"
    URGENT = "URGENT", "四级、灾害、儿童等紧急情形不能暂缓，也不能设为暂不提示"
    NO_SUCH_ALERT = "NO_SUCH_ALERT", "个案没有这条规则的预警"
    NOT_INHIBITED = "NOT_INHIBITED", "这条规则没有设为暂不提示"
