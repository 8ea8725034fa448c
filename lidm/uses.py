"""Which detectors read a feed, and how: what a publisher's data is good for."""

from dataclasses import dataclass

from detectors.registry import DETECTORS, load_detectors


@dataclass(frozen=True)
class Use:
    """A detector that reads the feed."""

    code: str
    label: str
    family: str
    how: str


def uses_of(feed: str) -> list[Use]:
    """The detectors that read a feed, and how. One that only asks these is not named beside them."""
    load_detectors()
    found = []
    for each in DETECTORS.values():
        reads = (("有新记录即重新判断", each.listens), ("缺记录也是依据", each.absence))
        how = [word for word, feeds in reads if feed in feeds]
        asked = any(feed in DETECTORS[code].listens | DETECTORS[code].absence for code in each.reads)
        if how and not asked:
            found.append(Use(each.code, each.label, each.family.label, "；".join(how)))
    return found
