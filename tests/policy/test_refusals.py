"""What the loader refuses, each with the file and the line where a bureau finds it."""

import shutil
from datetime import date
from pathlib import Path

import pytest

import policy
from policy.bundle import Bundle
from policy.marked import PolicyError
from policy.parameters import PolicyMissing
from policy.readiness import needing_attention, not_ready

CITY, TOWN = "339901000000", "339901001000"
RENT = f"{CITY}/risk/rent_arrears.yaml"
VALUE = """\
rent_arrears:
  values:
    2023-01-01:
      status: enacted
      periods: 2
      bands: [[2, 2], [4, 3]]
      document: {title: 试行通知, number: null}
  last_value_still_valid_on: 2026-11-01
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "policy"
    shutil.copytree(Path(policy.__file__).parent, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (copy / RENT).write_text(VALUE, encoding="utf-8")
    return copy


def refused(folder: Path, file: str, text: str) -> PolicyError:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        Bundle.load(folder)
    return caught.value


def test_the_copy_itself_is_accepted(folder: Path) -> None:
    rule = Bundle.load(folder).on(date(2025, 1, 1)).rule("rent_arrears", CITY)
    assert (rule.status, rule.number("periods"), rule.steps("bands")) == ("enacted", 2, ((2, 2), (4, 3)))


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("periods: 2", "periods: 2\n      month: 3", 6, "不认识的项“month”"),
        ("      periods: 2\n", "", 4, "缺少“periods”"),
        ("periods: 2", "periods: two", 5, "整数"),
        ("periods: 2", "periods: 2\n      periods: 3", 6, "写了两次"),
        ("[[2, 2], [4, 3]]", "[[4, 3], [2, 2]]", 6, "从低到高"),
        ("[[2, 2], [4, 3]]", "[[2, 9]]", 6, "1到4"),
        ("status: enacted", "status: pilot", 4, "签发单位"),
        ("status: enacted", "status: {pilot: {signed_by: 某局}}", 4, "缺少“until”"),
        ("status: enacted", "status: {pilot: {until: 2027-01-01}}", 4, "缺少“signed_by”"),
        ("status: enacted", "status: draft", 4, "不是参数状态"),
        ("number: null}", "number: null, url: x}", 7, "不认识的项“url”"),
        ("2023-01-01", "2023-13-01", 3, "日期写成"),
        ("  last_value_still_valid_on: 2026-11-01\n", "", 2, "最后一次核对"),
        ("rent_arrears:", "rent_arrear:", 1, "只能写“rent_arrears”"),
        ("  values:", "  keys: {periods: count}\n  values:", 2, "只能写在national里"),
        ("  values:", "  periods: 2\n  values:", 6, "只能写一处"),
        ("periods: 2", "\tperiods: 2", 5, "不是合格的YAML"),
    ],
)
def test_refused_at_its_line(folder: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in VALUE
    error = refused(folder, RENT, VALUE.replace(old, new))
    assert (error.file, error.line) == (f"policy/{RENT}", line), str(error)
    assert says in error.message_zh
    assert f"第{line}行" in str(error)


def two_values(first_until: str, second_from: str) -> str:
    first = f"    2023-01-01:\n      status: enacted\n{first_until}      periods: 2\n"
    body = "      bands: [[2, 2]]\n      document: {title: 通知}\n"
    second = f"    {second_from}:\n      status: enacted\n      periods: 3\n"
    return f"rent_arrears:\n  values:\n{first}{body}{second}{body}  last_value_still_valid_on: 2026-11-01\n"


def test_dated_values_follow_each_other(folder: Path) -> None:
    (folder / RENT).write_text(two_values("      until: 2024-01-01\n", "2024-01-01"), encoding="utf-8")
    bundle = Bundle.load(folder)
    assert bundle.on(date(2023, 12, 31)).rule("rent_arrears", CITY).number("periods") == 2
    assert bundle.on(date(2024, 1, 1)).rule("rent_arrears", CITY).number("periods") == 3


@pytest.mark.parametrize(
    ("until", "second", "says"),
    [
        ("      until: 2023-12-01\n", "2024-01-01", "空档"),
        ("      until: 2024-02-01\n", "2024-01-01", "重叠"),
        ("", "2022-01-01", "重叠"),
        ("      until: 2022-12-01\n", "2024-01-01", "结束日期不晚于开始日期"),
    ],
)
def test_gaps_and_overlaps(folder: Path, until: str, second: str, says: str) -> None:
    assert says in refused(folder, RENT, two_values(until, second)).message_zh


def test_a_pilot_ends_and_the_place_above_answers_again(folder: Path) -> None:
    pilot = "status: {pilot: {signed_by: 某局, until: 2024-01-01}}"
    (folder / RENT).write_text(VALUE.replace("status: enacted", pilot), encoding="utf-8")
    bundle = Bundle.load(folder)
    rule = bundle.on(date(2023, 12, 31)).rule("rent_arrears", CITY)
    assert (rule.status, rule.signed_by) == ("pilot", "某局")
    assert bundle.on(date(2024, 1, 1)).rule("rent_arrears", CITY).status == "example"


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (f"{CITY}/risk/rent_areas.yaml", "没有定义"),
        (f"{CITY}/review/rent_arrears.yaml", "属于risk"),
        (f"{CITY}/rent_arrears.yaml", "不认识的文件"),
        ("339902000000/risk/rent_arrears.yaml", "不是areas.yaml里的区划代码"),
    ],
)
def test_files_in_the_wrong_place(folder: Path, file: str, says: str) -> None:
    assert says in refused(folder, file, VALUE.replace("rent_arrears:", f"{Path(file).stem}:", 1)).message_zh


TWICE = "{to: '330683000000', valid_from: 2025-01-01}, {to: '330109000000', valid_from: 2025-06-01}"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('parent: "330600000000"}', 'parent: "330700000000"}', "没有写在本文件里"),
        ('{name: 浙江省, parent: "000000000000"}', '{name: 浙江省, parent: "330683000000"}', "绕了一圈"),
        ('{name: 浙江省, parent: "000000000000"}', "{name: 浙江省}", "缺少“parent”"),
        ('"339901001000":', '"3399010010":', "12位数字"),
        ("valid_to: 2025-01-01", "valid_from: 2025-01-01, valid_to: 2025-01-01", "不晚于"),
        ("{name: 北辰镇,", '{name: 北辰镇, entrusted: [{to: "330700000000", valid_from: 2025-01-01}],', "没有写在"),
        ("{name: 北辰镇,", '{name: 北辰镇, entrusted: [{to: "339901001000", valid_from: 2025-01-01}],', "绕了一圈"),
        ("{name: 北辰镇,", '{name: 北辰镇, entrusted: [{to: "330683000000"}],', "valid_from"),
        ("{name: 北辰镇,", "{name: 北辰镇, entrusted: [" + TWICE + "],", "不重叠"),
        ("{name: 北辰镇,", "{name: 北辰镇, entrusted: [{to: x, since: 2025-01-01}],", "不认识的项"),
    ],
)
def test_areas_that_do_not_hold_together(folder: Path, old: str, new: str, says: str) -> None:
    text = (folder / "areas.yaml").read_text(encoding="utf-8")
    assert old in text
    assert says in refused(folder, "areas.yaml", text.replace(old, new)).message_zh


def test_a_scheme_nobody_knows_has_no_line(folder: Path) -> None:
    file = f"{CITY}/risk/medical_selfpay.yaml"
    text = (folder / file).read_text(encoding="utf-8").replace("TEKUN: 1000元", "TEKUNN: 1000元")
    assert "TEKUNN" in refused(folder, file, text).message_zh


def test_every_scheme_somebody_can_hold_has_a_line_of_its_own(folder: Path) -> None:
    file = f"{CITY}/risk/medical_selfpay.yaml"
    text = (folder / file).read_text(encoding="utf-8").replace("GANGXING: 10000元, ", "")
    assert "缺少“GANGXING”" in refused(folder, file, text).message_zh
    of_a_payment = text.replace("OTHER: 15000元", "GANGXING: 10000元, CANJI_HULI: 1元, OTHER: 15000元")
    assert "不认识的项“CANJI_HULI”" in refused(folder, file, of_a_payment).message_zh


def test_a_scheme_can_end(folder: Path) -> None:
    text = (folder / "schemes.yaml").read_text(encoding="utf-8")
    ended = text.replace("{2021-01-01: 20}", "{2021-01-01: 20, 2026-01-01: null}")
    (folder / "schemes.yaml").write_text(ended, encoding="utf-8")
    schemes = Bundle.load(folder).schemes
    assert (schemes.rank("FANGPIN", date(2025, 12, 31)), schemes.rank("FANGPIN", date(2026, 1, 1))) == (20, 0)


def test_a_place_ranks_schemes_its_own_way_from_a_day_on(folder: Path) -> None:
    """Before that day the ranks of above; below it the town's own; a null: it does not count here."""
    text = (folder / "schemes.yaml").read_text(encoding="utf-8")
    places = f'{{"{CITY}": {{2024-01-01: 55}}, "{TOWN}": {{2024-06-01: null, 2025-01-01: 15}}}}'
    local = text.replace("{2023-10-19: 30}}", f"{{2023-10-19: 30}}, places: {places}}}")
    assert local != text
    (folder / "schemes.yaml").write_text(local, encoding="utf-8")
    bundle = Bundle.load(folder)
    assert Bundle.from_canonical(bundle.canonical()).hash == bundle.hash

    def rank(area: str, *day: int) -> int:
        return bundle.on(date(*day)).schemes_of(area).rank("GANGXING", date(*day))

    assert [rank(CITY, 2023, 12, 31), rank(CITY, 2024, 1, 1)] == [30, 55]
    assert [rank(TOWN, 2024, 5, 31), rank(TOWN, 2024, 6, 1), rank(TOWN, 2025, 1, 1)] == [55, 0, 15]
    assert rank("330683000000", 2025, 1, 1) == rank("nowhere", 2025, 1, 1) == 30
    held = ["DIBAO", "GANGXING"]
    assert bundle.on(date(2024, 3, 1)).schemes_of(TOWN).highest(held, date(2024, 3, 1)) == "GANGXING"
    assert bundle.on(date(2024, 7, 1)).schemes_of(TOWN).highest(held, date(2024, 7, 1)) == "DIBAO"
    assert bundle.schemes.next_change(date(2024, 1, 1)) == date(2024, 6, 1)
    assert bundle.schemes.next_change(date(2025, 1, 1)) is None
    assert bundle.on(date(2024, 5, 1)).next_change("medical_selfpay", CITY) == date(2024, 6, 1)
    plain = Bundle.load(Path(policy.__file__).parent)
    assert plain.on(date(2024, 7, 1)).schemes_of(TOWN) is plain.schemes


