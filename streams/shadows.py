"""Rules that only watch: a draft, or a version to come, asked beside the live rules about the same households.

A run has the monitor's own judge, on the same ledgers, days and looks. What differs is the policy it counts with, the
name of its episodes, and where its alerts go. It neither hears nor touches what the live rules say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import structlog

from detectors.registry import Detector, candidates
from policy.bundle import Bundle
from policy.parameters import Policy
from schemas.shadows import shadow_code
from streams.control import Control, Shadow, date_of
from streams.judge import Judge, Outlook, Said
from streams.metrics import CounterName

log = structlog.get_logger("lidm.monitor")


class ShadowGround:
    """The partition's day with the run's policy; a run speaks everywhere it looks, also while its rule is stopped."""

    def __init__(self, name: str, control: Control) -> None:
        self._name, self._control = name, control

    @property
    def bundle(self) -> Bundle | None:
        """The draft, or the policy in force."""
        return self._control.drafts.get(self._name, self._control.bundle)

    @property
    def policy(self) -> Policy | None:
        """What holds today in the run; None before there is a policy or a day."""
        bundle, on = self.bundle, self.on
        return None if bundle is None or on is None else bundle.on(date_of(on))

    @property
    def on(self) -> int | None:
        """The partition's day."""
        return self._control.on

    def live(self, detector: str, area: str) -> bool:
        """See above."""
        return True

    def awaits(self, detector: str, area: str, household: str) -> bool:
        """There is no stock: what is found is said."""
        return False

    def stopped(self, detector: str, area: str) -> bool:
        """See above."""
        return False


class ShadowJudge(Judge):
    """A judge to whom an example is a value like any other: nobody acts on what it says."""

    def outlook(self, detector: Detector, policy: Policy, area: str) -> Outlook:
        return super().outlook(detector, policy, area)._replace(signed=True)

    def _count(self, metric: CounterName, detector: Detector) -> None:
        """Nothing: the metrics are those of live rules. A rule that fails is in the log under its name in the run."""


class ShadowRun:
    """One run: its rules under their names here, and the ground they are asked on."""

    def __init__(self, name: str, rules: Iterable[Detector], control: Control, said: list[Said]) -> None:
        made = (replace(each, code=shadow_code(each.code, name)) for each in rules)
        self.judge = ShadowJudge({each.code: each for each in made})
        self.judge.alerts = said
        self.ground = ShadowGround(name, control)


def runs_of(
    shadows: Mapping[str, Shadow], running: Mapping[str, Detector], control: Control, said: list[Said]
) -> dict[str, ShadowRun]:
    """The runs under way. `said`: where their alerts collect. A rule that is not here is left out, and logged."""
    known = {**candidates(), **running}
    found = {}
    for name, shadow in shadows.items():
        for code in sorted(set(shadow.detectors) - known.keys()):
            log.warning("shadow_rule_unknown", shadow=name, detector=code)
        rules = [known[code] for code in shadow.detectors if code in known]
        found[name] = ShadowRun(name, rules, control, said)
    return found
