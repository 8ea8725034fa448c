"""Account numbers become digests in the gateway, in tables and in lines of JSON, however they are written."""

import pytest

from gateway.identities import BadIdentity, Linkage

KEY = bytes(range(32))
LINKAGE = Linkage(KEY, synthetic=True)


SPELT = ("6217001180012345678", "6217 0011 8001 2345 678", "６２１７-0011-80012345678", "'6217001180012345678")
NONE = ("6.21700118001234E+18", "0000000000", "无", "", "123", "账号6217001180012345678", "6217*******5678")


@pytest.mark.parametrize("spelt", SPELT)
def test_one_account_is_one_digest_however_it_is_written(spelt: str) -> None:
    digest = LINKAGE.account(spelt)
    assert digest == LINKAGE.account("6217001180012345678")
    assert digest.startswith("k_")
    assert "6217" not in digest


def test_it_is_made_under_the_key_that_no_rotation_changes() -> None:
    other = Linkage(bytes(32), synthetic=True, opaque_key=KEY)
    assert other.account("6217001180012345678") == LINKAGE.account("6217001180012345678")
    assert LINKAGE.account("6217001180012345678") != LINKAGE.opaque("6217001180012345678")


@pytest.mark.parametrize("raw", ["6222021234567890000", "6222 0212 3456 7890 000", "622202123456789000"])
def test_an_account_of_which_excel_kept_fifteen_digits_is_refused(raw: str) -> None:
    """Or all cards that begin alike would be one account."""
    with pytest.raises(BadIdentity, match="原账号已丢失") as refused:
        LINKAGE.account(raw)
    assert refused.value.flaw == "excel"
    assert "62220212" not in str(refused.value)


@pytest.mark.parametrize("raw", ["6222021234567890100", "62220212345678900", "622202123456000", "GB000000000000000000"])
def test_zeros_that_excel_does_not_leave_are_no_loss(raw: str) -> None:
    assert LINKAGE.account(raw).startswith("k_")


@pytest.mark.parametrize("raw", NONE)
def test_what_is_no_account_is_refused_without_repeating_it(raw: str) -> None:
    with pytest.raises(BadIdentity) as refused:
        LINKAGE.account(raw)
    assert not raw or raw not in str(refused.value)
