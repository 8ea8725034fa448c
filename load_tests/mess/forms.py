"""Mess about form: time, order, units, encodings, floods, silence, drifting words (kinds 1, 2, 4, 10-13, 15)."""

import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from load_tests.mess.files import (
    BILL_HEADINGS,
    Mess,
    bill,
    inhabitants,
    number,
    write_csv,
    write_excel,
    write_lines,
    write_mapping,
)

_CHANGES = (*BILL_HEADINGS, "操作", "记录时间")
_BOTH_SIGNS = {
    "目录外自费(元)": "-200",
    "目录内个人自付(元)": "-200",
    "大病保险支付(元)": "10",
    "医疗救助支付(元)": "-10",
}
_NEGATIVE = {
    "总费用(元)": "-1000",
    "基本医保统筹支付(元)": "-600",
    "目录内个人自付(元)": "-300",
    "目录外自费(元)": "-100",
}


def late(folder: Path) -> list[Mess]:
    """1: bills of thirteen months in one monthly file, all taken."""
    days = [f"2025-{month:02d}-20" for month in range(6, 13)] + [f"2026-{month:02d}-20" for month in range(1, 6)]
    rows = [bill(number(n), f"S{n}", day) for n, day in enumerate(days, 1)]
    return [Mess(1, "old months", write_csv(folder / "late.csv", BILL_HEADINGS, rows), "medical.settlement", good=12)]


def reversals(folder: Path) -> list[Mess]:
    """2: negative amounts with and without the original number, a partial refund of another year, a mixed sign."""
    blank = [""] * (len(BILL_HEADINGS) - 2)
    rows = [
        [*bill(number(1), "S1"), "", "2026-05-14 08:00:00"],
        [number(1), "S1", *blank, "冲销", "2026-05-20 08:00:00"],
        [*bill(number(2), "", changes=_NEGATIVE), "", ""],
        [*bill(number(3), "S3", "2025-12-30", changes=_NEGATIVE), "", ""],
        [*bill(number(4), "S4", changes={"总费用(元)": "-1000"}), "", ""],
        [*bill(number(5), "S5", changes=_NEGATIVE | _BOTH_SIGNS), "", ""],
        [number(6), "", *blank, "冲销", "2026-05-20 08:00:00"],
        [*bill(number(7), "S7", yuan=2000), "更正", ""],
    ]  # fmt: skip
    codes = {"SUM_MISMATCH": 1, "BAD_FIELD": 1, "NO_KEY": 1}
    path = write_csv(folder / "reversals.csv", _CHANGES, rows)
    untimed = write_csv(folder / "untimed.csv", _CHANGES, [[*bill(number(1), "S1"), "", ""], rows[1]])
    return [
        Mess(2, "signs", path, "medical.settlement", good=5, codes=codes),
        Mess(2, "original without time", untimed, "medical.settlement", good=2, warned="重新生效"),
    ]


def out_of_order(folder: Path) -> list[Mess]:
    """4: a reversal before its original, a correction before what it corrects: order is the recorded time's."""
    blank = [""] * (len(BILL_HEADINGS) - 2)
    rows = [
        [number(1), "S1", *blank, "冲销", "2026-05-20 08:00:00"],
        [*bill(number(1), "S1"), "", "2026-05-14 08:00:00"],
        [*bill(number(2), "S2", yuan=2000), "更正", "2026-05-20 08:00:00"],
        [*bill(number(2), "S2"), "", "2026-05-14 08:00:00"],
    ]
    path = write_csv(folder / "order.csv", _CHANGES, rows)
    return [Mess(4, "order", path, "medical.settlement", good=4, repeated=1)]


UNITS = """
feed: housing.fund
missing: [—]
columns:
  identity: 身份证号
  account: 个人账号
  month: {column: 缴存年月, date: [of_day, serial]}
  base: {column: 缴存基数（万元）, unit: 万元}
  deposit: {column: 月缴额（分）, unit: 分}
  withdrawn: {column: 提取额, unit: 元}
  reason: 提取原因
  loan: {constant: NONE}
"""


