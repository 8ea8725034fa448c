"""Reads the official household export row by row: who, in which household, holding what; identities stay in the row."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from gateway import values
from gateway.identities import ID_TYPES, RESIDENT, BadIdentity, Linkage, issuing_area_of, mask, normalise, shape
from gateway.problems import BadRow, RowProblem
from gateway.tables import Table, heading
from gateway.vault import Identity
from schemas.labels import SCHEMES

COLUMNS = {
    "户号": "household",
    "与户主关系": "relation",
    "姓名": "name",
    "证件号码": "number",
    "证件类型": "id_type",
    "出生日期": "born",
    "救助类别": "scheme",
    "类别起": "since",
    "类别止": "until",
    "认定机关": "authority",
    "户籍地区划代码": "hukou",
    "居住地区划代码": "residence",
    "责任属地区划代码": "responsible",
    "急难发生地区划代码": "incident",
    "认定地区划代码": "issuing",
    "核定月收入(元)": "income",
    "收入认定期间": "income_period",
    "文号": "document",
    "联系电话": "phones",
    "住址": "addresses",
    "加入日期": "joined",
    "退出日期": "left",
}
ALSO = {"类别起始日期": "since", "类别终止日期": "until", "核定家庭月收入(元)": "income", "现住址": "addresses"}
REQUIRED = ("户号", "与户主关系", "姓名", "证件号码", "加入日期")
TITLES = {name: column for column, name in COLUMNS.items()}

RELATIONS = {
    label: code
    for code, labels in {
        "HEAD": "户主 本人 户主本人",
        "SPOUSE": "配偶 夫 妻 丈夫 妻子",
        "CHILD": "子女 子 女 儿子 女儿 独生子 独生女 长子 次子 三子 长女 次女 三女 养子 养女 继子 继女 "
        "养子或继子 养女或继女 其他儿子 其他女儿",
        "PARENT": "父母 父 母 父亲 母亲 养父 养母 继父 继母",
        "GRANDCHILD": "孙子女 孙子 孙女 外孙 外孙子 外孙女 孙子、孙女或外孙子、外孙女",
        "GRANDPARENT": "祖父母 祖父 祖母 外祖父 外祖母 祖父母或外祖父母",
        "SIBLING": "兄弟姐妹 兄 弟 姐 妹 哥哥 弟弟 姐姐 妹妹 兄、弟、姐、妹",
    }.items()
    for label in labels.split()
}
_SCHEME_NAMES = {label: code for code, label in SCHEMES.items()} | {
    "最低生活保障": "DIBAO",
    "低保对象": "DIBAO",
    "城乡低保": "DIBAO",
    "特困人员": "TEKUN",
    "特困供养": "TEKUN",
    "低边": "DIBIAN",
    "低保边缘": "DIBIAN",
    "低保边缘家庭": "DIBIAN",
    "刚性支出困难家庭": "GANGXING",
    "支出型困难家庭": "GANGXING",
    "防返贫监测对象": "FANGPIN",
    "其他困难": "OTHER",
}
_SCHEME_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,31}")
_APART = re.compile(r"[、,，;；/\s]+")


@dataclass(frozen=True)
class Areas:
    """The areas of a household as its head's row states them."""

    hukou: str
    residence: str
    responsible: str
    incident: str


@dataclass(frozen=True)
class RosterRow:
    """One good row. `household` is the official number; `repr` shows neither it nor the identity."""

    row: int
    household: str = field(repr=False)
    person: str
    relation: str
    joined: date
    left: date | None
    born: date | None
    status: dict[str, str | None] | None
    document: str
    issuing: str | None
    areas: Areas | None
    income_fen: int | None
    income_period: str
    identity: Identity = field(repr=False)
    id_type: str = RESIDENT
    sex: str | None = None


class Read(NamedTuple):
    """A row as far as it could be read; `household` is its official number and may be empty.

    `district`: the county a row that could not be read still names, "" where it names none.
    """

    household: str
    head: bool
    found: RosterRow | RowProblem
    district: str = ""


def read_roster(table: Table, linkage: Linkage) -> Iterator[Read]:
    """Every row. Raises DataError on wrong headings."""
    known = {heading(column): name for column, name in (COLUMNS | ALSO).items()}
    reader = _Reader(table.positions(known, REQUIRED), linkage)
    for number, cells in table.rows:
        row = reader.cells(number, cells)
        head = RELATIONS.get(row.text("relation")) == "HEAD"
        try:
            yield Read(row.text("household"), head, reader.read(row))
        except BadRow as bad:
            yield Read(row.text("household"), head, bad.problem, reader.district(row))


