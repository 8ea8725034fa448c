"""ID-QUALITY 身份号码质量: too many identity numbers of a department's feed cannot lead to a person."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from detectors.cards import covering, days_until, evidence, run, sender
from detectors.findings import Breach, Findings
from detectors.registry import Family, detector
from households.ledger import Household
from policy.parameters import Policy, Rule, severity
from schemas.feeds.report_cards import FeedDay
from schemas.identity_flaws import IdentityFlaw


class _Cause(NamedTuple):
    """What belongs together: kinds of flaws, the line they are held against, what it means and asks for."""

    name: str
    flaws: frozenset[str]
    line: str
    words: str


_CAUSES = (
    _Cause(
        "invalid",
        frozenset({"checksum", "birth", "letters", "length", "empty", "shape"}),
        "invalid_permille",
        "不合规则，请对照户籍资料核对后重报",
    ),
    _Cause("lost", frozenset({"excel", "masked"}), "lost_permille", "已被表格软件损坏或遮盖，请从业务系统重新导出"),
    _Cause("fifteen", frozenset({"fifteen"}), "fifteen_permille", "是 15 位旧号，请核对后换成 18 位"),
)
_PLAIN = _Cause("plain", frozenset({"plain"}), "plain_rows", "")


@detector(
    code="ID-QUALITY",
    version="1.0.0",
    family=Family.QUALITY,
    listens=("feed.day",),
    rule="id_quality",
    about="feed",
)
def id_quality(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per kind of flaw whose share among the numbers of the newest judged day is above the line.

    A day is judged once so many numbers were looked at; days in between neither end nor begin anything. `since` is the
    first of the unbroken run of judged days above the line. A number written in plain where only pseudonyms may stand
    counts by itself, whatever the share. Measure: per mille of the numbers; rows for `plain`.
    """
    days = days_until(household, on)
    findings = covering(days, on)
    if not days:
        return findings
    rule = policy.rule("id_quality", household.responsible_area)
    judged = [day for day in days if day.numbers >= max(1, rule.number("least"))]
    for cause in _CAUSES:
        line = rule.number(cause.line)
        found = run((day.day, _share(day, cause) > line) for day in judged)
        if found is not None:
            findings.add(_breach(cause, found, judged, rule))
    plain = rule.number(_PLAIN.line)
    came = [day for day in days if day.rows]
    exposed = run((day.day, _count(day, _PLAIN) >= max(1, plain)) for day in came)
    if exposed is not None:
        findings.add(_exposed(exposed, came, rule))
    return findings


def _count(day: FeedDay, cause: _Cause) -> int:
    return sum(count for flaw, count in day.flaws if flaw in cause.flaws)


def _share(day: FeedDay, cause: _Cause) -> int:
    """Per mille, rounded up so that a single flaw is never none."""
    return -(-_count(day, cause) * 1000 // day.numbers)


def _breach(cause: _Cause, found: int, judged: Sequence[FeedDay], rule: Rule) -> Breach:
    last, line = judged[-1], rule.mark(cause.line)
    share = _share(last, cause)
    kinds = "、".join(
        f"{IdentityFlaw[flaw].label} {count} 个" for flaw, count in last.flaws if flaw in cause.flaws and count
    )
    return Breach(
        cause=cause.name,
        subject="FEED",
        since=date.fromordinal(found),
        severity=severity(rule.steps("bands"), share * 100 // max(1, line.value)),
        measure=share,
        unit="permille",
        threshold=line,
        reason=(
            f"{sender(last)}{date.fromordinal(last.day)}有千分之{share}的证件号码{cause.words}（{kinds}；"
            f"提示线千分之{line.value}，{line.cited}）"
        ),
        evidence=tuple(evidence(day, _count(day, cause)) for day in judged if day.day >= found)[-7:],
    )


def _exposed(found: int, came: Sequence[FeedDay], rule: Rule) -> Breach:
    last, line = came[-1], rule.mark(_PLAIN.line)
    count = _count(last, _PLAIN)
    return Breach(
        cause=_PLAIN.name,
        subject="FEED",
        since=date.fromordinal(found),
        severity=rule.number("plain_severity"),
        measure=count,
        unit="rows",
        threshold=line,
        reason=(
            f"{sender(last)}{date.fromordinal(last.day)}有{count}条消息里出现明文证件号码，已拒收密封；"
            f"直报只能使用假名，请停用出错的程序（{line.cited}）"
        ),
        evidence=tuple(evidence(day, _count(day, _PLAIN)) for day in came if day.day >= found)[-7:],
    )
