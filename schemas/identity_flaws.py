"""What can be wrong with an identity number, as a word for figures and its official Chinese label."""

from schemas.labels import Labelled


class IdentityFlaw(Labelled):
    """What is wrong with an identity number, for figures; `fifteen` is good, but of the form of before 1999."""

    checksum = "checksum", "校验位不对"
    birth = "birth", "地区或出生日期不存在"
    excel = "excel", "被表格软件损坏"
    masked = "masked", "有几位被遮盖"
    letters = "letters", "混有字母"
    length = "length", "位数不对"
    empty = "empty", "未填"
    shape = "shape", "不成号码"
    fifteen = "fifteen", "15 位旧号"
    plain = "plain", "明文出现在直报消息里"
