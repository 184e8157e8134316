"""
Count and time what one process does, for operators.

Labels come from small fixed sets: never a tenant, a group or anything else a caller can choose, so
that what is kept and what is sent to whoever scrapes stays bounded. Each ``Metrics`` has a registry
of its own; one that nobody reads costs next to nothing, which is why it serves as the default.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from functools import partial

from attrs import frozen
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds, in seconds, for what somebody waits for."""

SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds, in seconds, for what the cloud takes part in."""

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Upper bounds for how many writes share a commit."""

EVERYTHING = ("groups", "policies", "webhooks")
"""What a census counts."""


class Watched(Enum):
    """What is not counted as it happens but looked up when somebody asks: its name and meaning."""

    JOBS_WAITING = ("otter_jobs_waiting", "Jobs that wait for a worker")
    DIRTY_MARKS = ("otter_dirty_marks", "Groups that want converging, at the last look")
    OLDEST_MARK = (
        "otter_oldest_dirty_mark_seconds",
        "How long ago the mark was first seen that is there longest",
    )
    WRITES_WAITING = ("otter_store_writes_waiting", "Writes that wait for the store")


def status_class(status: int) -> str:
    """Return how a label shows an HTTP status, whatever number somebody sent."""
    return f"{status // 100}xx" if 100 <= status <= 599 else "other"


@frozen
class Census:
    """How many groups, policies and webhooks there were in all, and when (epoch seconds)."""

    groups: int
    policies: int
    webhooks: int
    taken: int


def _counted(look: Callable[[], Census | None], name: str) -> float:
    """Return one number of the last census, 0 before the first."""
    return float(getattr(look(), name, 0))


class Metrics:
    """Everything that is measured; each method records one thing that happened."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = self._counter(
            "otter_requests", "Requests to the API", "method", "route", "status"
        )
        self._request_seconds = self._histogram(
            "otter_request_duration_seconds", "Time to answer", FAST, "method", "route"
        )
        self._executions = self._counter(
            "otter_executions", "Executions of policies", "source", "outcome"
        )
        self._cycles = self._histogram("otter_cycle_duration_seconds", "Converge cycles", SLOW)
        self._postponed = self._counter(
            "otter_cycles_postponed", "Cycles that ended early and come again", "reason"
        )
        self._jobs = self._counter("otter_jobs", "Jobs that ended", "step", "outcome")
        self._job_seconds = self._histogram(
            "otter_job_duration_seconds", "Time to perform a job", SLOW, "step"
        )
        self._calls = self._counter(
            "otter_cloud_calls", "Exchanges with the provider", "service", "outcome"
        )
        self._call_seconds = self._histogram(
            "otter_cloud_call_duration_seconds", "Time of an exchange", SLOW, "service"
        )
        self._notifications = self._counter(
            "otter_notifications", "Attempts to tell customers' own webhooks", "outcome"
        )
        self._commits = self._histogram(
            "otter_store_commit_size", "Writes that shared one commit", SIZES
        )

    # --- what happens -------------------------------------------------------------------------

    def request(self, method: str, route: str, status: int, took: timedelta) -> None:
        """Record an answered request; ``route`` is a template, never a path."""
        self._requests.labels(method, route, status_class(status)).inc()
        self._request_seconds.labels(method, route).observe(took.total_seconds())

    def execution(self, source: str, outcome: str) -> None:
        """Record that a policy was executed (``accepted``), or why it was not."""
        self._executions.labels(source, outcome).inc()

    def cycle(self, took: timedelta) -> None:
        """Record a converge cycle, whatever its end."""
        self._cycles.observe(took.total_seconds())

    def postponed(self, reason: str) -> None:
        """Record that a cycle could not go on; ``reason`` is the name of an error's class."""
        self._postponed.labels(reason).inc()

    def job(self, step: str, outcome: str, took: timedelta) -> None:
        """Record a job that ended."""
        self._jobs.labels(step, outcome).inc()
        self._job_seconds.labels(step).observe(took.total_seconds())

    def cloud_call(self, service: str, outcome: str, took: timedelta) -> None:
        """Record an exchange; ``outcome`` is a class of statuses or the name of an error."""
        self._calls.labels(service, outcome).inc()
        self._call_seconds.labels(service).observe(took.total_seconds())

    def notification(self, outcome: str) -> None:
        """Record an attempt to deliver a message: ``delivered`` or ``failed``."""
        self._notifications.labels(outcome).inc()

    def commit(self, writes: int) -> None:
        """Record how many writes became durable together."""
        self._commits.observe(writes)

    # --- what is looked up --------------------------------------------------------------------

    def watch(self, watched: Watched, look: Callable[[], float]) -> None:
        """Show what ``look`` returns at the moment somebody asks; once per process."""
        name, meaning = watched.value
        Gauge(name, meaning, registry=self.registry).set_function(look)

    def watch_census(self, look: Callable[[], Census | None]) -> None:
        """Show the last census, and when it was taken."""
        for name in EVERYTHING:
            gauge = Gauge(f"otter_{name}", f"All {name}, at the census", registry=self.registry)
            gauge.set_function(partial(_counted, look, name))
        taken = Gauge("otter_census_timestamp_seconds", "Time of census", registry=self.registry)
        taken.set_function(partial(_counted, look, "taken"))

    # --- who asks -----------------------------------------------------------------------------

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return everything in a format of Prometheus that ``accept`` asks for, and its type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def value(self, name: str, **labels: str) -> float:
        """Return one sample, 0 if there is none yet: for tests and for looking around."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, meaning, labels, buckets=buckets, registry=self.registry)
