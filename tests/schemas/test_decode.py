"""The hot path and the slow path decide the same; garbage is explained and its neighbours pass."""

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from schemas.envelope import Decoder, Delivery, Manifest, Problem
from schemas.facts import KIND_OF_FEED, Bill, Membership
from schemas.feed import FEEDS
from schemas.generate import example_event
from tests.schemas.natural_keys import NATURAL_KEYS

KNOWN_AT_MS = 1_782_792_000_000
NAMES = [spec.name for spec in FEEDS.every]
DECODERS = {name: Decoder(FEEDS[name]) for name in NAMES}
_BODY = "99999919680401123"
IDENTITY = _BODY + ric.calc_check_digit(_BODY + "0")

ODD: list[Any] = [
    None, True, 0, -1, 1, 1.0, 1.5, 10**13, 10**13 + 1, 10**30, "", " ", "x", "a|b", "a\nb", "\u200b", "住院", IDENTITY,
    "x" * 65, "x" * 201, "2026-05-14", "2026-5-14", "9999-12-31", "1899-12-31", "2026-05", "2026-13", "0001-01",
    "2026-05-14T10:00:00Z", "2026-05-14 10:00:00+08:00", "2026-05-14T10:00:00", "2031-01-01T00:00:00Z", "record",
    "correct", "reverse", "HEAD", "SPOUSE", "bill", "deferral", "DIBAO", "dibao", "p_" + "a" * 32, "P_" + "A" * 32,
    "p_" + "a" * 32 + "\n", "h_" + "0" * 32, [], {}, [1], ["x"], {"a": 1}, "339901000000", "lidm.batch.end",
]  # fmt: skip


def event(kind: str = "medical.settlement", **changes: Any) -> dict[str, Any]:
    """The example of a feed; `data__x` changes a field of data, `...` removes."""
    made = copy.deepcopy(example_event(FEEDS[kind]))
    for name, value in changes.items():
        target, key = (made["data"], name[6:]) if name.startswith("data__") else (made, name)
        if value is ...:
            target.pop(key, None)
        else:
            target[key] = value
    return made


def decode(message: object, kind: str = "medical.settlement", known_at_ms: int = KNOWN_AT_MS) -> list[Any]:
    """What a message says."""
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    return list(FEEDS[kind].decode(raw, known_at_ms))


def problem(message: object, kind: str = "medical.settlement") -> Problem:
    """The only problem of a message."""
    (found,) = decode(message, kind)
    assert isinstance(found, Problem), found
    return found


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """An event of some feed with up to three fields removed, added or replaced by something odd."""
    kind = draw(st.sampled_from(NAMES))
    made = copy.deepcopy(example_event(FEEDS[kind]))
    for _ in range(draw(st.integers(0, 3))):
        holders = [made, made.get("data"), made.get("data")]
        holders += (
            [part for part in (made.get("data") or {}).values() if isinstance(part, dict)]
            if isinstance(made.get("data"), dict)
            else []
        )
        target = draw(st.sampled_from([holder for holder in holders if isinstance(holder, dict)]))
        name = draw(st.sampled_from([*target, "extra", "operation", "recordedtime", "batchid"]))
        if draw(st.booleans()) and name in target:
            del target[name]
        else:
            target[name] = copy.deepcopy(draw(st.sampled_from(ODD)))
    text = json.dumps(made, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    return kind, text.encode()


@settings(max_examples=600, deadline=None)
@given(mutated())
def test_both_paths_decide_the_same(message: tuple[str, bytes]) -> None:
    kind, raw = message
    decoder = DECODERS[kind]
    fast = decoder.decode(raw, KNOWN_AT_MS)
    assert fast == [decoder.explainer.decide(raw, KNOWN_AT_MS, None)]
    assert decoder.decode(b"[" + raw + b"]", KNOWN_AT_MS) == [decoder.explainer.decide(raw, KNOWN_AT_MS, 0)]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_problem_and_never_an_exception(raw: bytes) -> None:
    for outcome in DECODERS["vital.death.v1"].decode(raw, KNOWN_AT_MS):
        assert isinstance(outcome, Problem)


@pytest.mark.parametrize("kind", NAMES)
def test_a_plain_message_takes_the_hot_path(kind: str) -> None:
    decoder = Decoder(FEEDS[kind])
    raw = json.dumps(example_event(FEEDS[kind]), ensure_ascii=False).encode()
    assert isinstance(decoder.decode(raw, KNOWN_AT_MS)[0], Delivery)
    assert "_explainer" in vars(decoder)
    assert vars(decoder)["_explainer"] is None


@pytest.mark.parametrize("kind", NAMES)
def test_the_fact_is_of_the_feeds_kind_and_survives_its_codec(kind: str) -> None:
    (delivery,) = decode(example_event(FEEDS[kind]), kind)
    fact_type = KIND_OF_FEED[FEEDS[kind].kind]
    assert type(delivery.fact) is fact_type
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(delivery.fact), type=fact_type) == delivery.fact