@dataclass(frozen=True)
class _Row:
    number: int
    cells: Sequence[str] = field(repr=False)
    at: dict[str, int]

    def text(self, name: str) -> str:
        at = self.at.get(name)
        return "" if at is None or at >= len(self.cells) else self.cells[at].strip()

    def bad(self, name: str, reason: str, shown: str = "", code: str = "BAD_FIELD") -> BadRow:
        return BadRow(RowProblem(self.number, TITLES[name], reason, shown, code))

    def needed(self, name: str) -> str:
        text = self.text(name)
        if not text:
            raise self.bad(name, "必填", code="MISSING_FIELD")
        return text

    def day(self, name: str) -> date | None:
        text = self.text(name)
        try:
            return values.day(text) if text else None
        except values.BadValue as error:
            raise self.bad(name, str(error), shape(text)) from None


@dataclass(frozen=True)
class _Reader:
    at: dict[str, int]
    linkage: Linkage

    def cells(self, number: int, cells: Sequence[str]) -> _Row:
        return _Row(number, cells, self.at)

    def read(self, row: _Row) -> RosterRow:
        household = row.needed("household")
        person, number = self._who(row)
        relation = RELATIONS.get(row.needed("relation"), "OTHER")
        joined = row.day("joined")
        if joined is None:
            raise row.bad("joined", "必填", code="MISSING_FIELD")
        document = row.text("document") or "未注明文号"
        id_type = ID_TYPES[row.text("id_type") or "居民身份证"]
        resident = id_type == RESIDENT
        return RosterRow(
            row=row.number,
            household=household,
            person=person,
            relation=relation,
            joined=joined,
            left=row.day("left"),
            born=row.day("born") or (_born(number) if resident else None),
            status=self._status(row, document, joined),
            document=document,
            issuing=self._area(row, "issuing"),
            areas=self._areas(row) if relation == "HEAD" else None,
            income_fen=self._income(row),
            income_period=row.text("income_period") or "未核定",
            identity=Identity(
                name=row.needed("name"),
                number=number,
                phones=_several(row.text("phones")),
                addresses=(row.text("addresses"),) if row.text("addresses") else (),
            ),
            id_type=id_type,
            sex=_sex(number) if resident else None,
        )

    def district(self, row: _Row) -> str:
        """The county of the row's 责任属地, else its 认定地区; "" where neither can be read."""
        for name in ("responsible", "issuing"):
            with suppress(BadRow):
                area = self._area(row, name)
                if area is not None:
                    return issuing_area_of(area)
        return ""

    def _who(self, row: _Row) -> tuple[str, str]:
        label, raw = row.text("id_type") or "居民身份证", row.text("number")
        if label not in ID_TYPES:
            raise row.bad("id_type", f"应为 {'、'.join(ID_TYPES)}", shape(label))
        try:
            return self.linkage.person(raw, ID_TYPES[label]), self.linkage.number(raw, ID_TYPES[label])
        except BadIdentity as error:
            raise row.bad("number", str(error), mask(raw), "BAD_IDENTITY") from None

    def _status(self, row: _Row, document: str, joined: date) -> dict[str, str | None] | None:
        label = row.text("scheme")
        if not label or label == "无":
            return None
        code = _SCHEME_NAMES.get(label) or (label if _SCHEME_CODE.fullmatch(label) else None)
        if code is None:
            raise row.bad("scheme", f"应为 {'、'.join(SCHEMES.values())} 或类别代码", shape(label))
        since, until = row.day("since") or joined, row.day("until")
        return {
            "scheme": code,
            "since": since.isoformat(),
            "until": until.isoformat() if until else None,
            "source": row.text("authority") or "民政部门",
            "document": document,
        }

    def _areas(self, row: _Row) -> Areas:
        responsible = self._area(row, "responsible")
        if responsible is None:
            raise row.bad("responsible", "户主行必填", code="MISSING_FIELD")
        residence = self._area(row, "residence") or responsible
        return Areas(
            self._area(row, "hukou") or responsible, residence, responsible, self._area(row, "incident") or residence
        )

    def _area(self, row: _Row, name: str) -> str | None:
        text = normalise(row.text(name))
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) in {6, 9, 12}):
            raise row.bad(name, "应为 6、9 或 12 位区划代码", shape(text))
        return text.ljust(12, "0")

    def _income(self, row: _Row) -> int | None:
        text = row.text("income")
        if not text:
            return None
        try:
            return values.fen(text)
        except values.BadValue as error:
            raise row.bad("income", str(error), shape(text)) from None


def _several(text: str) -> tuple[str, ...]:
    return tuple(part for part in _APART.split(text) if part)


def _born(number: str) -> date:
    """The birth date a resident number holds; in other documents the same places mean something else."""
    return datetime.strptime(number[6:14], "%Y%m%d").date()


def _sex(number: str) -> str:
    """By the last digit of a resident number's serial number, odd for men."""
    return "M" if int(number[16]) % 2 else "F"