@pytest.mark.parametrize(
    ("places", "says"),
    [('{"339901123000": {2024-01-01: 55}}', "没有写在areas.yaml里"), (f'{{"{CITY}": {{}}}}', "至少要有一个日期")],
)
def test_ranks_of_a_place_nobody_knows_or_of_no_day(folder: Path, places: str, says: str) -> None:
    text = (folder / "schemes.yaml").read_text(encoding="utf-8")
    local = text.replace("{2023-10-19: 30}}", f"{{2023-10-19: 30}}, places: {places}}}")
    assert says in refused(folder, "schemes.yaml", local).message_zh


def test_an_example_or_a_missing_value_stands_in_the_way_of_golive(folder: Path) -> None:
    bundle = Bundle.load(folder)
    today = date(2026, 11, 22)
    assert not_ready(bundle, ["rent_arrears"], CITY, today) == []
    assert "示例值" in not_ready(bundle, ["rent_arrears"], "330109000000", today)[0]
    assert "没有现行的" in not_ready(bundle, ["dibao_month"], "330109000000", today)[0]


def test_what_a_rule_can_do_without_may_be_missing_but_not_an_example(folder: Path) -> None:
    today, name = date(2026, 11, 22), ["disposable_income_year"]
    assert not_ready(Bundle.load(folder), [], "330109000000", today, name) == []
    assert not_ready(Bundle.load(folder), ["rent_arrears"], CITY, today, name) == []
    standards = folder / CITY / "standards.yaml"
    signed = "{pilot: {signed_by: 星河市民政局（虚构）, until: 2099-12-31}}"
    head, mean, tail = standards.read_text(encoding="utf-8").partition("disposable_income_year:")
    standards.write_text(head + mean + tail.replace(signed, "example", 1), encoding="utf-8")
    (reason,) = not_ready(Bundle.load(folder), ["rent_arrears"], CITY, today, name)
    assert "disposable_income_year" in reason


def test_an_example_below_the_area_stands_in_the_way_too(folder: Path) -> None:
    town = folder / "339901003000/risk/rent_arrears.yaml"
    town.parent.mkdir(parents=True)
    town.write_text(VALUE.replace("status: enacted", "status: example"), encoding="utf-8")
    reasons = not_ready(Bundle.load(folder), ["rent_arrears"], CITY, date(2026, 11, 22))
    assert len(reasons) == 1
    assert "天枢街道" in reasons[0]


def test_values_that_ended_and_values_nobody_looked_at(folder: Path) -> None:
    sentences = needing_attention(Bundle.load(folder), date(2026, 11, 22))
    assert any("嵊州市“最低生活保障标准”的最后一个值到2022-01-01为止" in each for each in sentences)
    assert any("请核对" in each for each in needing_attention(Bundle.load(folder), date(2028, 1, 1)))


def test_missing_says_what_where_and_when(folder: Path) -> None:
    with pytest.raises(PolicyMissing, match="dibao_month"):
        Bundle.load(folder).on(date(2025, 1, 1)).standard("dibao_month", "330109000000")
