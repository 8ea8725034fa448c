"""Everything a decision about one command may depend on."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cases.deadlines import Deadlines
from cases.view import Case
from schemas.case_commands import CaseCommand
from schemas.case_words import Step
from schemas.cases import Clock

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Context:
    """The case before, the command, its timestamp, the deadlines, and the lane's other open case if there is one."""

    case: Case
    command: CaseCommand
    at: datetime
    deadlines: Deadlines
    rival: Case | None = None

    def clock(self, step: Step, referral: str | None = None) -> Clock:
        """A clock that starts now."""
        return self.deadlines.clock(step, self.case.lane, self.case.severity, self.at, referral)

    def running(self, *steps: Step) -> tuple[Clock, ...]:
        """The case's running clocks of some steps."""
        return tuple(clock for clock in self.case.clocks if clock.step in steps)

    def asked(self, kind: type[Asked]) -> Asked:
        """The command, known to be of a kind because the table pairs it so."""
        if not isinstance(self.command, kind):
            raise TypeError(f"{type(self.command).__name__} where {kind.__name__} was expected")
        return self.command