def units(folder: Path) -> list[Mess]:
    """10: 万元, 分 and 元 in one row; masked, scrambled and scanned digits are refused and never zero."""
    from schemas.feed import FEEDS

    labels = {f.name: f.labels for f in FEEDS["housing.fund"].fields}
    loan, why = next(iter(labels["loan"])), next(iter(labels["reason"].values()))
    headings = ("身份证号", "个人账号", "缴存年月", "缴存基数（万元）", "月缴额（分）", "提取额", "提取原因")
    amounts = [("0.52", "62400", "1,200.50", why), ("0.52", "62400", "—"), ("0.52", "62400", "*"),
               ("０.５２", "６２４００", ""), ("0.5*", "62400", ""),
               ("0.52", "6240O", ""), ("l.52", "62400", ""), ("0.52", "62400.5", ""),
               ("约0.5", "62400", ""), ("0.52", "6.24E+04", ""), ("", "62400", "")]  # fmt: skip
    rows = [[number(n), f"G{n}", "202605", *three] for n, three in enumerate(amounts, 1)]
    mapping = write_mapping(folder / "units.yaml", UNITS.replace("NONE", loan))
    path = write_csv(folder / "units.csv", headings, rows)
    small = [
        bill(number(n), f"S{n}", yuan=0, changes={"总费用(元)": "0.13", "目录内个人自付(元)": "0.13"})
        for n in range(1, 400)
    ]
    tiny = write_csv(folder / "tenthousand.csv", BILL_HEADINGS, small)
    return [
        Mess(
            10, "three units", path, "housing.fund", good=4, codes={"BAD_FIELD": 6, "MISSING_FIELD": 1}, mapping=mapping
        ),
        Mess(10, "万元 taken for 元", tiny, "medical.settlement", good=399, warned="单位"),
    ]


def forms(folder: Path) -> list[Mess]:
    """11: encodings, delimiters, titles, merged cells, order of columns, NUL, broken bytes, dates of every kind."""
    rows = [bill(number(n), f"S{n}", changes={"医疗机构编码": "星河市,人民路1号医院"}) for n in range(1, 4)]
    kind = "medical.settlement"
    found = [
        Mess(11, encoding, write_csv(folder / f"{encoding}.csv", BILL_HEADINGS, rows, encoding=encoding), kind, good=3)
        for encoding in ("gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16")
    ]
    turned = [row[::-1] for row in rows]
    found.append(Mess(11, "turned", write_csv(folder / "turned.tsv", BILL_HEADINGS[::-1], turned, delimiter="\t",
                                              title="星河市医保结算明细"), kind, good=3))  # fmt: skip
    dates = ["2026/5/14", "20260514", "2026年5月14日", "２０２６-05-14", "20240230", "44927", "2026年5月", "14.05.2026"]
    path = write_csv(folder / "dates.csv", BILL_HEADINGS, [bill(number(n), f"D{n}", d) for n, d in enumerate(dates, 1)])
    found.append(Mess(11, "dates", path, kind, good=4, codes={"BAD_FIELD": 4}))
    renamed = [*BILL_HEADINGS]
    renamed[5] = "费用总额"
    found.append(
        Mess(11, "renamed", write_csv(folder / "renamed.csv", renamed, rows), kind, good=0, refused="费用总额")
    )
    nul = write_csv(folder / "nul.csv", BILL_HEADINGS, [*rows, bill(number(4), "S\x004")])
    found.append(Mess(11, "NUL", nul, kind, good=3, codes={"BAD_FIELD": 1}))
    mixed = folder / "mixed.csv"
    start = write_csv(mixed, BILL_HEADINGS, rows * 9, encoding="utf-8").read_bytes()
    broken = ",".join(bill(number(5), "S5", changes={"医疗机构编码": "乙医院"})).encode("gbk") + b"\r\n"
    mixed.write_bytes(start + broken)
    found.append(Mess(11, "two encodings", mixed, kind, good=27, codes={"BAD_ENCODING": 1}, repeated=24))
    lost = [*rows, bill(number(5), "S5", changes={"医疗机构编码": "��ҽԺ"})]
    found.append(Mess(11, "lost characters", write_csv(folder / "lost.csv", BILL_HEADINGS, lost), kind, good=3,
                      codes={"BAD_FIELD": 1}))  # fmt: skip
    return [*found, *_workbooks(folder, rows), *_containers(folder)]


def _workbooks(folder: Path, rows: list[list[str]]) -> list[Mess]:
    kind = "medical.settlement"
    head = list(BILL_HEADINGS)
    typed: list[list[object]] = [list(row) for row in rows]
    typed[0][2], typed[1][2] = datetime(2026, 5, 14), 46156
    for row in typed:
        row[5:] = [float(str(cell)) for cell in row[5:]]
    damaged: list[object] = [*typed[2]]
    damaged[0], damaged[1] = int(number(17)[:15] + "000"), "S9"
    sheet: list[list[object]] = [
        ["星河市医保结算明细表"],
        [],
        [*head],
        *typed,
        damaged,
        ["合计", "", "", "", "", 4000.0],
    ]
    rest = rows[0][2:]
    merged: list[list[object]] = [
        [*head],
        [number(1), "S1", *rest],
        ["", "S2", *rest],
        [number(3), "S3", *rest],
        ["", "S4", *rest[:3], "", *rest[4:]],
    ]
    return [
        Mess(11, "workbook", write_excel(folder / "title.xlsx", sheet, ["A1:L1"]), kind, good=3,
             codes={"BAD_IDENTITY": 1}, warned="合计"),
        Mess(11, "merged cells", write_excel(folder / "merged.xlsx", merged, ["A2:A3", "A4:A5", "F4:F5"]), kind, good=3,
             codes={"BAD_FIELD": 1}),
    ]  # fmt: skip


