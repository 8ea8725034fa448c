import csv
import json
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.events import BatchPlan
from gateway.feed import FeedPublisher
from gateway.identities import Linkage
from gateway.publish import Published, publish_file, publish_nothing
from gateway.rows import column_of, day_field
from gateway.sources import source_of
from schemas.amount_limits import AmountLimits, LimitsLifted
from schemas.doubts import Doubts
from schemas.envelope import Delivery
from schemas.errors import CallError, DataError
from schemas.feed import FEEDS
from schemas.partition import partition_of
from tests.gateway.outlet import Outlet
from tests.gateway.people import number, with_x

LINKAGE = Linkage(b"k" * 32, synthetic=True)
RECORDED = datetime(2026, 6, 3, 9, tzinfo=UTC)
PLAN = BatchPlan("2026-05", ("339901000000",))
BILL = FEEDS["medical.settlement"]
HEADER = ["证件号码", *(column_of(f) for f in BILL.fields)]


def bill(who: str, settle_no: str = "S1", **changes: str) -> list[str]:
    cells = {
        "settle_no": settle_no,
        "settled_on": "2026-05-14",
        "visit": "住院",
        "hospital": "H1",
        "disease": "",
        "total": "1,286.00",
        "pooled_pay": "640",
        "critical_pay": "120.00",
        "aid_pay": "100",
        "account_pay": "26",
        "in_catalogue_self_paid": "250",
        "out_of_catalogue": "150",
    } | changes
    return [who, *(cells[f.name] for f in BILL.fields)]


def table(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, encoding: str = "gb18030") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def publish(path: Path, outlet: Outlet, feed: str = "medical.settlement", **options: Any) -> Published:
    return publish_file(path, feed, publisher=outlet, linkage=LINKAGE, recorded=RECORDED, **options)


def test_a_departments_file_becomes_accepted_events_keyed_by_person(tmp_path: Path) -> None:
    outlet = Outlet()
    people = [number(n) for n in range(1, 30)]
    done = publish(table(tmp_path / "a.csv", [bill(who, f"S{n}") for n, who in enumerate(people)]), outlet)
    assert [m.key.decode() for m in outlet.sent] == [LINKAGE.person(who) for who in people]
    assert all(m.partition == partition_of(m.key, 4) for m in outlet.sent)
    delivered = outlet.deliveries()
    assert len(delivered) == 29 == done.receipt.sent == sum(done.receipt.partitions)
    assert outlet.flushed == 29
    first = delivered[0]
    assert (first.person, first.operation, first.batchid) == (LINKAGE.person(people[0]), "record", None)
    assert first.fact.key == "S0"
    assert outlet.events()[0]["data"]["in_catalogue_self_paid"] == 25000
    assert outlet.events()[0]["time"] == "2026-05-14T00:00:00+08:00"
    assert not done.receipt.closed


def test_a_batch_is_opened_and_closed_in_every_partition_with_its_own_count(tmp_path: Path) -> None:
    outlet = Outlet()
    path = table(tmp_path / "a.csv", [bill(number(n % 3 + 1), f"S{n}") for n in range(10)])
    later, known_at_ms = RECORDED + timedelta(minutes=1), 1_780_500_000_000
    done = publish(path, outlet, batch=PLAN, ended=lambda: later, timestamp_ms=known_at_ms)
    begins, ends = outlet.manifests()[:4], outlet.manifests()[4:]
    assert [(m.what, m.rows) for m in begins] == [("begin", 0)] * 4
    assert tuple(m.rows for m in ends) == done.receipt.partitions
    assert {m.what for m in ends} == {"end"}
    assert [m.partition for m in outlet.sent[:4]] == [m.partition for m in outlet.sent[-4:]] == [0, 1, 2, 3]
    assert {m.key.decode() for m in outlet.sent[:4]} == {done.receipt.batchid} == {m.batchid for m in ends}
    assert (ends[0].feed, ends[0].period, ends[0].areas, ends[0].mode) == (
        "medical.settlement",
        "2026-05",
        ("339901000000",),
        "delta",
    )
    assert ends[0].recorded_ms - begins[0].recorded_ms == 60_000
    assert {d.batchid for d in outlet.deliveries()} == {done.receipt.batchid}
    assert {m.timestamp_ms for m in outlet.sent} == {known_at_ms}
    assert done.receipt.closed