def test_a_bill_becomes_what_the_ledger_keeps() -> None:
    (delivery,) = decode(event(batchid="b-1", sequence=7))
    fact = delivery.fact
    assert isinstance(fact, Bill)
    assert (fact.key, fact.sequence, fact.gone, fact.source) == ("S202605-000123", 7, False, "urn:lidm:339901:medical")
    assert (fact.in_catalogue_fen, fact.out_of_catalogue_fen, fact.account_fen) == (250_000, 150_000, 26_000)
    assert fact.recorded_ms == 1_778_781_600_000
    assert (delivery.person, delivery.household, delivery.batchid) == ("p_" + "0" * 31 + "1", None, "b-1")


@pytest.mark.parametrize("kind", NAMES)
def test_natural_keys(kind: str) -> None:
    (delivery,) = decode(event(kind), kind)
    assert delivery.fact.key == NATURAL_KEYS[FEEDS[kind].kind]
    assert FEEDS[kind].fact.keyed_alone == (delivery.person not in NATURAL_KEYS[FEEDS[kind].kind])


def test_a_bill_without_number_is_known_by_source_and_id() -> None:
    (delivery,) = decode(event(data__settle_no=..., id="77"))
    assert delivery.fact.key == "urn:lidm:339901:medical|77"
    change = event(data__settle_no=..., operation="correct", recordedtime="2026-05-15T02:00:00Z")
    assert problem(change).code == "NO_KEY"


def test_equal_ids_of_two_sources_never_tie() -> None:
    (one,), (other,) = decode(event(source="a")), decode(event(source="b"))
    assert one.fact.version != other.fact.version


def test_a_membership_names_its_household_and_what_was_decided_for_it() -> None:
    (delivery,) = decode(event("civil.household"), "civil.household")
    fact = delivery.fact
    assert isinstance(fact, Membership)
    assert delivery.household == fact.household == "h_" + "0" * 31 + "1"
    assert fact.person == delivery.person
    assert fact.declared is not None
    assert fact.declared.monthly_income_fen == 180_000
    assert [status.scheme for status in fact.statuses] == ["DIBAO"]


@pytest.mark.parametrize("kind", NAMES)
def test_a_reversal_needs_only_its_key_and_carries_no_money(kind: str) -> None:
    keys = {name: event(kind)["data"][name] for name in FEEDS[kind].key_fields}
    (bare,) = decode(event(kind, operation="reverse", data=keys), kind)
    (full,) = decode(event(kind, operation="reverse"), kind)
    for delivery in (bare, full):
        assert delivery.fact.gone
        amounts = [getattr(delivery.fact, name) for name in delivery.fact.__struct_fields__ if name.endswith("_fen")]
        assert not any(amounts)
    assert bare.fact.key == full.fact.key


def test_a_reversals_day_is_its_datas_else_the_events_in_shanghai() -> None:
    late = "2026-05-14T18:30:00Z"
    sent = event(operation="reverse", data={"settle_no": "S1"}, time=late, recordedtime=late)
    (bare,) = decode(sent)
    (dated,) = decode({**sent, "data": {"settle_no": "S1", "settled_on": "2026-03-01"}})
    assert bare.fact.day - dated.fact.day == 75  # 15 May and 1 March


def test_an_array_delivers_the_good_and_explains_the_bad() -> None:
    good, other = event(), event(id="2", data__settle_no="S2")
    outcomes = decode([good, event(data__total="x"), other, 7])
    assert [type(outcome) for outcome in outcomes] == [Delivery, Problem, Delivery, Problem]
    assert [(outcome.code, outcome.index) for outcome in outcomes if isinstance(outcome, Problem)] == [
        ("WRONG_TYPE", 1),
        ("NOT_ENVELOPE", 3),
    ]


def test_a_plain_identity_number_is_found_anywhere_and_never_repeated() -> None:
    wide = IDENTITY.translate({48 + digit: 0xFF10 + digit for digit in range(10)})
    status = {"scheme": "DIBAO", "since": "2025-01-01", "source": "民政", "document": IDENTITY}
    places = [
        event(subject=IDENTITY), event(id=f"x{IDENTITY}y"), event(source=IDENTITY), event(batchid=IDENTITY),
        event(data__settle_no=IDENTITY), event(data__hospital=f"医院 {IDENTITY}"), event(data__note=IDENTITY),
        event(data={IDENTITY: 1}), event(data__hospital=wide),
        event(data__hospital=f"{IDENTITY[:6]} {IDENTITY[6:14]} {IDENTITY[14:]}"),
        event("civil.household", data__statuses=[status]),
    ]  # fmt: skip
    for place in places:
        kind = str(place["type"]).removeprefix("lidm.")
        for raw in (json.dumps(place), json.dumps(place, ensure_ascii=False)):
            found = problem(raw.encode(), kind)
            assert found.code == "PLAIN_IDENTITY"
            assert IDENTITY not in repr(found)


