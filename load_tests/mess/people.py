"""Mess about people: numbers, names, households, areas, deaths, duplicates (kinds 3, 5, 6, 7, 8, 9)."""

from pathlib import Path

from load_tests.mess.files import BILL_HEADINGS, Mess, bill, ending, number, write_csv, write_lines

_DEATH = ("证件号码", "登记来源", "死亡日期", "操作", "记录时间")
_DECLARED = {
    "hukou_area": "339901001000",
    "residence_area": "339902001000",
    "responsible_area": "339901001000",
    "incident_area": "339901001000",
}


def duplicates(folder: Path) -> list[Mess]:
    """3: a bill by two ways and a file within a file; one death from three sources is three reports, not repeats."""
    once = [bill(number(n), f"S{n}") for n in range(1, 11)]
    bills = write_csv(folder / "bills.csv", BILL_HEADINGS, [*once, *once[:4], bill(number(5), "S5", yuan=2000)])
    who = number(20)
    deaths = [
        [who, source, "2026-05-02", "", ""] for source in ("殡葬火化", "公安户籍注销", "卫健死亡证明", "殡葬火化")
    ]
    return [
        Mess(3, "bills twice", bills, "medical.settlement", good=15, repeated=5),
        Mess(3, "three sources", write_csv(folder / "deaths.csv", _DEATH, deaths), "vital.death", good=4, repeated=1),
    ]


def identity_chaos(folder: Path) -> list[Mess]:
    """5: every spelling of a number is the same person; every damaged one is refused with its reason."""
    x, plain = ending("X"), number(17)
    spellings = [
        x, x.lower(), plain[:6] + plain[8:17], "".join(chr(ord(c) + 0xFEE0) for c in plain), "'" + plain,
        f"{plain[:6]} {plain[6:14]} {plain[14:]}", plain + "\u200b", x[:17] + "Ｘ",
    ]  # fmt: skip
    damaged = [
        "9.99999E+17", plain[:15] + "000", plain[:17] + ("0" if plain[17] != "0" else "1"),
        plain[:16] + "O" + plain[17],
        plain[:16] + "l" + plain[17], plain[:17], plain[:6] + "********" + plain[14:], "", "待办", plain + "1",
    ]  # fmt: skip
    rows = [bill(raw, f"S{n}") for n, raw in enumerate([*spellings, *damaged])]
    types = [
        [*bill("E12345678", "P1"), "护照"], [*bill("H1234567890", "P2"), "港澳台通行证"],
        [*bill("", "P3"), ""], [*bill("出生医学证明", "P4"), "其他"], [*bill("E12345678", "P5"), "驾照"],
    ]  # fmt: skip
    return [
        Mess(5, "spellings", write_csv(folder / "numbers.csv", BILL_HEADINGS, rows, encoding="utf-8-sig"),
             "medical.settlement", good=len(spellings), codes={"BAD_IDENTITY": len(damaged)}),
        Mess(5, "types", write_csv(folder / "types.csv", (*BILL_HEADINGS, "证件类型"), types), "medical.settlement",
             good=2, codes={"BAD_IDENTITY": 2, "BAD_FIELD": 1}),
    ]  # fmt: skip


def names(folder: Path) -> list[Mess]:
    """6: rare characters and long names survive in GB18030; a private-use character and pinyin garble are told."""
    texts = ["𠮷田医院", "阿布都·热合曼诊所", "吐尔逊古丽·买买提依明江卫生院", "鎮(zhèn)卫生院", "繁體醫院"]
    rows = [bill(number(n), f"S{n}", changes={"医疗机构编码": text}) for n, text in enumerate(texts, 1)]
    rows.append(bill(number(9), "S9", changes={"医疗机构编码": "医\ue000院"}))
    rows.append(bill(number(10), "S10", changes={"就诊类型": "住(zhù)院(yuàn)"}))
    headings = [*BILL_HEADINGS]
    headings[2] = "结算(jié suàn)日期"
    path = write_csv(folder / "names.csv", headings, rows)
    return [Mess(6, "characters", path, "medical.settlement", good=6, codes={"BAD_FIELD": 1})]


def households(folder: Path) -> list[Mess]:
    """7: members in two books, backdated ends, a head who died; what contradicts itself is told."""
    one, two = "h_" + "1" * 32, "h_" + "2" * 32
    member = {"household": one, "relation": "CHILD", "valid_from": "2020-01-01"}
    records: list[dict[str, object]] = [
        {"identity": number(1), **member, "relation": "HEAD", "declared": _DECLARED, "valid_to": "2026-05-02"},
        {"identity": number(2), **member},
        {"identity": number(2), **member, "household": two, "valid_from": "2026-05-02", "relation": "HEAD",
         "declared": _DECLARED},
        {"identity": number(3), **member, "valid_to": "2019-12-31"},
        {"identity": number(4), **member, "relation": "HEAD"},
        {"identity": number(5), **member, "declared": _DECLARED},
        {"identity": number(6), **member, "relation": "干亲"},
    ]  # fmt: skip
    codes = {"BAD_FIELD": 3, "MISSING_FIELD": 1}
    return [Mess(7, "members", write_lines(folder / "members.jsonl", records), "civil.household", good=3, codes=codes)]


def areas(folder: Path) -> list[Mess]:
    """8: codes of six or nine digits, with a name, without their leading digits: refused rather than completed."""
    headings = ("证件号码", "求助编号", "困难类别", "求助日期", "求助地", "求助渠道")
    from schemas.feed import FEEDS

    words = {f.name: next(iter(f.labels.values()), "") for f in FEEDS["self.report"].fields}
    codes = [
        "339901001000",
        "339901001000 ",
        "339901",
        "339901001",
        "星河市甲镇",
        "3.39901E+11",
        "339901001000（甲镇）",
    ]
    rows = [
        [number(n), f"Q{n}", words["category"], "2026-05-14", code, words["channel"]] for n, code in enumerate(codes, 1)
    ]
    return [Mess(8, "area codes", write_csv(folder / "areas.csv", headings, rows), "self.report", good=2,
                 codes={"BAD_FIELD": 5})]  # fmt: skip


def deaths(folder: Path) -> list[Mess]:
    """9: a death reported years late, one in the future, one taken back, one taken back without saying when."""
    rows = [
        [number(1), "公安户籍注销", "2023-02-11", "", "2026-05-20 08:00:00"],
        [number(2), "殡葬火化", "2026-05-02", "", "2026-05-03 08:00:00"],
        [number(2), "殡葬火化", "", "冲销", "2026-05-09 08:00:00"],
        [number(3), "殡葬火化", "2027-05-02", "", ""],
        [number(4), "殡葬火化", "", "冲销", ""],
        [number(5), "", "", "冲销", "2026-05-09 08:00:00"],
        [number(6), "殡葬火化", "1870-01-01", "", ""],
    ]
    codes = {"FUTURE_DATE": 1, "NO_KEY": 1, "TOO_OLD": 1}
    return [Mess(9, "late and wrong deaths", write_csv(folder / "late.csv", _DEATH, rows), "vital.death", good=4,
                 codes=codes)]  # fmt: skip