def test_arrays_hold_one_partition_each_and_keep_its_order(tmp_path: Path) -> None:
    outlet, single = Outlet(), Outlet()
    path = table(tmp_path / "a.csv", [bill(number(n % 40 + 1), f"S{n}") for n in range(200)])
    publish(path, outlet, array=16, batch=PLAN)
    publish(path, single, batch=PLAN)

    def per_partition(of: Outlet) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for message in of.sent:
            events = json.loads(message.value)
            for event in events if isinstance(events, list) else [events]:
                found.setdefault(message.partition, []).append(event["id"])
        return found

    assert per_partition(outlet) == per_partition(single)
    assert len(outlet.sent) < 40
    assert all(partition_of(m.key, 4) == m.partition for m in outlet.sent[4:-4])


def test_the_same_row_gets_the_same_id_and_another_row_another(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [bill(number(1)), bill(number(1), "S2"), bill(number(2))])
    once, again = Outlet(), Outlet()
    publish(path, once)
    publish(path, again)
    ids = [e["id"] for e in once.events()]
    assert ids == [e["id"] for e in again.events()]
    assert len(set(ids)) == 3


def test_a_bill_without_any_number_is_the_same_fact_whenever_it_is_sent(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [bill(number(1), "")])
    outlet = Outlet()
    publish(path, outlet)
    publish_file(path, "medical.settlement", publisher=outlet, linkage=LINKAGE, recorded=RECORDED + timedelta(days=1))
    one, two = outlet.deliveries()
    assert one.fact.key == two.fact.key
    assert one.fact.recorded_ms < two.fact.recorded_ms


def test_envelope_columns(tmp_path: Path) -> None:
    header = [*HEADER, "业务流水号", "操作", "记录时间", "序号"]
    rows = [
        [*bill(number(1)), "Y-1", "", "2026-05-20 08:00:00", "7"],
        [*bill(number(1), total="1,386", out_of_catalogue="250"), "Y-2", "更正", "2026-05-21", ""],
        [number(1), "S1", *[""] * (len(HEADER) - 2), "Y-3", "冲销", "2026-05-22", ""],
    ]
    outlet = Outlet()
    done = publish(table(tmp_path / "a.csv", rows, header), outlet)
    assert done.problems == ()
    assert [(e["id"], e["operation"], e["sequence"]) for e in outlet.events()] == [
        ("Y-1", "record", 7),
        ("Y-2", "correct", 3),
        ("Y-3", "reverse", 4),
    ]
    assert [d.fact.key for d in outlet.deliveries()] == ["S1"] * 3
    assert [d.fact.gone for d in outlet.deliveries()] == [False, False, True]
    assert outlet.events()[0]["recordedtime"] == "2026-05-20T08:00:00.000+08:00"


def test_later_rows_of_a_file_win_over_earlier_ones(tmp_path: Path) -> None:
    outlet = Outlet()
    publish(table(tmp_path / "a.csv", [bill(number(1)), bill(number(1), visit="门诊")]), outlet)
    first, second = outlet.deliveries()
    assert second.fact.version > first.fact.version