def test_a_character_that_a_conversion_lost_is_found_anywhere() -> None:
    status = {"scheme": "DIBAO", "since": "2025-01-01", "source": "民政", "document": "杭民\ufffd1号"}
    places = {
        "/data/hospital": event(data__hospital="某\ufffd医院"), "/id": event(id="R\ufffd1"),
        "/data/settle_no": event(data__settle_no="S\ufffd"), "/data": event(data={"\ufffd": 1}),
        "/data/statuses/0/document": event("civil.household", data__statuses=[status]),
    }  # fmt: skip
    for pointer, place in places.items():
        kind = str(place["type"]).removeprefix("lidm.")
        for raw in (json.dumps(place), json.dumps(place, ensure_ascii=False)):
            found = problem(raw.encode(), kind)
            assert (found.code, found.pointer) == ("BAD_ENCODING", pointer)


def test_no_problem_repeats_a_value_or_a_strange_name() -> None:
    words = "张三秘密"
    for sent in (
        event(subject=words), event(data__visit=words), event(data__total=words), event(data__settled_on=words),
        event(data={words: 1}), {**event(), words: 1}, event(operation=words),
        event(type=words), event(time=words),
    ):  # fmt: skip
        assert words not in repr(problem(sent))


def test_clocks() -> None:
    day = 86_400_000
    (known,) = decode(event())
    at = known.fact.recorded_ms
    assert isinstance(decode(event(), known_at_ms=at - day)[0], Delivery)
    assert decode(event(), known_at_ms=at - day - 1)[0].pointer == "/recordedtime"
    assert problem(event(data__settled_on="2026-07-02")).pointer == "/data"
    assert isinstance(decode(event(data__settled_on="2026-07-01"))[0], Delivery)
    assert problem(event(time="1890-01-01T00:00:00Z")).code == "TOO_OLD"
    for zone, shift in (("+08:00", 8), ("Z", 0), ("-03:30", -3.5)):
        (there,) = decode(event(recordedtime=f"2026-05-15T02:00:00.123{zone}"))
        assert there.fact.recorded_ms == 1_778_810_400_123 - int(shift * 3_600_000)


def test_size_and_emptiness() -> None:
    assert problem(b" " * 900_001).code == "TOO_LARGE"
    assert problem(b"").code == "NOT_JSON"
    assert problem(b"[]").code == "NOT_ENVELOPE"
    assert problem(b"[ ]").code == "NOT_ENVELOPE"
    assert problem(b"[" + b"1," * 5_000 + b"1]").code == "TOO_LARGE"


@pytest.mark.parametrize("depth", [100, 250, 500, 900, 980, 995, 100_000])
def test_no_depth_of_nesting_escapes(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    assert isinstance(problem(nested), Problem)
    raw = json.dumps(event(data__hospital="?")).encode()
    assert problem(raw.replace(b'"?"', nested)).code in {"NOT_JSON", "WRONG_TYPE", "BAD_FIELD"}
    chinese = json.dumps(event(data__hospital="?", data__visit="住院"), ensure_ascii=False).encode()
    assert isinstance(problem(chinese.replace(b'"?"', nested)), Problem)


def test_a_missing_value_is_explained() -> None:
    assert DECODERS["vital.death.v1"].decode(None, 0)[0].code == "NOT_JSON"  # type: ignore[union-attr]


def manifest(**changes: Any) -> dict[str, Any]:
    """An end manifest."""
    made: dict[str, Any] = {
        "specversion": "1.0", "id": "m1", "source": "s", "type": "lidm.batch.end", "time": "2026-06-03T08:00:00+08:00",
        "batchid": "b-1",
        "data": {"feed": "medical.settlement", "period": "2026-05", "areas": ["339901000000"], "mode": "replace_period",
                 "rows": 3, "nothing_happened": False},
    }  # fmt: skip
    for name, value in changes.items():
        (made["data"] if name.startswith("data__") else made)[name.removeprefix("data__")] = value
    return made


def test_manifests() -> None:
    (found,) = decode(manifest())
    assert found == Manifest(
        "end", "b-1", "medical.settlement", "2026-05", ("339901000000",), "replace_period", 3, False,
        1_780_444_800_000, "s",
    )  # fmt: skip
    (begin,) = decode(manifest(type="lidm.batch.begin"))
    assert isinstance(begin, Manifest)
    assert begin.what == "begin"
    assert problem(manifest(batchid=None)).code == "MISSING_FIELD"
    assert problem(manifest(subject="p_" + "0" * 32)).code == "UNKNOWN_FIELD"
    assert problem(manifest(data__feed="vital.death")).code == "BAD_FIELD"
    assert problem(manifest(data__mode="all")).code == "BAD_FIELD"
    assert problem(manifest(time="2030-01-01T00:00:00Z")).code == "FUTURE_DATE"
    assert problem(manifest(data__areas=[])).pointer == "/data/areas"
    assert problem(manifest(data__rows=-1)).pointer == "/data/rows"


def test_a_refused_row_still_names_its_batch() -> None:
    assert problem(event(batchid="b-9", data__total="x")).batchid == "b-9"
    assert problem(event(batchid=IDENTITY, data__total="x")).batchid is None
