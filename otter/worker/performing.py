"""
Carry out one job: the calls it needs, what to make of their failures, and what to report.

Note [A create is never repeated blindly]
    A create that was not answered, or answered 5xx, may have worked. It is looked up by its name
    and instance id; if it is not there the outcome is UNKNOWN and the supervisor waits for a
    listing to show it before it gives up. Everything else is idempotent and repeated with backoff.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import assert_never

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from otter.bus.interface import (
    CreateServerJob,
    DeleteServerJob,
    Job,
    JobResult,
    Outcome,
    ReleaseServerJob,
    SetMembersJob,
)
from otter.cloud.errors import (
    AccessDeniedError,
    AuthenticationError,
    CloudError,
    ConflictingRequestError,
    EndpointMissingError,
    InvalidRequestError,
    NodeLimitError,
    NotFoundError,
    NotSentError,
    QuotaError,
    ThrottledError,
    TransientError,
)
from otter.cloud.interface import (
    INSTANCE_KEY,
    MARK_KEYS,
    Cloud,
    CloudProvider,
    CreateServer,
    NodeCondition,
    Server,
)
from otter.models.ids import LoadBalancerId, NodeId, TenantId
from otter.timing import sleep, utc_now
from otter.worker.budget import Budget
from otter.worker.settings import WorkerSettings

OUTCOMES: dict[type[CloudError], Outcome] = {
    AuthenticationError: Outcome.TRANSIENT,
    AccessDeniedError: Outcome.DENIED,
    QuotaError: Outcome.QUOTA,
    InvalidRequestError: Outcome.INVALID,
    ThrottledError: Outcome.BUSY,
    ConflictingRequestError: Outcome.BUSY,
    NotFoundError: Outcome.MISSING,
    NodeLimitError: Outcome.QUOTA,
    EndpointMissingError: Outcome.DENIED,
    NotSentError: Outcome.TRANSIENT,
    TransientError: Outcome.UNKNOWN,
}
"""Every class of failure and what it means for a job; a test holds it to be complete."""

REPEATABLE = (ThrottledError, ConflictingRequestError, NotSentError, TransientError)


def outcome_of(error: CloudError) -> Outcome:
    """Return what a failed call means for its job."""
    return OUTCOMES[type(error)]


@frozen
class Performer:
    """Performs jobs through tenants' clouds."""

    provider: CloudProvider
    clock: IReactorTime
    budget: Budget
    settings: WorkerSettings
    random: Random
    log = Logger()

    async def perform(self, job: Job) -> JobResult:
        """Perform the job and return what became of it; never raises ``CloudError``."""
        if utc_now(self.clock) >= job.deadline:
            return JobResult(job, Outcome.TRANSIENT, "it was too late to start")
        cloud = self.provider.cloud_for(job.tenant_id)
        try:
            return await self._do(job, cloud)
        except CloudError as error:
            self._heed(job.tenant_id, error)
            self.log.info(
                "job.failed {step} of {group_id}: {kind} {error}",
                step=type(job.step).__name__,
                group_id=job.group_id,
                kind=type(error).__name__,
                error=error.message,
            )
            return JobResult(job, outcome_of(error), error.message)

    async def _do(self, job: Job, cloud: Cloud) -> JobResult:
        match job.step:
            case CreateServerJob() as step:
                return await self._create(job, step, cloud)
            case DeleteServerJob(server_id=server_id):
                await self._repeat(job, lambda: cloud.delete_server(server_id))
            case ReleaseServerJob(server_id=server_id):
                await self._repeat(job, lambda: cloud.remove_server_metadata(server_id, MARK_KEYS))
            case SetMembersJob() as step:
                await self._set_members(job, step, cloud)
            case unreachable:
                assert_never(unreachable)
        return JobResult(job, Outcome.DONE)

    async def _create(self, job: Job, step: CreateServerJob, cloud: Cloud) -> JobResult:
        await self.budget.take(job.tenant_id)
        if utc_now(self.clock) >= job.deadline:
            return JobResult(job, Outcome.TRANSIENT, "the region's rate budget left no time")
        tag = f"otter-{step.instance_id}"
        request = CreateServer(step.instance_id, step.name, step.body, step.metadata, tag)
        try:
            server = await cloud.create_server(request)
        except TransientError as error:
            found = await self._look_up(step, cloud)
            if found is None:
                return JobResult(job, Outcome.UNKNOWN, error.message)
            server = found
        return JobResult(job, Outcome.DONE, server_id=server.server_id, links=server.links)

    async def _look_up(self, step: CreateServerJob, cloud: Cloud) -> Server | None:
        """Return the server of a create whose outcome is unknown, if the cloud shows it already."""
        try:
            found = await cloud.find_servers(step.name)
        except CloudError:
            return None
        ours = (s for s in found if s.metadata.get(INSTANCE_KEY) == step.instance_id)
        return next(ours, None)

    async def _set_members(self, job: Job, step: SetMembersJob, cloud: Cloud) -> None:
        """
        Drain and remove before adding, so that a full load balancer has room for the new ones; what
        is there is restored first, because a load balancer without room refuses additions again and
        again.
        """
        name = step.load_balancer_id
        for node in step.drain:
            await self._change(job, cloud, name, node, NodeCondition.DRAINING)
        if step.remove:
            await self._repeat(job, lambda: cloud.remove_nodes(name, step.remove))
        for node in step.enable:
            await self._change(job, cloud, name, node, NodeCondition.ENABLED)
        if step.add:
            await self._add(job, cloud, name, step.add)

    async def _add(
        self,
        job: Job,
        cloud: Cloud,
        name: LoadBalancerId,
        members: tuple[tuple[str, int], ...],
    ) -> None:
        """Add members in one call; if there is no room for all, as many as there is room for."""
        try:
            await self._repeat(job, lambda: cloud.add_nodes(name, members))
        except NodeLimitError:
            if len(members) == 1:
                raise
            half = len(members) // 2
            await self._add(job, cloud, name, members[:half])
            await self._add(job, cloud, name, members[half:])

    async def _change(
        self,
        job: Job,
        cloud: Cloud,
        balancer: LoadBalancerId,
        node: NodeId,
        condition: NodeCondition,
    ) -> None:
        await self._repeat(job, lambda: cloud.change_node(balancer, node, condition))

    async def _repeat(self, job: Job, call: Callable[[], Awaitable[None]]) -> None:
        """
        Make an idempotent call, again with backoff while it may yet succeed before the deadline.
        """
        for attempt in range(1, self.settings.attempts + 1):
            try:
                await call()
            except REPEATABLE as error:
                wait = self._wait(attempt, error)
                late = utc_now(self.clock) + wait >= job.deadline
                if attempt == self.settings.attempts or late:
                    raise
                await sleep(self.clock, wait)
            else:
                return

    def _wait(self, attempt: int, error: CloudError) -> timedelta:
        doubled: timedelta = self.settings.retry_first * (2 ** (attempt - 1))
        wait = doubled * self.random.uniform(0.5, 1.5)
        if isinstance(error, ThrottledError) and error.retry_after is not None:
            wait = max(wait, error.retry_after)
        return min(wait, self.settings.retry_max)

    def _heed(self, tenant_id: TenantId, error: CloudError) -> None:
        """A provider that asks us to wait is not asked for the tenant's servers meanwhile."""
        if isinstance(error, ThrottledError):
            asked = error.retry_after or self.settings.retry_first
            self.budget.close_for(tenant_id, min(asked, self.settings.retry_max))
