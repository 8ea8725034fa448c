"""ASSET-CHANGE 财产变化: a registered household has, since it was registered, a car, another home, a business, savings.

A household detector on registers and answers to checks of means. It asks the checking centre to look again together
with the family and concludes nothing: such hits are common and most have a plain reason. Registers are read only for
whoever allowed it in writing, on the day asked; where another's would decide the answer is "cannot tell". Not
counted: vehicles for the disabled or for work, old ones, what went from one member to another, resettlement flats,
small shares, small trades, what a check has already found to agree. Sums of banks are bands; only what they are at
least is counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from detectors.assets import Belongings, Found
from detectors.findings import Breach, EvidenceItem, Findings, evidence_days
from detectors.lacking import connected
from detectors.people import staying
from detectors.quiet import none_of, unless_told
from detectors.registry import Family, detector
from detectors.spans import next_edge, unbroken
from detectors.words import who
from households.ledger import HOUSEHOLD, Household
from policy.parameters import Line, Policy, Rule
from schemas.facts_standing import AssetBand, Business, Property, Vehicle
from schemas.labels import yuan

_KINDS = (Vehicle, Property, Business, AssetBand)
_REGISTERS = (Vehicle.feed, Property.feed, Business.feed)

Sentence = Callable[[list[Found], int], str]


@dataclass(frozen=True, slots=True)
class _Question:
    """One kind of change for one subject: what is found on a day, how much of it, and the line it is held against.

    How much: of those alone who allow it to be looked at (True), or of everybody (False), which is told to nobody.
    """

    cause: str
    subject: str
    unit: str
    line: Line
    found: Callable[[int], list[Found]]
    measure: Callable[[int, bool], int]
    above: Callable[[int, int], bool]
    sentence: Sentence


@detector(
    code="ASSET-CHANGE",
    version="1.1.0",
    family=Family.REVIEW,
    listens=(
        "vehicle.registration", "property.registration", "business.registration", "finance.check_reply", "check.reply",
        "civil.authorisation", "civil.household", "vital.death",
    ),
    rule="asset_change",
    standards=("dibao_month",),
    quiet=unless_told(*_KINDS),
    trial=True,
)  # fmt: skip
def asset_change(household: Household, on: date, policy: Policy) -> Findings:
    """A breach per person for cars and for businesses, per household for homes and for savings.

    It counts what came while somebody held a scheme and is still had, for the months the place sets. `since`: the first
    day of the unbroken stretch in which it counted and might be looked at. Measure: number, or fen at least.
    """
    if none_of(household, _KINDS):
        return Findings()
    area, today = household.responsible_area, on.toordinal()
    rule = policy.rule("asset_change", area)
    known = connected(household, policy.areas.chain(area, on), _REGISTERS)
    findings = Findings.covering(household, on, policy, *known)
    findings.recheck(policy.next_change("dibao_month", area))
    things = Belongings(household, rule)
    edges = things.edges()
    findings.recheck(next_edge(edges, today))
    valid_from = max(rule.since, policy.rule("dibao_month", area).since).toordinal()
    for question in _questions(household, things, rule, policy, today):

        def counts(day: int, asked: _Question = question, allowed: bool = True) -> bool:
            return bool(_seen(asked.found(day), allowed)) and asked.above(day, asked.measure(day, allowed))

        if counts(today):
            since = unbroken(edges, counts, today)
            findings.add(_breach(question, max(since or today, valid_from), today, rule))
        elif counts(today, allowed=False):
            findings.lacks("civil.authorisation", None)
    return findings


def _questions(household: Household, things: Belongings, rule: Rule, policy: Policy, today: int) -> list[_Question]:
    found: list[_Question] = []
    for member in staying(household, today):
        person, name = member.person, who(member.relation)
        cars, roles = _of(things.vehicles, person), _of(things.businesses, person)
        found += [
            _counted(f"{person}/vehicle", member.relation, rule.mark("vehicles"), cars, _cars(name)),
            _counted(f"{person}/business", member.relation, rule.mark("businesses"), roles, _roles(name)),
        ]
    found.append(_homes(things, rule))
    found.append(_savings(things, rule, policy, household.responsible_area, today))
    return found


def _cars(name: str) -> Sentence:
    return lambda new, n: (
        f"{name}名下新登记机动车{n}辆（{_words(new)}）；请核实是否家庭实际使用、是否用于谋生或出行困难"
    )


def _roles(name: str) -> Sentence:
    return lambda new, n: f"{name}新登记为市场主体人员{n}处（{_words(new)}）；请先核实是否本人办理、是否实际经营和出资"


def _homes(things: Belongings, rule: Rule) -> _Question:
    """Homes of the household, asked only when one of them is new; the count tells nothing of who did not allow it."""
    return _Question(
        f"{HOUSEHOLD}/home", "HOUSEHOLD", "homes", rule.mark("homes"), things.homes,
        lambda day, allowed: things.home_count(day, allowed=allowed), lambda day, n: n >= rule.number("homes"),
        lambda new, n: f"全家住宅登记{n}套，其中新登记{_words(new)}；安置房、小份额不计，请核实来源和居住",
    )  # fmt: skip


def _of(found: Callable[[str, int], list[Found]], person: str) -> Callable[[int], list[Found]]:
    return lambda day: found(person, day)


def _counted(
    cause: str,
    subject: str,
    line: Line,
    found: Callable[[int], list[Found]],
    sentence: Callable[[list[Found], int], str],
) -> _Question:
    """A question whose measure is how many were found."""
    return _Question(
        cause,
        subject,
        "registrations",
        line,
        found,
        lambda day, allowed: len(_seen(found(day), allowed)),
        lambda day, n: n >= line.value,
        sentence,
    )


def _savings(things: Belongings, rule: Rule, policy: Policy, area: str, today: int) -> _Question:
    """Savings against 低保 standard x people x months, as the place sets."""
    standard = policy.standard("dibao_month", area)
    months = rule.number("asset_months")

    def limit(day: int) -> int:
        return standard.value * things.people(day) * months

    line = Line(limit(today), rule.label, rule.document, standard.policy)
    return _Question(
        f"{HOUSEHOLD}/finance", "HOUSEHOLD", "fen", line, things.savings,
        lambda day, allowed: sum(each.value for each in _seen(things.savings(day), allowed)),
        lambda day, fen: fen > limit(day),
        lambda new, fen: f"核对回复中全家金融资产合计至少{yuan(fen)}，超过{things.people(today)}人{months}个月低保标准"
        f"{yuan(line.value)}；可能是代存或短期过账，请先听取家庭说明",
    )  # fmt: skip


def _seen(found: list[Found], allowed: bool) -> list[Found]:
    return [each for each in found if each.allowed or not allowed]


def _words(new: list[Found]) -> str:
    return "、".join(dict.fromkeys(each.words for each in new))


def _breach(question: _Question, since: int, today: int, rule: Rule) -> Breach:
    new = _seen(question.found(today), allowed=True)
    measure = question.measure(today, True)
    return Breach(
        cause=question.cause,
        subject=question.subject,
        since=date.fromordinal(since),
        severity=rule.number("severity"),
        measure=measure,
        unit=question.unit,
        threshold=question.line,
        reason=f"{question.sentence(new, measure)}，由核对中心会同家庭复核，不影响当前待遇（{question.line.cited}）",
        evidence=evidence_days(
            EvidenceItem(each.fact.key, each.fact.feed, each.fact.source, each.fact.day, each.value) for each in new
        ),
    )
