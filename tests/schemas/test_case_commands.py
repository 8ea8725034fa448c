"""Commands as programs send them: what is refused, and that a refusal never quotes."""

import json
from uuid import uuid4

import pytest

from schemas.case_commands import Accept, CaseTick, Verify, decode_command, encode_command
from schemas.errors import Reject
from tests.cases.builders import SEEN

COMMAND = {"type": "contest", "command_id": "1", "case_id": "c", "household": "h_1", "actor": "王"}


def test_commands_and_ticks_survive_the_wire() -> None:
    for told in (
        CaseTick(at_ms=1),
        Accept(command_id=str(uuid4()), case_id=str(uuid4()), household="h_1", actor="王"),
        Verify.model_validate(
            {"command_id": "1", "case_id": "c", "household": "h_1", "actor": "王", "result": "need", "evidence": [SEEN]}
        ),
    ):
        assert decode_command(encode_command(told)) == told


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"\xff\x00", "NOT_JSON"),
        (b"[]", "BAD_FIELD"),
        (b'{"type": "erase"}', "BAD_FIELD"),
        (json.dumps(COMMAND).encode(), "MISSING_FIELD"),
        (json.dumps(COMMAND | {"statement": "a", "extra": 1}).encode(), "UNKNOWN_FIELD"),
        (json.dumps(COMMAND | {"statement": "本人 999999 19880504 1232"}).encode(), "PLAIN_IDENTITY"),
        (json.dumps(COMMAND | {"statement": "a", "actor": "13800138000"}).encode(), "PLAIN_IDENTITY"),
    ],
)
def test_what_cannot_be_read_is_rejected_without_quoting_it(value: bytes, code: str) -> None:
    with pytest.raises(Reject) as rejected:
        decode_command(value)
    assert rejected.value.code == code
    assert rejected.value.__cause__ is None
    assert not any(text in str(rejected.value) for text in ("19880504", "13800138000", "erase"))


@pytest.mark.parametrize(
    "name", ["110101199003074514", "13800138000", "张三", "a\u0000b", "\u202eb", "x" * 200, "a b", "_13800138000"]
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_name_nobody_knows_is_not_repeated(name: str, *, inside: bool) -> None:
    referral = {"department": "民政", "item": "临时救助"}
    asked = COMMAND | {"type": "refer", "referrals": [referral | ({name: "1"} if inside else {})]}
    with pytest.raises(Reject) as rejected:
        decode_command(json.dumps(asked if inside else asked | {name: "1"}).encode())
    assert rejected.value.code == "UNKNOWN_FIELD"
    assert rejected.value.pointer.endswith("/?")
    assert name not in rejected.value.pointer + rejected.value.message_zh