def test_bad_rows_are_named_kept_and_leave_the_batch_open(tmp_path: Path) -> None:
    broken = number(2)[:17] + ("0" if number(2)[17] != "0" else "1")
    rows = [
        bill(number(1), "S1"),
        bill(broken, "S2"),
        bill(number(3), "S3", total="壹佰"),
        bill(number(4), "S4", total="9"),
        bill(number(5), "S5", settled_on="2026-02-30"),
        bill(number(6), "S6", visit="急诊"),
        bill(number(7), "S7", hospital=""),
        bill(number(8), "S8", hospital=number(9)),
        bill("", "S9"),
        bill(number(1), "S10", settled_on="2027-01-01"),
        bill(number(3), "S11")[:5],
    ]
    outlet = Outlet()
    kept = tmp_path / "a.bad.csv"
    done = publish(table(tmp_path / "a.csv", rows), outlet, batch=PLAN, bad_rows=kept)
    assert done.receipt.sent == 1
    assert done.receipt.bad == 10 == len(done.problems)
    assert not done.receipt.closed
    assert {m.what for m in outlet.manifests()} == {"begin"}
    assert [(p.row, p.column, p.code) for p in done.problems] == [
        (3, "证件号码", "BAD_IDENTITY"),
        (4, "总费用(元)", "BAD_FIELD"),
        (5, "总费用(元)", "SUM_MISMATCH"),
        (6, "结算日期", "BAD_FIELD"),
        (7, "就诊类型", "BAD_FIELD"),
        (8, "医疗机构编码", "MISSING_FIELD"),
        (9, "医疗机构编码", "PLAIN_IDENTITY"),
        (10, "证件号码", "BAD_IDENTITY"),
        (11, "结算日期", "FUTURE_DATE"),
        (12, "总费用(元)", "MISSING_FIELD"),
    ]
    assert "门诊、门诊慢特病、住院、药店" in done.problems[4].text
    said = "\n".join(p.text for p in done.problems)
    for secret in (broken, *(number(n) for n in range(1, 10)), "壹佰", "急诊"):
        assert secret not in said
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with kept.open(encoding="utf-8-sig", newline="") as file:
        header, *again = csv.reader(file)
    assert header[: len(HEADER)] == HEADER
    assert again[0][: len(HEADER)] == rows[1]


def test_the_file_of_bad_rows_can_be_mended_and_sent(tmp_path: Path) -> None:
    kept = tmp_path / "a.bad.csv"
    publish(table(tmp_path / "a.csv", [bill(number(1), visit="急诊")]), Outlet(), bad_rows=kept)
    kept.write_text(kept.read_text(encoding="utf-8-sig").replace("急诊", "门诊"), encoding="utf-8-sig")
    outlet = Outlet()
    assert publish(kept, outlet).receipt.sent == 1


def test_no_bad_rows_no_file_and_the_batch_can_be_closed_anyway(tmp_path: Path) -> None:
    kept = tmp_path / "bad.csv"
    assert publish(table(tmp_path / "a.csv", [bill(number(1))]), Outlet(), bad_rows=kept, batch=PLAN).receipt.closed
    assert not kept.exists()
    outlet = Outlet()
    rows = [bill(number(1)), bill("x")]
    assert publish(table(tmp_path / "b.csv", rows), outlet, batch=PLAN, close_with_bad=True).receipt.closed
    assert sum(m.rows for m in outlet.manifests()) == 1


def test_a_replaced_period_does_not_fall_under_its_own_replacement(tmp_path: Path) -> None:
    outlet = Outlet()
    plan = BatchPlan("2026-05", ("339901000000",), mode="replace_period")
    path = table(tmp_path / "a.csv", [[*bill(number(1)), "2026-05-20"]], [*HEADER, "记录时间"])
    publish(path, outlet, batch=plan)
    begun = outlet.manifests()[0].recorded_ms
    assert all(d.fact.recorded_ms >= begun for d in outlet.deliveries())


def test_only_the_persons_asked_for(tmp_path: Path) -> None:
    outlet = Outlet()
    path = table(tmp_path / "a.csv", [bill(number(1), "S1"), bill(number(2), "S2")])
    done = publish(path, outlet, persons={LINKAGE.person(number(2))})
    assert [d.fact.key for d in outlet.deliveries()] == ["S2"]
    assert (done.receipt.read, done.receipt.left_out) == (2, 1)
    with pytest.raises(CallError, match="补发"):
        publish(path, outlet, persons=set(), batch=PLAN)


