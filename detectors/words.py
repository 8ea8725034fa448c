"""Words of reasons: who is meant, without a name."""

from schemas.labels import Relation


def who(relation: str) -> str:
    """The relation in the household as people say it."""
    return "全家" if relation == "HOUSEHOLD" else Relation[relation].label
