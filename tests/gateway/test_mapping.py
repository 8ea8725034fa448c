"""Mapping files: what they can say, and that a wrong one is refused where it is wrong."""

import json
from pathlib import Path

import pytest

from gateway.checking import check_file
from gateway.identities import Linkage
from gateway.mapping import load_mapping
from gateway.publish import publish_file
from gateway.reading import column_of
from gateway.template import example_of
from schemas.errors import DataError
from schemas.feed import FEEDS
from schemas.generate import example_event
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_publish import LINKAGE, RECORDED, publish, table

RENT = """
feed: housing.security
table: {heading_row: 2}
ignore: [备注]
missing: [不详]
columns:
  identity: 身份证号
  contract: {join: [小区, 房号], with: "-"}
  billing_period: {column: 账期, date: [of_day]}
  item: {constant: bill}
  amount: {column: 应缴（万元）, unit: 万元}
  paid: {column: 实缴分, unit: 分}
  due_on: {column: 账期, date: [month_last, serial]}
split:
  - when: 应缴（万元）
    columns: {item: {constant: 应缴}}
  - when: 减免元
    columns:
      item: {constant: 减免}
      amount: {column: 减免元, unit: 元}
      paid: {constant: "0"}
"""
HEADER = ["身份证号", "小区", "房号", "账期", "应缴（万元）", "实缴分", "减免元", "备注"]


def write(folder: Path, text: str) -> Path:
    path = folder / "m.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_units_dates_constants_joins_and_split_rows(tmp_path: Path) -> None:
    mapping = load_mapping(write(tmp_path, RENT))
    rows = [
        ["星河市二〇二六年五月租金表"],
        HEADER,
        [number(1), "甲苑", "1-101", "2026年5月", "0.0420", "12000", "80.5", "x"],
        [number(2), "甲苑", "1-102", "2026-05", "0.0420", "不详", "0", ""],
        [number(3), "甲苑", "1-103", "2026-05", "", "", "", ""],
        ["合计", "", "", "", "0.084", "", "", ""],
    ]
    outlet = Outlet()
    done = publish(table(tmp_path / "a.csv", rows[1:], rows[0]), outlet, feed="housing.security", mapping=mapping)
    assert done.problems == ()
    assert [d.fact.key for d in outlet.deliveries()] == [
        "甲苑-1-101|2026-05|bill",
        "甲苑-1-101|2026-05|relief",
        "甲苑-1-102|2026-05|bill",
    ]
    data = [event["data"] for event in outlet.events()]
    assert [(each["amount"], each.get("paid"), each["due_on"]) for each in data] == [
        (42_000, 12_000, "2026-05-31"),
        (8_050, 0, "2026-05-31"),
        (42_000, None, "2026-05-31"),
    ]
    assert len({event["id"] for event in outlet.events()}) == 3


@pytest.mark.parametrize(
    ("was", "becomes", "line", "said"),
    [
        ("feed: housing.security", "feed: housing.secure", 2, "没有数据类"),
        ("ignore: [备注]", "ignored: [备注]", 4, "不认识的项“ignored”"),
        ("  identity: 身份证号", "  identity: 身份证号\n  rent: 租金", 8, "没有字段“rent”"),
        ("unit: 万元", "unit: 亿元", 11, "不认识的单位“亿元”"),
        ("{constant: bill}", "{constant: bill, column: 类型}", 10, "不止一项"),
        ("{constant: bill}", "{unit: 元}", 10, "须写明"),
        ("date: [of_day]", "date: [day]", 9, "不认识的日期写法"),
        ("date: [of_day]", "unit: 元", 9, "不是能写 unit 的字段"),
        ("date: [month_last, serial]", "date: [of_day]", 13, "不认识的日期写法"),
        ("{constant: 减免}", "{column: 类, codes: {甲: 免}}", 19, "没有“免”"),
        ("table: {heading_row: 2}", "table: {heading_row: 零}", 3, "整数"),
        ("columns:\n  identity", "columns:\n  contract: 合同\n  identity", 9, "写了两次"),
        ("feed: housing", "feed: [housing", 3, "YAML"),
    ],
)
def test_a_wrong_mapping_is_refused_with_file_and_line(
    tmp_path: Path, was: str, becomes: str, line: int, said: str
) -> None:
    assert was in RENT
    with pytest.raises(DataError, match=said) as refused:
        load_mapping(write(tmp_path, RENT.replace(was, becomes, 1)))
    assert f"m.yaml 第{line}行" in str(refused.value)


