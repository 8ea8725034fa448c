"""Says of a refused row in which column of the department's file the fault lies; check and publish say the same."""

from collections.abc import Mapping

from gateway.problems import RowProblem
from gateway.reading import IDENTITY, column_of
from gateway.rows import day_field
from schemas.envelope import Problem
from schemas.feed import FeedSpec


class Columns:
    """What the file calls the places of an event."""

    def __init__(self, spec: FeedSpec, told: Mapping[str, str]) -> None:
        """`told`: field name to the file's own heading, where it has one."""
        names = {f.name: told.get(f.name) or column_of(f) for f in spec.fields}
        day = names.get(day_field(spec) or "", "")
        self._of = {f"/data/{name}": column for name, column in names.items()}
        self._of |= {"/data": day, "/time": day, "/subject": IDENTITY, "/recordedtime": "记录时间"}

    def problem(self, row: int, problem: Problem) -> RowProblem:
        """The problem as the department can find it; a place without a column is named as it is."""
        pointer = "/".join(problem.pointer.split("/")[:3])
        return RowProblem(row, self._of.get(pointer, pointer), problem.message_zh, code=problem.code)
