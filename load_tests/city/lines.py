"""The lines of the invented city as the planner knows them, read from lines.yaml and from nowhere else."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

QUIET_PERCENT = 60
_MARGIN_PERCENT = 5  # quiet means under 60 %, not at 60 %
_PAGE = Path(__file__).with_name("lines.yaml")


@dataclass(frozen=True, slots=True)
class Lines:
    """Money in fen. `page` is the file as written."""

    page: dict[str, Any]

    @property
    def city(self) -> str:
        """The area code of the city."""
        return str(self.page["city"]["code"])

    @property
    def towns(self) -> int:
        """Number of towns; their codes count from 001."""
        return int(self.page["city"]["towns"])

    def standard_fen(self, day: date | None = None) -> int:
        """L on a day: what one person needs a month. Without a day, the highest L."""
        values: dict[date, int] = self.page["dibao_month"]
        return max(fen for since, fen in values.items() if day is None or since <= day)

    def standard_since(self, day: date) -> date:
        """Since when the L of a day holds."""
        values: dict[date, int] = self.page["dibao_month"]
        return max(since for since in values if since <= day)

    def medical_fen(self, scheme: str | None) -> int:
        """The self-paid line of a scheme, for a person or the household; who holds none is OTHER."""
        line: dict[str, int] = self.page["medical_selfpay"]["line"]
        return line[scheme or "OTHER"]

    def medical_budget_fen(self, scheme: str | None) -> int:
        """What a whole quiet household may pay itself in any twelve months: under 60 % of one person's line."""
        return self.medical_fen(scheme) * (QUIET_PERCENT - _MARGIN_PERCENT) // 100

    @property
    def rigid_percent(self) -> int:
        """The line of rigid spending, percent of income."""
        return int(self.page["rigid_ratio"]["percent"])

    def calm_income_fen(self, members: int, self_paid_fen: int) -> int:
        """A monthly household income at which rigid spending with these yearly payments stays under 60 % of the ratio.

        What is paid outside the catalogue is a tenth of what is paid inside (rows.bill), hence the 11/10.
        """
        spending = self.standard_fen() * members + self_paid_fen * 11 // 10 // 12 + 1
        permyriad = self.rigid_percent * (QUIET_PERCENT - _MARGIN_PERCENT)
        return spending * 10_000 // permyriad + 1

    def quiet_income_fen(self, members: int, scheme: str | None) -> int:
        """The calm income of a household that uses up its medical budget."""
        return self.calm_income_fen(members, self.medical_budget_fen(scheme))

    def income(self, town: str) -> dict[str, Any]:
        """How income is counted in a town: window, cost of going to work, what a silent month is."""
        page: dict[str, Any] = self.page["income"]
        own: dict[str, Any] = page["towns"].get(town, {})
        return page | own

    def quiet_wages_fen(self, members: int, earners: int, scheme: str | None) -> int:
        """What each of the earners brings home a month so that nobody asks about the household's income: clear of the
        lines below and above the help it holds."""
        percent = int(self.page["income"]["quiet_percent"][scheme or "OTHER"])
        return self.standard_fen() * percent // 100 * members // earners

    @property
    def silent_months(self) -> int:
        """Closed months without insurance that make a job loss."""
        return int(self.page["job_loss"]["silent_months"])

    @property
    def rent_periods(self) -> int:
        """Unpaid billing periods that make arrears."""
        return int(self.page["rent_arrears"]["periods"])


@cache
def load_lines(path: Path = _PAGE) -> Lines:
    """The page, parsed once."""
    return Lines(yaml.safe_load(path.read_text(encoding="utf-8")))