def test_a_mapping_for_another_feed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="不是 vital"):
        load_mapping(write(tmp_path, RENT), "vital.death")


def test_a_column_the_table_lacks_is_refused_with_the_line(tmp_path: Path) -> None:
    mapping = load_mapping(write(tmp_path, RENT.replace("房号]", "室号]")))
    path = table(tmp_path / "a.csv", [HEADER, [number(1)]], ["租金表"])
    with pytest.raises(DataError, match=r"m\.yaml 第8行：表里没有“室号”这一列"):
        publish(path, Outlet(), feed="housing.security", mapping=mapping)


def test_columns_nobody_spoke_of_are_refused_unless_all_others_are_ignored(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [[*HEADER, "经办人"], [number(1), "甲苑", "1", "2026-05", "0.1"]], ["租金表"])
    with pytest.raises(DataError, match="经办人"):
        publish(path, Outlet(), feed="housing.security", mapping=load_mapping(write(tmp_path, RENT)))
    outlet = Outlet()
    loose = load_mapping(write(tmp_path, RENT.replace("[备注]", '["*"]')))
    publish(path, outlet, feed="housing.security", mapping=loose)
    assert len(outlet.deliveries()) == 1


def test_json_lines_can_be_mapped_too(tmp_path: Path) -> None:
    text = """
feed: medical.reimbursement
ignore: [note]
columns:
  identity: psn_id
  settle_no: setl_id
  payer: {column: payer, codes: {"1": 惠民保}, otherwise: 其他}
  reimburse_no: no
  paid_on: {column: day, date: [serial, written]}
  amount: {sum: [a, -b]}
"""
    path = tmp_path / "a.jsonl"
    path.write_text(
        f'{{"psn_id":"{number(1)}","setl_id":"S1","payer":1,"no":"R1","day":45292,"a":12.5,"b":"2","note":"x"}}\n'
        f'{{"psn_id":"{number(2)}","setl_id":"S2","payer":9,"no":"R2","day":"2024-02-30","a":1,"b":null}}\n'
        f'{{"psn_id":"{number(2)}","setl_id":"S2","payer":9,"no":"R2","day":"2024-02-29","a":1,"c":1}}\n'
        "not json\n",
        encoding="utf-8",
    )
    outlet = Outlet()
    done = publish(path, outlet, feed="medical.reimbursement", mapping=load_mapping(write(tmp_path, text)))
    assert [e["data"] for e in outlet.events()] == [
        {"settle_no": "S1", "payer": "惠民保", "reimburse_no": "R1", "paid_on": "2024-01-01", "amount": 1050}
    ]
    assert [(p.row, p.code) for p in done.problems] == [(2, "BAD_FIELD"), (3, "UNKNOWN_FIELD"), (4, "NOT_JSON")]


def test_a_key_made_of_the_identity_number_can_be_made_opaque(tmp_path: Path) -> None:
    text = """
feed: medical.reimbursement
columns:
  identity: 证件号码
  reimburse_no: {join: [证件号码, 结算单号], with: "-", opaque: true}
"""
    header = ["证件号码", "结算单号", "支付方", "支付日期", "支付金额(元)"]
    path = table(tmp_path / "a.csv", [[number(1), "S1", "惠民保", "2026-05-14", "12"]], header)
    outlet = Outlet()
    publish(path, outlet, feed="medical.reimbursement", mapping=load_mapping(write(tmp_path, text)))
    assert outlet.events()[0]["data"]["reimburse_no"].startswith("k_")
    assert number(1) not in outlet.text()


