"""RIGID-RATIO 刚性支出占比: treatment and plain living take too large a part of what a declared household earns."""

from datetime import date
from typing import NamedTuple

from detectors.burden import Charge, Counting, above_since, charges, evidence, inside, next_change, rolling_year
from detectors.findings import Breach, Findings
from detectors.people import living, next_edge
from detectors.registry import Family, detector
from households.ledger import HOUSEHOLD, Household
from policy.parameters import Policy, PolicyMissing, Rule
from schemas.facts import Declared
from schemas.labels import yuan

_MONTHS = 12
_UNSEEN = ("education.fee", "disability.rehabilitation")
_HIGHEST = 999


class _Account(NamedTuple):
    """The two columns, fen in twelve months; `needed` is the medical burden at which the line is reached."""

    living: int
    income: int
    ratio: int

    @property
    def needed(self) -> int:
        return max(1, -(-self.ratio * self.income // 100) - self.living)

    def percent(self, medical: int) -> int:
        return min(_HIGHEST, (medical + self.living) * 100 // self.income) if self.income else _HIGHEST


@detector(
    code="RIGID-RATIO",
    version="1.0.0",
    family=Family.RISK,
    listens=("medical.settlement", "medical.reimbursement", "civil.household", "vital.death"),
    rule="rigid_ratio",
)
def rigid_ratio(household: Household, on: date, policy: Policy) -> Findings:
    """A breach when (medical burden of 12 months + living at L) / assessed income of 12 months reaches the local ratio.

    Only for declared households, because only those have an assessed income (核定收入); without one: `Insufficient`.
    L is the local 低保 standard per living member. Low income alone is no breach: somebody must have paid for
    treatment. A household at or above the mean disposable income per person, where the place publishes it, is not
    meant. Education and rehabilitation are spending of the rule that no feed brings yet; every breach says so.
    """
    declared = household.declared_on(on)
    if declared is None:
        return Findings()
    findings = Findings.covering(household, on, policy, "medical.settlement")
    area = declared.responsible_area
    today = on.toordinal()
    people = [member.person for member in living(household, today)]
    findings.recheck(
        next_edge(household, today), policy.next_change("rigid_ratio", area), policy.next_change("dibao_month", area)
    )
    if declared.monthly_income_fen is None:
        findings.lacks("civil.household", None)
        return findings
    if not people or _well_off(declared.monthly_income_fen, len(people), policy, area):
        return findings
    rule = policy.rule("rigid_ratio", area)
    need = policy.standard("dibao_month", area)
    account = _Account(
        need.value * len(people) * _MONTHS, declared.monthly_income_fen * _MONTHS, rule.number("ratio")
    )
    everybody = [member.person for member in household.members_on(today)]
    found = charges(household, everybody, Counting.of(rule))
    window = rolling_year(today)
    since = above_since(found, window, account.needed)
    findings.recheck(next_change(found, window))
    if since is not None:
        findings.add(_breach(household, inside(found, window), since, account, rule, declared, len(people)))
        for feed in _UNSEEN:
            findings.unseen(feed)
    return findings


def _well_off(income_fen: int, people: int, policy: Policy, area: str) -> bool:
    try:
        mean = policy.standard("disposable_income_year", area).value
    except PolicyMissing:
        return False
    return income_fen * _MONTHS >= mean * people


def _breach(
    household: Household,
    counted: list[Charge],
    since: int,
    account: _Account,
    rule: Rule,
    declared: Declared,
    people: int,
) -> Breach:
    medical = sum(each.fen for each in counted)
    line = rule.mark("ratio")
    return Breach(
        cause=HOUSEHOLD,
        subject="HOUSEHOLD",
        since=date.fromordinal(since),
        severity=rule.number("severity"),
        measure=account.percent(medical),
        unit="percent",
        threshold=line,
        reason=(
            f"全家近12个月医疗个人负担{yuan(medical)}，加上{people}人按低保标准计的生活支出{yuan(account.living)}，"
            f"占核定收入{yuan(account.income)}（{declared.income_document}）的{account.percent(medical)}%，"
            f"达到刚性支出占比线{line.value}%（{line.cited}）；教育、康复支出尚无数据，未计入"
        ),
        evidence=evidence(counted),
    )
