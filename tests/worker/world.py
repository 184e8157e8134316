"""Builders of what the worker performs: jobs, a performer on a clock, a fake cloud."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from otter.bus.interface import (
    CreateServerJob,
    DeleteServerJob,
    Job,
    JobResult,
    ReleaseServerJob,
    SetMembersJob,
    Step,
)
from otter.cloud.fake import FakeCloud, FakeProvider
from otter.cloud.interface import INSTANCE_KEY, MARK_KEYS
from otter.models.ids import GroupId, InstanceId, LoadBalancerId, NodeId, ServerId, TenantId
from otter.timing import utc_now
from otter.worker.budget import Budget
from otter.worker.performing import Performer
from otter.worker.settings import WorkerSettings

T = TypeVar("T")
START = 1_900_000_000.0
TENANT = TenantId("7042")
CREATE = CreateServerJob(
    InstanceId("i"),
    "web-asi",
    {"flavorRef": "1"},
    {**dict.fromkeys(MARK_KEYS, "x"), INSTANCE_KEY: "i"},
)


def secs(seconds: float) -> timedelta:
    """Spell a duration."""
    return timedelta(seconds=seconds)


def delete(server_id: ServerId) -> DeleteServerJob:
    """Return the step that deletes a server."""
    return DeleteServerJob(InstanceId("i"), server_id)


def release(server_id: ServerId) -> ReleaseServerJob:
    """Return the step that releases a server."""
    return ReleaseServerJob(InstanceId("i"), server_id)


def members(balancer: LoadBalancerId, **changes: Any) -> SetMembersJob:
    """Return a visit to a load balancer."""
    return evolve(SetMembersJob(balancer), **changes)


def a_job(
    step: Step = CREATE,
    name: str = "job",
    *,
    tenant: str = TENANT,
    key: str = "server/i",
    seconds: float = 60,
) -> Job:
    """Return a job with a deadline so many seconds after the start."""
    clock = Clock()
    clock.advance(START + seconds)
    return Job(name, TenantId(tenant), GroupId("g"), key, step, utc_now(clock))


class Bench:
    """
    A performer on a clock.

    :ivar results: what jobs came to, in the order they ended.
    """

    def __init__(self, settings: WorkerSettings | None = None, *, rate: float = 1000) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.provider = FakeProvider(self.clock)
        self.settings = settings or WorkerSettings()
        self.budget = Budget(self.clock, rate=rate, size=50)
        self.performer = Performer(self.provider, self.clock, self.budget, self.settings, Random(1))
        self.results: list[JobResult] = []

    @property
    def cloud(self) -> FakeCloud:
        """Return the tenant's cloud."""
        return self.provider.cloud_for(TENANT)

    def begin(self, job: Job) -> "Deferred[JobResult]":
        """Begin to perform a job."""
        work = Deferred.fromCoroutine(self.performer.perform(job))
        return work.addCallback(self._keep)

    def _keep(self, result: JobResult) -> JobResult:
        self.results.append(result)
        return result

    def perform(self, step: Step, *, seconds: float = 60) -> JobResult:
        """Perform a job, as long as that takes, and return its result."""
        job = a_job(step, seconds=seconds)
        _ = self.begin(job)
        for _ in range(4000):
            if self.results and self.results[-1].job == job:
                return self.results.pop()
            self.clock.advance(1 / 64)
        raise AssertionError("it never ended")

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return self.clock.seconds() - START

    def calls(self) -> list[str]:
        """Return the methods that were called, in order."""
        return [call.method for call in self.cloud.calls]


def begin(work: Callable[[], Coroutine[Any, Any, T]]) -> "Deferred[T]":
    """Begin some work."""
    return Deferred.fromCoroutine(work())


def node(number: int) -> NodeId:
    """Return a node's id."""
    return NodeId(f"n{number}")