def test_a_row_delivered_again_under_a_new_linkage_key_is_the_same_row(tmp_path: Path) -> None:
    text = """
feed: medical.reimbursement
columns:
  identity: 证件号码
  id: 流水
  reimburse_no: {join: [证件号码, 结算单号], with: "-", opaque: true}
"""
    header = ["证件号码", "结算单号", "支付方", "支付日期", "支付金额(元)", "流水"]
    row = [number(1), "S1", "惠民保", "2026-05-14", "12", f"{number(1)}-7"]
    path, mapping = table(tmp_path / "a.csv", [row], header), load_mapping(write(tmp_path, text))

    def sent(key: bytes, opaque_key: bytes | None) -> tuple[str, str, str]:
        outlet, linkage = Outlet(), Linkage(key, synthetic=True, opaque_key=opaque_key)
        publish_file(
            path, "medical.reimbursement", publisher=outlet, linkage=linkage, recorded=RECORDED, mapping=mapping
        )
        [delivery], [event] = outlet.deliveries(), outlet.events()
        assert number(1) not in outlet.text()
        assert event["id"].startswith("k_")
        return delivery.fact.key, event["id"], delivery.person

    before, after = sent(b"k" * 32, b"o" * 32), sent(b"n" * 32, b"o" * 32)
    assert (before[:2], before[2] == after[2]) == (after[:2], False)
    assert sent(b"n" * 32, None)[:2] != sent(b"k" * 32, None)[:2]  # without a key of its own it would not be


def test_another_person_of_a_row_becomes_a_pseudonym_too(tmp_path: Path) -> None:
    said = example_event(FEEDS["household.change"])["data"] | {"relative": number(2)}
    path = tmp_path / "a.jsonl"
    lines = [{"identity": number(1), **said}, {"identity": number(1), **said, "relative": number(2)[:17] + "O"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    spec, outlet = FEEDS["household.change"], Outlet()
    publish(path, outlet, feed="household.change")
    row = {column_of(f): example_of(f) for f in spec.fields} | {"证件号码": number(1), "相关人": number(2)}
    publish(table(tmp_path / "a.csv", [list(row.values())], list(row)), outlet, feed="household.change")
    assert [event["data"]["relative"] for event in outlet.events()] == [LINKAGE.person(number(2))] * 2
    report = check_file(path, spec, recorded=RECORDED, synthetic=True)
    assert (report.good, dict(report.by_code)) == (1, {"BAD_IDENTITY": 1})


def test_blanks_are_nothing_given_and_take_no_default(tmp_path: Path) -> None:
    text = """
feed: medical.reimbursement
columns:
  payer: {column: 支付方, codes: {"1": 惠民保}, otherwise: 其他}
  settle_no: {column: 结算单号, pad_left: 8}
"""
    header = ["证件号码", "结算单号", "支付方", "报销流水号", "支付日期", "支付金额(元)"]
    rows = [
        [number(1), "12", "9", "R1", "2026-05-14", "12"],
        [number(1), "  ", "9", "R2", "2026-05-14", "12"],
        [number(1), "13", " \u3000", "R3", "2026-05-14", "12"],
        [number(1), "14", "1", "R4", "2026-05-14", "  "],
    ]
    outlet = Outlet()
    done = publish(table(tmp_path / "a.csv", rows, header), outlet, feed="medical.reimbursement",
                   mapping=load_mapping(write(tmp_path, text)))  # fmt: skip
    assert [(e["data"]["settle_no"], e["data"]["payer"]) for e in outlet.events()] == [("00000012", "其他")]
    assert [(p.row, p.code) for p in done.problems] == [(row, "MISSING_FIELD") for row in (3, 4, 5)]
