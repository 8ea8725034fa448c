"""Identity numbers become pseudonyms here; a refused number is explained without ever being shown.

`person` = `p_` + first 32 hex of HMAC-SHA256(linkage key, id_type ‖ ":" ‖ normalised number); `household` = `h_` + the
same over (issuing area, official household number). Normalising folds what departments do to numbers: full-width
digits, lower x, blanks, an Excel apostrophe, the 15-digit form of before 1999.
"""

import hmac
import re
import unicodedata
from functools import lru_cache

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

RESIDENT = "ric"
ID_TYPES = {
    "居民身份证": RESIDENT,
    "港澳台居民居住证": RESIDENT,
    "护照": "passport",
    "港澳台通行证": "permit",
    "其他": "other",
}
SYNTHETIC_REGION = "999999"

_CACHE_LIMIT = 400_000
_BETWEEN_NAMES = re.compile(r"[\s.'\-\u2010\u2019\u00b7\u2022\u2027\u30fb\u200b-\u200f\ufeff]+")
_NOISE = re.compile(r"[\s'`\-\u2019\u00b7\u200b-\u200f\ufeff]+")
_SCIENTIFIC = re.compile(r"^\d(\.\d+)?E\+?\d+$")
_FLOAT = re.compile(r"^\d{15,}\.0+$")
_PASS_REGIONS = {"810000", "820000", "830000"}


class BadIdentity(ValueError):
    """A number that cannot stand for a person. Its text is a Chinese reason and never contains the number.

    `flaw`: checksum, birth (region or birth date), excel, masked, letters, length, empty or shape; for figures.
    """

    def __init__(self, reason: str, flaw: str = "shape") -> None:
        super().__init__(reason)
        self.flaw = flaw


def normalise(raw: str) -> str:
    """The number as the card prints it: half-width, no blanks, capital X, 18 digits."""
    if len(raw) == 18 and raw.isascii() and raw.isalnum():
        return raw.upper()
    text = _NOISE.sub("", unicodedata.normalize("NFKC", raw)).upper()
    if len(text) == 15 and text.isascii() and text.isdigit():
        return _with_check_digit(text[:6] + "19" + text[6:])
    return text


def plain_name(raw: str) -> str:
    """A name as it is compared: half-width, without blanks and the marks that part names, in capitals."""
    return _BETWEEN_NAMES.sub("", unicodedata.normalize("NFKC", raw)).upper()


def is_fifteen(raw: str) -> bool:
    """Whether a number is written in the form of before 1999."""
    text = _NOISE.sub("", unicodedata.normalize("NFKC", raw))
    return len(text) == 15 and text.isascii() and text.isdigit()


def _with_check_digit(first17: str) -> str:
    return first17 + ric.calc_check_digit(first17 + "0")


def check_resident(number: str, *, synthetic: bool = False) -> str:
    """The normalised resident number itself. Raises BadIdentity; `synthetic` also lets region 999999 pass."""
    if not number:
        raise BadIdentity("证件号码为空", "empty")
    digits = number[:17]
    if len(number) != 18 or not (digits.isascii() and digits.isdigit()):
        raise BadIdentity(*_misshapen(number))
    right = number[17] == ric.calc_check_digit(number)
    if not right or number[14:17] == "000":  # nobody is the 000th of a birthday
        if number.endswith("000"):
            raise BadIdentity(_EXCEL_LOST, "excel")
        raise BadIdentity("证件号码校验位不对", "checksum")
    if not _region_and_birth(number[:14], synthetic):
        raise BadIdentity("证件号码中的地区或出生日期不存在", "birth")
    return number


_EXCEL_LOST = "证件号码末三位为 000 且不合规则：应是表格软件只保留了前 15 位，原号码已丢失"


def _misshapen(number: str) -> tuple[str, str]:
    """Why something that has not the shape of a number has it not, as far as a habit of departments explains it."""
    if _SCIENTIFIC.match(number) or _FLOAT.match(number):
        return "证件号码被表格软件改成科学计数，末几位已丢失", "excel"
    if "*" in number:
        return "证件号码有几位被 * 遮盖，无法对应到人", "masked"
    if len(number) == 18 and set(number[:17]) & set("OILQ"):
        return "证件号码中混有字母（请检查字母 O 与数字 0、字母 I、L 与数字 1）", "letters"
    if len(number) == 17 and number.isdigit():
        return "证件号码应为 18 位，实为 17 位（请检查末位 X 或开头的数字是否丢失）", "length"
    if len(number) != 18:
        return f"证件号码应为 18 位，实为 {len(number)} 位", "length"
    return "证件号码前 17 位应全是数字（请检查字母 O 与数字 0）", "letters"


