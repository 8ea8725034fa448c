"""Every metric of the service in one typed catalogue; a name not listed here cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

# Counter: facts, manifests and messages read, by feed
# Counter: records sent on to households, by feed
# Counter: elements kept in feeds.rejected.v1, by feed and code
# Counter: valid facts about persons nobody watches; nothing of them is kept, by feed
# Counter: alert revisions emitted, by detector and state
# Counter: what rules in shadow runs said, to nobody's work, by detector and state
# Counter: case events written, by lane and type
# Counter: commands refused, by reason
# Counter: evaluations impossible for want of parameters, or failed by a fault in a rule, by detector
# Counter: bytes of state written by checkpoints
# Counter: messages lost to retention that an operator answered for, by stage and topic
# Counter: facts told to households because several of them share something, by feed
# Counter: batches that began and never ended, given up because too many of them were open, by feed
CounterName = Literal[
    "lidm_events_in_total",
    "lidm_events_out_total",
    "lidm_events_rejected_total",
    "lidm_events_out_of_scope_total",
    "lidm_alerts_total",
    "lidm_shadow_alerts_total",
    "lidm_case_events_total",
    "lidm_policy_missing_total",
    "lidm_detector_failures_total",
    "lidm_checkpoint_bytes_total",
    "lidm_archive_rows_total",
    "lidm_archive_failures_total",
    "lidm_gap_messages_accepted_total",
    "lidm_batches_given_up_total",
    "lidm_links_told_total",
]
# Gauge: unread messages, by stage and topic
# Gauge: open cases and overdue steps, by lane; cases that wait in storms for a person
# Gauge: households held by this worker
# Gauge: dirty records waiting for the next checkpoint
# Gauge: parameters of the policy in force that ended, were long unchecked or are missing, by what it is
# Gauge: 1 while a feed is parked because too much of it was refused, by feed
# Gauge: whole batches held for a person because too much of what was there is missing from them, by feed
# Gauge: areas in which somebody stopped a detector, by detector
# Gauge: shadow runs under way
# Gauge: households this worker has still to ask in planned sweeps, counted once for each sweep
# Gauge: clock (seconds since 1970) of the partition of this worker that is furthest behind, 0 without any
GaugeName = Literal[
    "lidm_lag_messages",
    "lidm_cases_open",
    "lidm_cases_overdue",
    "lidm_cases_storm_held",
    "lidm_households",
    "lidm_dirty_records",
    "lidm_monitor_clock_timestamp_seconds",
    "lidm_loop_progress_timestamp_seconds",
    "lidm_feed_parked",
    "lidm_batches_held",
    "lidm_detectors_stopped",
    "lidm_feed_cards_made_timestamp_seconds",
    "lidm_policy_findings",
    "lidm_shadow_runs",
    "lidm_sweep_households_left",
]
# Time: from when a fact was true to when we read it
# Time: from the broker time of a fact to its alert's delivery
# Time: one checkpoint, from freeze to delivery
TimeName = Literal["lidm_event_age_seconds", "lidm_event_to_alert_seconds", "lidm_checkpoint_seconds"]

LABELS: dict[str, tuple[str, ...]] = {
    "lidm_events_in_total": ("feed",),
    "lidm_events_out_total": ("feed",),
    "lidm_events_rejected_total": ("feed", "code"),
    "lidm_events_out_of_scope_total": ("feed",),
    "lidm_alerts_total": ("detector", "state"),
    "lidm_shadow_alerts_total": ("detector", "state"),
    "lidm_case_events_total": ("lane", "type"),
    "lidm_policy_missing_total": ("detector",),
    "lidm_detector_failures_total": ("detector",),
    "lidm_archive_rows_total": ("table",),
    "lidm_gap_messages_accepted_total": ("stage", "topic"),
    "lidm_batches_given_up_total": ("feed",),
    "lidm_links_told_total": ("feed",),
    "lidm_lag_messages": ("stage", "topic"),
    "lidm_cases_open": ("lane",),
    "lidm_cases_overdue": ("lane",),
    "lidm_loop_progress_timestamp_seconds": ("stage",),
    "lidm_event_age_seconds": ("feed",),
    "lidm_feed_parked": ("feed",),
    "lidm_batches_held": ("feed",),
    "lidm_detectors_stopped": ("detector",),
    "lidm_policy_findings": ("code",),
    "lidm_checkpoint_seconds": ("stage",),
}
BUCKETS: dict[str, tuple[float, ...]] = {
    "lidm_event_age_seconds": (60.0, 3600.0, 86400.0, 7 * 86400.0, 31 * 86400.0, 92 * 86400.0, 366 * 86400.0),
    "lidm_event_to_alert_seconds": (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 15.0, 60.0),
    "lidm_checkpoint_seconds": (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
}


class Metrics:
    """Counts by catalogue name. Label values are codes and feed names, never persons or households."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self._known: dict[str, Counter | Gauge | Histogram] = {}
        self._muted = False

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Counts nothing meanwhile: what is folded again has been counted when it happened."""
        before, self._muted = self._muted, True
        try:
            yield
        finally:
            self._muted = before

    def count(self, name: CounterName, amount: float = 1, **labels: str) -> None:
        """Adds to a counter."""
        if self._muted:
            return
        metric = self._known.get(name) or self._make(Counter, name)
        (metric.labels(**labels) if labels else metric).inc(amount)  # type: ignore[union-attr]

    def set(self, name: GaugeName, value: float, **labels: str) -> None:
        """Sets a gauge."""
        metric = self._known.get(name) or self._make(Gauge, name)
        (metric.labels(**labels) if labels else metric).set(value)  # type: ignore[union-attr]

    def time(self, name: TimeName, seconds: float, **labels: str) -> None:
        """Observes a duration."""
        metric = self._known.get(name) or self._make(Histogram, name)
        (metric.labels(**labels) if labels else metric).observe(seconds)  # type: ignore[union-attr]

    def value(self, name: str, **labels: str) -> float:
        """Current value of one series (0 when never touched); for tests and summaries."""
        return self._registry.get_sample_value(name, labels) or 0.0

    def total(self, name: CounterName) -> float:
        """Sum over all label values of a counter."""
        metric = self._known.get(name)
        if metric is None:
            return 0.0
        return sum(s.value for family in metric.collect() for s in family.samples if s.name == name)

    def _make(self, kind: type[Counter] | type[Gauge] | type[Histogram], name: str) -> Counter | Gauge | Histogram:
        labels = LABELS.get(name, ())
        text = name.removeprefix("lidm_").replace("_", " ")
        if kind is Histogram:
            metric: Counter | Gauge | Histogram = Histogram(
                name, text, labels, buckets=BUCKETS[name], registry=self._registry
            )
        else:
            metric = kind(name, text, labels, registry=self._registry)
        self._known[name] = metric
        return metric


METRICS = Metrics()
