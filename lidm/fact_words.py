"""A fact of the ledger in the words officers read: its amounts, its official labels, its days. Never a number of
anything, a name or free text: what a document is called stays with the document."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import msgspec

from schemas.fact import Fact
from schemas.facts import Membership
from schemas.facts_contact import AreaIncident
from schemas.feed import FEEDS, FieldSpec
from schemas.feeds.emergency import IncidentSort
from schemas.feeds.links import SharedAccount
from schemas.labels import SCHEMES, Relation, yuan

_AMOUNTS = {
    "account_fen": "个人账户支付", "amount_fen": "金额", "base_fen": "基数", "basic_fen": "其中基础养老金",
    "borne_fen": "个人负担", "capital_fen": "出资", "declared_fen": "申报", "deposit_fen": "缴存", "found_fen": "核得",
    "in_catalogue_fen": "自付", "line_fen": "部门的线", "loss_fen": "损失", "measure_fen": "部门测得",
    "out_of_catalogue_fen": "自费", "paid_fen": "已缴", "total_fen": "总额", "withdrawn_fen": "提取",
}  # fmt: skip
_DAYS = {
    "until": "至", "due_on": "应缴日", "notice_on": "通知日", "expires": "有效期至", "valid_to": "有效期至",
    "expected_to": "预计至", "withdrawn": "撤回于", "reply_due": "答复期限",
}  # fmt: skip
_HEAD = len(Fact.__struct_fields__)
_OUR_OWN = {SharedAccount.feed: "跨户比对", AreaIncident.feed: "区域灾害登记"}
"""What no department publishes."""


def feed_title(feed: str) -> str:
    """The Chinese name of a feed, or of what the service says itself; the code where nobody declares it."""
    spec = FEEDS.get(feed)
    return spec.title if spec else _OUR_OWN.get(feed, feed)


def sort_of(code: str) -> str:
    """What kind of incident; the code itself where it is of another version."""
    return IncidentSort[code].label if code in IncidentSort.__members__ else code


def said_of(fact: Fact) -> str:
    """What a fact says, apart from whom it is about and its day."""
    if isinstance(fact, Membership):
        return _membership(fact)
    if isinstance(fact, AreaIncident):
        return f"{sort_of(fact.sort)}，当日住在{'报告的地址' if fact.named else '所登记的区域'}"
    return "，".join(text for name in fact.__struct_fields__[_HEAD:] if (text := _said(fact, name)))


def same_content(one: Fact, other: Fact) -> bool:
    """Whether two records say the same and differ only in when they were recorded."""
    return bool(_content(one) == _content(other))


def _content(fact: Fact) -> list[Any]:
    return [fact.gone, *msgspec.structs.astuple(fact)[_HEAD - 1 :]]


def _said(fact: Fact, name: str) -> str:
    value = getattr(fact, name)
    if value is None or isinstance(value, bool):
        return ""
    if name in _AMOUNTS:
        return f"{_AMOUNTS[name]}{yuan(value)}" if value or name == "amount_fen" else ""
    if name in _DAYS:
        return f"{_DAYS[name]}{date.fromordinal(value)}"
    if isinstance(value, str):
        return _labels(fact.feed).get(value, SCHEMES.get(value, "") if name == "scheme" else "")
    return ""


def _membership(fact: Membership) -> str:
    parts = [Relation[fact.relation].label if fact.relation in Relation.__members__ else fact.relation]
    if fact.until is not None:
        parts.append(f"至{date.fromordinal(fact.until)}")
    for each in fact.statuses:
        end = f"至{date.fromordinal(each.until)}" if each.until is not None else "起"
        parts.append(f"{SCHEMES.get(each.scheme, each.scheme)}（{date.fromordinal(each.since)}{end}）")
    if fact.declared is not None and fact.declared.monthly_income_fen is not None:
        parts.append(f"核定家庭月收入{yuan(fact.declared.monthly_income_fen)}")
    return "，".join(parts)


@cache
def _labels(feed: str) -> dict[str, str]:
    """Every code of a feed's fields with its official label."""
    found: dict[str, str] = {}
    for spec in FEEDS.every:
        if spec.kind == feed:
            for each in _every(spec.fields):
                found |= each.labels
    return found


def _every(fields: tuple[FieldSpec, ...]) -> Iterator[FieldSpec]:
    for each in fields:
        yield each
        yield from _every(each.parts)