def _containers(folder: Path) -> list[Mess]:
    packed, old = folder / "bills.csv.zip.csv", folder / "old.xls"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "x")
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    locked = folder / "locked.xlsx"
    locked.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    kind = "medical.settlement"
    return [
        Mess(11, "archive", packed, kind, good=0, refused="解压"),
        Mess(11, "old workbook", old, kind, good=0, refused="另存为"),
        Mess(11, "locked workbook", locked, kind, good=0, refused="密码"),
    ]


def flood(path: Path, rows: int, people: int = 998, dearest: int = 900) -> Path:
    """12: a month of a whole city in one GB18030 file, written row by row; bills of 10 to 10 x `dearest` yuan.

    Settlement numbers are S0, S1 and so on, and the people `inhabitants(people)`.
    """
    with path.open("w", encoding="gb18030", newline="") as file:
        file.write(",".join(BILL_HEADINGS) + "\r\n")
        file.writelines(",".join(row) + "\r\n" for row in _flood_rows(rows, people, dearest))
    return path


def flood_lines(path: Path, rows: int, people: int = 998) -> Path:
    """The same as lines of JSON: the feed's own names, in fen."""
    with path.open("w", encoding="utf-8") as file:
        for who, no, on, _, hospital, *yuan in _flood_rows(rows, people, 900):
            total, pooled, critical, aid, account, inside, outside = (round(float(each) * 100) for each in yuan)
            record = {
                "identity": who, "settle_no": no, "settled_on": on, "visit": "INPATIENT", "hospital": hospital,
                "total": total, "pooled_pay": pooled, "critical_pay": critical, "aid_pay": aid, "account_pay": account,
                "in_catalogue_self_paid": inside, "out_of_catalogue": outside,
            }  # fmt: skip
            file.write(json.dumps(record) + "\n")
    return path


def _flood_rows(rows: int, people: int, dearest: int) -> Iterator[list[str]]:
    known = inhabitants(people)
    for n in range(rows):
        yield bill(known[n % people], f"S{n}", yuan=10 * (n % dearest + 1))


def silence(folder: Path) -> list[Mess]:
    """13: nothing, only headings, only a title: a file without rows is never taken for a month without bills."""
    empty = folder / "empty.csv"
    empty.write_bytes(b"")
    kind = "medical.settlement"
    return [
        Mess(13, "empty", empty, kind, good=0, refused="空"),
        Mess(13, "headings only", write_csv(folder / "headings.csv", BILL_HEADINGS, []), kind, good=0),
        Mess(13, "empty workbook", write_excel(folder / "empty.xlsx", []), kind, good=0, refused="空"),
        Mess(13, "no lines", write_lines(folder / "none.jsonl", []), kind, good=0),
    ]


DRIFT = """
feed: medical.settlement
columns:
  visit: {column: 医疗类别, codes: {"11": 门诊, "14": OUTPATIENT, "21": 住院}}
  in_catalogue_self_paid: {sum: [个人负担, -自费]}
  out_of_catalogue: 自费
"""


def drift(folder: Path) -> list[Mess]:
    """15: 自付, 自费, 个人负担 are not guessed; a mapping says which is which, and new codes are told."""
    headings = [*BILL_HEADINGS]
    headings[3], headings[10], headings[11] = "医疗类别", "个人负担", "自费"
    rows = [bill(number(n), f"S{n}", changes={"就诊类型": code, "目录内个人自付(元)": "400.00"})
            for n, code in enumerate(("11", "21", "14", "9901"), 1)]  # fmt: skip
    path = write_csv(folder / "drift.csv", headings, rows)
    mapping = write_mapping(folder / "drift.yaml", DRIFT)
    return [
        Mess(15, "words without mapping", path, "medical.settlement", good=0, refused="个人负担"),
        Mess(15, "words mapped", path, "medical.settlement", good=3, codes={"BAD_FIELD": 1}, mapping=mapping),
    ]
