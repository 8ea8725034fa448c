"""How fast messages are sent: at a rate, or in bursts at that rate with a lower average."""

from dataclasses import dataclass

BURST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` messages a second at most; `mean` on average, reached by pausing after half a second of sending."""

    rate: float
    mean: float | None = None

    def seconds(self, sent: int) -> float:
        """Seconds after the first message before which message number `sent` must not go out."""
        if self.mean is None:
            return sent / self.rate
        burst = max(1, round(self.rate * BURST_SECONDS))
        bursts, rest = divmod(sent, burst)
        return bursts * burst / self.mean + rest / self.rate
