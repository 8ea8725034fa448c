"""What people say in their own words is kept in plain, on topics and in files: it may name nobody by number."""

import re
import unicodedata

from schemas.errors import CallError
from schemas.plain_identity import carries_identity

_GAPS = re.compile(r"(?<=\d)[\s\-]+(?=[\dXx])")
_MOBILE = r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])"
# Officers mistype: in free text a number with a birth date counts even where its check digit is wrong.
_NEARLY = r"(?<![0-9])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
_TYPED = re.compile(f"{_MOBILE}|{_NEARLY}")


def has_private_number(text: str) -> bool:
    """Whether a text holds an identity number or a mobile phone number, blanks and dashes between digits ignored."""
    plain = unicodedata.normalize("NFKC", text)
    return any(carries_identity(form) or _TYPED.search(form) for form in (plain, _GAPS.sub("", plain)))


def reason_of(text: str) -> str:
    """A reason or note without blanks around it. Raises CallError, which quotes nothing, where it names a number."""
    if has_private_number(text):
        raise CallError("理由、说明等文字里不能有证件号码或手机号码：请删去后重试")
    return text.strip()
