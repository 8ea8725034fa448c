"""The official household export of the invented bureau: an Excel workbook at first, GB18030 CSV for changes."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from load_tests.city.households import Household
from load_tests.city.people import Person
from schemas.labels import SCHEMES, Relation

HEADINGS = (
    "户号", "与户主关系", "姓名", "证件号码", "救助类别", "类别起", "类别止", "认定机关", "文号", "户籍地区划代码",
    "居住地区划代码", "责任属地区划代码", "急难发生地区划代码", "认定地区划代码",
    "核定月收入(元)", "收入认定期间", "联系电话", "住址", "加入日期", "退出日期",
)  # fmt: skip
BUREAU = "星河市民政局（虚构）"
_RELATIONS = {relation.value: relation.label for relation in Relation}


@dataclass(frozen=True, slots=True)
class Held:
    """A scheme somebody holds by the decision of an office, half-open."""

    scheme: str
    since: date
    until: date | None = None
    office: str = BUREAU


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One membership as civil affairs writes it, half-open. The scheme is held since `scheme_since`.

    `held` is written instead of the person's scheme where it is given: one row for each, none held is one row too.
    """

    household: Household
    person: Person
    relation: str
    since: date
    until: date | None = None
    scheme_since: date | None = None
    held: tuple[Held, ...] | None = None

    @property
    def schemes(self) -> tuple[Held, ...]:
        """What is held."""
        if self.held is not None:
            return self.held
        scheme = self.person.scheme
        return (Held(scheme, self.scheme_since or self.since),) if scheme else ()


def write_roster(path: Path, lines: Iterable[RosterLine], decided: date) -> int:
    """Writes the export by the suffix of `path`; `decided` is the day the incomes were assessed. Returns the rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = (_cells(line, held, decided) for line in lines for held in line.schemes or (None,))
    return _excel(path, cells) if path.suffix == ".xlsx" else _csv(path, cells)


def _cells(line: RosterLine, held: Held | None, decided: date) -> list[str]:
    household, person = line.household, line.person
    head = line.relation == "HEAD"
    income = household.income_fen
    return [
        household.official,
        _RELATIONS[line.relation],
        person.name,
        person.identity,
        SCHEMES[held.scheme] if held else "",
        held.since.isoformat() if held else "",
        held.until.isoformat() if held and held.until else "",
        held.office if held else BUREAU,
        f"星民认〔{decided.year}〕{household.number}号",
        household.town if head else "",
        household.town if head else "",
        household.town if head else "",
        household.town if head else "",
        f"{household.town[:6]}000000",
        f"{income // 100}.{income % 100:02d}" if head and income is not None else "",
        f"{decided.year - 1}年" if head else "",
        person.phone,
        household.address,
        line.since.isoformat(),
        line.until.isoformat() if line.until else "",
    ]


def _csv(path: Path, cells: Iterator[list[str]]) -> int:
    count = 0
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for row in cells:
            writer.writerow(row)
            count += 1
    return count


def _excel(path: Path, cells: Iterator[list[str]]) -> int:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("共同生活家庭成员")
    sheet.append(HEADINGS)
    count = 0
    for row in cells:
        sheet.append([cell or None for cell in row])
        count += 1
    book.save(path)
    return count
