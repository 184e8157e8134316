"""
What one tenant has under way: jobs handed out, how long to leave a thing alone after one ended.

In memory on purpose. Losing it costs a repeated idempotent call, never a server: whether a server
was asked for is in the ledger.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import define, field

from otter.bus.interface import (
    CreateServerJob,
    Job,
    JobResult,
    Outcome,
    SetMembersJob,
    Step,
)
from otter.models.ids import GroupId, InstanceId, LoadBalancerId

COOLING_MAX = timedelta(seconds=60)
UNREAD_PATIENCE = timedelta(seconds=60)
"""A load balancer that cannot be read is a passing matter for so long."""

FAILED = frozenset({Outcome.INVALID, Outcome.QUOTA, Outcome.DENIED})


def key_of(step: Step) -> str:
    """Return what the step works on; steps of one key never run at the same time."""
    if isinstance(step, SetMembersJob):
        return f"balancer/{step.load_balancer_id}"
    return f"server/{step.instance_id}"


@define
class Flight:
    """
    Jobs of one tenant.

    :ivar refusals: per group, the load balancers that refused our members, and why.
    """

    first: timedelta
    _jobs: dict[str, Job] = field(factory=dict)
    _cooling: dict[str, tuple[int, datetime]] = field(factory=dict)
    refusals: dict[GroupId, dict[LoadBalancerId, str]] = field(factory=dict)
    _unread: dict[LoadBalancerId, datetime] = field(factory=dict)

    def saw(
        self, read: Iterable[LoadBalancerId], unread: Iterable[LoadBalancerId], now: datetime
    ) -> None:
        """Remember since when load balancers cannot be read."""
        for name in read:
            self._unread.pop(name, None)
        for name in unread:
            self._unread.setdefault(name, now)

    def long_unread(
        self, names: Iterable[LoadBalancerId], now: datetime
    ) -> tuple[LoadBalancerId, ...]:
        """Return those of the load balancers that have not been readable for a while."""
        return tuple(sorted(n for n in names if now - self._unread.get(n, now) >= UNREAD_PATIENCE))

    def may_start(self, key: str, now: datetime) -> bool:
        """Whether nothing is under way for the key and it may be touched again."""
        return key not in self._jobs and now >= self._cooling.get(key, (0, now))[1]

    def start(self, job: Job) -> None:
        """Remember a job that is being handed out."""
        self._jobs[job.key] = job

    def end(self, result: JobResult, now: datetime) -> None:
        """
        Forget a job that ended, and leave what it worked on alone for a while.

        A load balancer that was changed may be changed again at once; anything else that is planned
        again although its job ended is given longer and longer to take effect.
        """
        job, step = result.job, result.job.step
        current = self._jobs.get(job.key)
        if current is not None and current.job_id == job.job_id:
            del self._jobs[job.key]
        if isinstance(step, SetMembersJob):
            refusals = self.refusals.setdefault(job.group_id, {})
            refusals.pop(step.load_balancer_id, None)
            if result.outcome in FAILED:
                name = step.load_balancer_id
                refusals[name] = f"Load Balancer {name}: {result.reason}"
            if result.outcome is Outcome.DONE:
                self._cooling.pop(job.key, None)
                return
        count = self._cooling.get(job.key, (0, now))[0] + 1
        wait = min(self.first * (2 ** min(count - 1, 10)), COOLING_MAX)
        self._cooling[job.key] = (count, now + wait)

    def creating(self) -> frozenset[InstanceId]:
        """Return the instances whose create is under way."""
        steps = (job.step for job in self._jobs.values())
        return frozenset(s.instance_id for s in steps if isinstance(s, CreateServerJob))

    def changing(self) -> frozenset[LoadBalancerId]:
        """Return the load balancers with a job under way."""
        steps = (job.step for job in self._jobs.values())
        return frozenset(s.load_balancer_id for s in steps if isinstance(s, SetMembersJob))

    def expire(self, now: datetime, grace: timedelta) -> None:
        """Forget jobs whose result must have been lost, and old memories of what cooled down."""
        lost = [key for key, job in self._jobs.items() if now - job.deadline > grace]
        for key in lost:
            del self._jobs[key]
        old = [key for key, (_, until) in self._cooling.items() if now - until > 2 * COOLING_MAX]
        for key in old:
            del self._cooling[key]

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing needs remembering."""
        return not (self._jobs or self._cooling or self._unread or any(self.refusals.values()))