def test_nothing_happened_closes_every_partition() -> None:
    outlet = Outlet()
    receipt = publish_nothing("vital.death", publisher=outlet, recorded=RECORDED, batch=PLAN, source="urn:a")
    assert [(m.what, m.rows, m.nothing_happened) for m in outlet.manifests()] == [
        *[("begin", 0, True)] * 4,
        *[("end", 0, True)] * 4,
    ]
    assert receipt.closed


@pytest.mark.parametrize(
    ("rows", "header", "reason"),
    [
        ([], HEADER, "没有数据行"),
        ([["1"]], ["证件号码"], "缺少列"),
        ([["1"]], [*HEADER, "备注"], "不认识的列"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_sends_nothing(
    tmp_path: Path, rows: list[list[str]], header: list[str], reason: str
) -> None:
    outlet = Outlet()
    with pytest.raises(DataError, match=reason):
        publish(table(tmp_path / "a.csv", rows, header), outlet, batch=PLAN)
    assert outlet.sent == []


def test_wrong_calls(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [bill(number(1))])
    with pytest.raises(CallError, match="没有数据类"):
        publish(path, Outlet(), feed="medical.unknown")
    with pytest.raises(CallError, match="roster load"):
        publish(path, Outlet(), feed="civil.household")
    with pytest.raises(CallError, match="YYYY-MM"):
        BatchPlan("2026-13", ("339901000000",))
    with pytest.raises(CallError, match="地区"):
        BatchPlan("2026-05", ())


def test_json_lines(tmp_path: Path) -> None:
    data = {"reported_by": "cremation", "died_on": "2026-05-02"}
    lines = [
        {"identity": with_x().lower(), "id": "D-1", **data},
        {"identity": number(2), "operation": "reverse", "reported_by": "police", "recordedtime": "2026-05-09T08:00:00"},
        {"identity": number(3), **data, "died_on": "昨天"},
        {"identity": number(4), **data, "name": "虚构甲"},
        {"identity": 12, **data},
        {"identity": number(5), **data, "operation": "drop"},
        {"identity": number(6), **data, "sequence": "1"},
    ]
    path = tmp_path / "a.jsonl"
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text(text + "\n[1]\n{broken\n\n", encoding="utf-8")
    outlet = Outlet()
    kept = tmp_path / "bad.jsonl"
    done = publish(path, outlet, feed="vital.death", bad_rows=kept)
    assert [(d.person, d.operation, d.fact.gone) for d in outlet.deliveries()] == [
        (LINKAGE.person(with_x()), "record", False),
        (LINKAGE.person(number(2)), "reverse", True),
    ]
    assert [p.row for p in done.problems] == [3, 4, 5, 6, 7, 8, 9]
    assert len(kept.read_text().splitlines()) == 7
    assert "虚构甲" not in outlet.text()


def test_json_lines_in_gb18030_are_read_and_in_utf16_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = json.dumps({"identity": number(1), "id": "殡-1", "reported_by": "cremation", "died_on": "2026-05-02"},
                      ensure_ascii=False)  # fmt: skip
    path.write_bytes(f"{line}\n".encode("gb18030"))
    outlet = Outlet()
    publish(path, outlet, feed="vital.death")
    assert [event["id"] for event in outlet.events()] == ["殡-1"]
    path.write_bytes(f"{line}\n".encode("utf-16"))
    with pytest.raises(DataError, match="UTF-8"):
        publish(path, Outlet(), feed="vital.death")


def test_an_id_built_on_the_identity_number_does_not_carry_it_on(tmp_path: Path) -> None:
    one = number(1)
    rows = [[*bill(one), f"YB-{one}"], [*bill(one, "S2"), f"YB-{one[-12:]}"], [*bill(one, "S3"), "YB-3"]]
    outlet = Outlet()
    publish(table(tmp_path / "a.csv", rows, [*HEADER, "业务流水号"]), outlet)
    ids = [e["id"] for e in outlet.events()]
    assert one[-12:] not in "".join(ids)
    assert ids[2] == "YB-3"
    assert len(set(ids)) == 3


@pytest.mark.parametrize("kind", sorted(FEEDS))
def test_time_is_the_day_of_the_fact_for_every_feed(kind: str) -> None:
    spec = FEEDS[kind]
    name = day_field(spec)
    if name is None:
        return  # no single field is the day: such events carry the time they were recorded
    field = next(f for f in spec.fields if f.name == name)
    examples: dict[str, Any] = {f.name: f.example for f in spec.fields if not f.parts}
    if "relation" in examples:
        examples["relation"] = "CHILD"
    for end in {"until", "valid_to"} & examples.keys():
        examples[end] = None
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "s",
        "type": spec.event_type,
        "subject": "p_" + "0" * 32,
        "time": "2026-06-01T00:00:00+08:00",
        "data": examples,
    }
    outcome = spec.decode(json.dumps(event, default=str).encode(), 2_000_000_000_000)[0]
    assert isinstance(outcome, Delivery), outcome
    stated = str(field.example)
    day = datetime.fromisoformat(stated if len(stated) == 10 else f"{stated}-01").date()
    assert outcome.fact.day == day.toordinal()


def test_each_department_of_a_feed_that_several_send_is_a_source_of_its_own() -> None:
    assert len({source_of("utility.bill", each) for each in ("", "市水务集团", "市燃气公司")}) == 3
    assert source_of("civil.benefit", "市民政局") == source_of("civil.benefit")


def test_a_batch_of_a_feed_that_several_send_names_its_source(tmp_path: Path) -> None:
    """Without it two departments would replace one another's month, and close it for each other."""
    outlet = Outlet()
    path = table(tmp_path / "a.csv", [["1"]], ["证件号码"])
    with pytest.raises(CallError, match="--source"):
        publish(path, outlet, feed="utility.bill", batch=PLAN)
    with pytest.raises(CallError, match="--source"):
        publish_nothing("utility.bill", publisher=outlet, recorded=RECORDED, batch=PLAN)
    with pytest.raises(CallError, match="--source"):
        FeedPublisher("utility.bill", publisher=outlet, linkage=LINKAGE, batch=PLAN, recorded=RECORDED)
    assert not outlet.sent
    assert publish_nothing("civil.benefit", publisher=outlet, recorded=RECORDED, batch=PLAN).closed
    publish_nothing("utility.bill", publisher=outlet, recorded=RECORDED, batch=PLAN, source="urn:gas")
    assert {event["source"] for event in outlet.events()} == {source_of("civil.benefit"), "urn:gas"}


def test_an_amount_intake_would_hold_back_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """Or the receipt would say that a month is closed which stays open."""
    doubts = Doubts()
    doubts.learn("medical.settlement", AmountLimits(1, {"total": (1_000, 10_000_000)}))
    dear = bill(number(2), "S2", total="12860000.00", in_catalogue_self_paid="12858964.00")
    rows = [bill(number(1), "S1"), dear]
    outlet, kept = Outlet(), tmp_path / "bad.csv"
    done = publish(table(tmp_path / "a.csv", rows), outlet, batch=PLAN, bad_rows=kept, doubts=doubts)
    assert [d.fact.key for d in outlet.deliveries()] == ["S1"]
    assert [(p.row, p.column, p.code) for p in done.problems] == [(3, "总费用(元)", "AMOUNT_UNIT")]
    assert (done.receipt.closed, "S2" in kept.read_text(encoding="utf-8-sig")) == (False, True)
    assert sum(done.amounts["total"].values()) == 2  # the report card sees it
    doubts.learn("medical.settlement", LimitsLifted(1, 2**60, "王某", "已核实"))
    assert publish(table(tmp_path / "a.csv", rows), Outlet(), batch=PLAN, doubts=doubts).receipt.closed
