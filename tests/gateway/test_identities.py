import hashlib
import hmac

import pytest
from stdnum.cn import ric

from gateway.identities import BadIdentity, Linkage, issuing_area_of, mask, normalise, shape
from tests.gateway.people import number, with_x

KEY = bytes(range(32))


@pytest.fixture
def linkage() -> Linkage:
    return Linkage(KEY, synthetic=True)


def test_person_is_the_documented_hmac(linkage: Linkage) -> None:
    one = number(17)
    expected = hmac.new(KEY, f"ric:{one}".encode(), hashlib.sha256).hexdigest()[:32]
    assert linkage.person(one) == f"p_{expected}"


@pytest.mark.parametrize(
    "spell",
    [
        lambda n: n.lower(),
        lambda n: f"  {n[:6]} {n[6:14]} {n[14:]}\u3000",
        lambda n: "'" + n,
        lambda n: "".join(chr(ord(c) + 0xFEE0) for c in n),
        lambda n: n + "\u200b",
        lambda n: "\ufeff" + n,
    ],
)
def test_every_spelling_is_the_same_person(linkage: Linkage, spell) -> None:  # type: ignore[no-untyped-def]
    assert linkage.person(spell(with_x())) == linkage.person(with_x())


def test_fifteen_digits_are_the_eighteen_of_the_same_person(linkage: Linkage) -> None:
    full = number(17)
    assert linkage.person(full[:6] + full[8:17]) == linkage.person(full)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "为空"),
        ("1.1E+17", "科学计数"),
        ("12345", "18 位"),
        (number(17)[:16] + "O" + number(17)[17], "字母 O"),
        (number(17)[:17] + ("0" if number(17)[17] != "0" else "1"), "校验位"),
        (number(17, born="19650231"), "不存在"),
    ],
)
def test_a_refused_number_is_explained_without_being_shown(linkage: Linkage, raw: str, reason: str) -> None:
    with pytest.raises(BadIdentity, match=reason) as refusal:
        linkage.person(raw)
    assert not raw or raw not in str(refusal.value)


def test_the_invented_region_needs_the_explicit_setting() -> None:
    with pytest.raises(BadIdentity, match="地区"):
        Linkage(KEY).person(number(17))


def test_a_real_region_is_known_to_the_standard() -> None:
    first17 = "36042619910101007"
    assert Linkage(KEY).person(first17 + ric.calc_check_digit(first17 + "0")).startswith("p_")


def test_a_passport_is_another_person_than_the_same_digits(linkage: Linkage) -> None:
    assert linkage.person("E12345678", "passport") != linkage.person("E12345678", "other")
    with pytest.raises(BadIdentity):
        linkage.person("护照", "passport")


def test_household_is_per_issuing_area(linkage: Linkage) -> None:
    here, there = (linkage.household(area, "HK-001") for area in ("339901000000", "339902000000"))
    assert here != there
    assert here == linkage.household("339901000000", " hk001")
    assert issuing_area_of("339901001000") == "339901000000"


def test_opaque_digests_change_with_their_own_key_only() -> None:
    own, other = b"o" * 32, b"p" * 32
    digest = Linkage(KEY, opaque_key=own).opaque("x")
    assert digest == Linkage(b"n" * 32, opaque_key=own).opaque("x")
    assert len({digest, Linkage(KEY, opaque_key=other).opaque("x"), Linkage(KEY).opaque("x")}) == 3
    assert Linkage(KEY, opaque_key=KEY).opaque("x") == Linkage(KEY).opaque("x")
    assert Linkage(KEY, opaque_key=own).household("339901000000", "1") == Linkage(KEY).household("339901000000", "1")
    for short in (b"", b"o" * 31):
        with pytest.raises(ValueError, match="32"):
            Linkage(KEY, opaque_key=short)
    assert own.decode() not in repr(Linkage(KEY, opaque_key=own))


def test_what_may_be_shown() -> None:
    shown = mask(number(17))
    assert len(shown) == 18
    assert set(shown[1:-1]) == {"*"}
    assert shape("张三13800000000x") == "某某00000000000a"
    assert "bytes" not in repr(Linkage(KEY))
    assert KEY.hex() not in repr(Linkage(KEY))
    assert normalise("１２ｘ") == "12X"
