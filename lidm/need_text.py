"""A need profile in the words officers read: level by level, with its reasons, and what cannot be told."""

from collections.abc import Sequence
from datetime import date

from detectors.findings import HISTORY, EvidenceItem, Insufficient
from detectors.profile import Facet, Profile
from lidm.alert_text import evidence_value
from lidm.fact_words import feed_title
from lidm.need import Told
from lidm.people_words import without_codes
from lidm.tables import table
from policy.parameters import cited

_LEVELS = {None: "不能判断", 0: "未见困难", 1: "轻", 2: "中", 3: "重", 4: "很重"}
NOTE = "画像说明哪些方面有困难、依据是什么；没有数据的方面写“不能判断”，不等于没有困难。"
USE = "排序分只用来安排先后，不决定任何人是否得到帮助，也不排除任何人。"


def level(facet: Facet) -> str:
    """The level in words; where something is not covered, it may be more."""
    word = _LEVELS[facet.level]
    return f"{word}（{facet.level}级）" if facet.level else word


def arithmetic(profile: Profile) -> str:
    """The points with what they add up."""
    parts = [f"{each.label}{each.weight}×{each.level}" for each in profile.facets if each.level]
    return f"{profile.points} = {' + '.join(parts)}" if parts else "0"


def lacking(lacks: Sequence[Insufficient]) -> str:
    """What was not covered, in one phrase; empty when everything was."""
    until: dict[str, list[str]] = {}
    for each in lacks:
        how = f"只收齐到{each.last_covered}" if each.last_covered else "没有收齐过"
        until.setdefault(how, []).append(_title(each.feed))
    return "；".join(f"{'、'.join(titles)}{how}" for how, titles in until.items())


def behind(item: EvidenceItem) -> str:
    """One record behind a reason."""
    day = date.fromordinal(item.day)
    return f"{day} {feed_title(item.feed)} {evidence_value(item.feed, item.value)} {item.key}"


def measures(told: Told) -> str:
    """By what the levels are: the document, and whether it was activated."""
    which = "" if told.activated else "（归档里没有启用过，按本机参数）"
    return f"{cited(told.profile.document)}{which}"


def text(told: Told) -> str:
    """The profile on the terminal."""
    about = told.profile
    known = f"{about.on}（按{told.known_until}所知）"
    lines = [f"家庭 {about.household}", f"{told.place}  {known}  口径{measures(told)}", NOTE, ""]
    for facet in about.facets:
        lines.append(f"{facet.label}  {level(facet)}")
        lines += [f"  · {part.label}：{_plain(told, part.says)}" for part in facet.reasons]
        lines += [f"      {_plain(told, behind(each))}" for each in facet.evidence]
        if facet.lacks:
            lines.append(f"  数据不全：{lacking(facet.lacks)}")
    return "\n".join([*lines, "", f"排序分 {arithmetic(about)}", USE])


def order(found: Sequence[Told], failed: Sequence[tuple[str, str]]) -> str:
    """Households in the order of work; those without a profile last, with the reason."""
    rows = [
        (
            str(number),
            each.profile.household,
            arithmetic(each.profile),
            "、".join(facet.label for facet in each.profile.unknown) or "—",
        )
        for number, each in enumerate(found, 1)
    ]
    lines = [table(("先后", "家庭", "排序分", "不能判断的方面"), rows)]
    lines += [f"没有画像，请直接走访了解：{household}（{why}）" for household, why in failed]
    return "\n".join([*lines, USE])


def _plain(told: Told, said: str) -> str:
    return without_codes(said, told.people)


def _title(feed: str) -> str:
    return "迁入前的记录" if feed == HISTORY else feed_title(feed)