@lru_cache(maxsize=100_000)
def _region_and_birth(first14: str, synthetic: bool) -> bool:
    region, birth = first14[:6], first14[6:]
    try:
        ric.get_birth_date("000000" + birth)
        if region in _PASS_REGIONS or (synthetic and region == SYNTHETIC_REGION):
            return True
        return _known_region(region, birth[:4])
    except ValidationError:
        return False


@lru_cache(maxsize=20_000)
def _known_region(region: str, year: str) -> bool:
    try:
        return bool(ric.get_birth_place(f"{region}{year}0101"))
    except ValidationError:
        return False


def mask(raw: str) -> str:
    """What may be shown of a number: its length and its two ends."""
    text = normalise(raw)
    return f"{text[:1]}{'*' * max(0, len(text) - 2)}{text[-1:]}" if len(text) > 4 else "*" * len(text)


def shape(value: str, limit: int = 24) -> str:
    """What may be shown of any other value: digits as 0, letters as a, Chinese as 某; enough to see what is wrong."""
    return "".join(_shape_of(c) for c in value[:limit]) + ("…" if len(value) > limit else "")


def _shape_of(char: str) -> str:
    if char.isdigit():
        return "0" if char.isascii() else "０"
    if char.isascii():
        return "a" if char.isalpha() else char
    return "某" if char.isalpha() else char


class Linkage:
    """Turns numbers into pseudonyms under one key and remembers the recent ones; the key itself is never shown."""

    def __init__(self, key: bytes, *, synthetic: bool = False, opaque_key: bytes | None = None) -> None:
        """`synthetic`: this gateway also takes the invalid region 999999, for invented people only.

        `opaque_key`: what opaque digests are made under; without one of their own they change with the linkage key.
        """
        if min(len(key), len(opaque_key if opaque_key is not None else key)) < 32:
            raise ValueError("key shorter than 32 bytes")
        self._key, self._opaque_key = key, opaque_key or key
        self.synthetic = synthetic
        self.fifteen = 0
        """Numbers of the form of before 1999 seen so far, good ones."""
        self._seen: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Linkage(synthetic={self.synthetic})"

    def person(self, raw: str, id_type: str = RESIDENT) -> str:
        """Pseudonym of the person a number names. Raises BadIdentity."""
        cached = self._seen.get(raw) if id_type == RESIDENT else None
        if cached is not None:
            return cached
        pseudonym = self.named(self.number(raw, id_type), id_type)
        if id_type == RESIDENT:
            if len(self._seen) >= _CACHE_LIMIT:
                self._seen.clear()
            if len(raw) == 18:  # others are few, and those of 15 digits are to be counted
                self._seen[raw] = pseudonym
        return pseudonym

    def named(self, number: str, id_type: str = RESIDENT) -> str:
        """Pseudonym of a number that is normalised and checked already."""
        return "p_" + _mac(self._key, f"{id_type}:{number}")

    def number(self, raw: str, id_type: str = RESIDENT) -> str:
        """The normalised number, checked as far as its type allows. Raises BadIdentity."""
        number = normalise(raw)
        if id_type == RESIDENT:
            checked = check_resident(number, synthetic=self.synthetic)
            self.fifteen += len(raw) != 18 and is_fifteen(raw)
            return checked
        if not 5 <= len(number) <= 24 or not number.isascii() or not number.isalnum():
            raise BadIdentity("证件号码应为 5 到 24 位字母或数字")
        return number

    def household(self, issuing_area: str, number: str) -> str:
        """Pseudonym of a declared household: the area that issued the household number, and the number."""
        compact = _NOISE.sub("", unicodedata.normalize("NFKC", number)).upper()
        if not compact:
            raise BadIdentity("户号为空")
        return "h_" + _mac(self._key, f"{issuing_area}:{compact}")

    def account(self, raw: str) -> str:
        """A keyed digest of an account number, however it is spaced or written. Raises BadIdentity."""
        number = _NOISE.sub("", unicodedata.normalize("NFKC", raw)).upper()
        if _SCIENTIFIC.match(number) or _FLOAT.match(number):
            raise BadIdentity("账号被表格软件改成科学计数，末几位已丢失", "excel")
        if not 8 <= len(number) <= 34 or not number.isascii() or not number.isalnum() or len(set(number)) == 1:
            raise BadIdentity("账号应为 8 到 34 位字母或数字，且不是占位符")
        if len(number) >= 18 and number.isdigit() and not number[15:].strip("0"):
            raise BadIdentity("账号第 15 位以后全是 0：应是表格软件只保留了前 15 位，原账号已丢失", "excel")
        return self.opaque(f"account:{number}")

    def opaque(self, text: str) -> str:
        """A keyed digest that stands for a text which must not be published, the same every time."""
        return "k_" + _mac(self._opaque_key, f"opaque:{text}")


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()[:32]


def issuing_area_of(responsible_area: str) -> str:
    """The county that issues household numbers where the export does not say: a town's first six digits."""
    return responsible_area[:6] + "000000"
