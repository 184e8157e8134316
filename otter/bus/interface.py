"""
The ``Bus``: carries hints and jobs between roles, promising little so that any broker can keep it.

A message may be lost, repeated or reordered; the store is the truth and a sweep finds what got
lost. One kind must not be repeated blindly: a create handled twice makes two servers of one intent,
so a broker that hands a job out again has to say so, and its worker looks the server up first.
Handlers are called concurrently, once per message; what a handler raises is logged by the bus and
the message is dropped.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen
from pyrsistent import PMap

from otter.models.frozen import frozen_map, frozen_object
from otter.models.ids import GroupId, InstanceId, LoadBalancerId, NodeId, ServerId, TenantId


@frozen
class Notice:
    """Something may have changed about a group; a hint to look at it."""

    tenant_id: TenantId
    group_id: GroupId


# --- jobs: single idempotent steps ------------------------------------------------------------


@frozen
class CreateServerJob:
    """Create the server of a ledger entry that is REQUESTED."""

    instance_id: InstanceId
    name: str
    body: PMap[str, object] = field(converter=frozen_object)
    metadata: PMap[str, str] = field(converter=frozen_map)


@frozen
class DeleteServerJob:
    """Delete a server of ours."""

    instance_id: InstanceId
    server_id: ServerId


@frozen
class ReleaseServerJob:
    """Take our marks off a server and leave it alone from then on."""

    instance_id: InstanceId
    server_id: ServerId


@frozen
class SetMembersJob:
    """Bring a load balancer's members of ours to where they belong, in one visit."""

    load_balancer_id: LoadBalancerId
    add: tuple[tuple[str, int], ...] = ()
    enable: tuple[NodeId, ...] = ()
    drain: tuple[NodeId, ...] = ()
    remove: tuple[NodeId, ...] = ()


Step = CreateServerJob | DeleteServerJob | ReleaseServerJob | SetMembersJob


@frozen
class Job:
    """
    A step given to a worker.

    :ivar key: jobs of the same tenant and key are performed one at a time, in order.
    :ivar deadline: after this a worker no longer starts or repeats it.
    """

    job_id: str
    tenant_id: TenantId
    group_id: GroupId
    key: str
    step: Step
    deadline: datetime


class Outcome(StrEnum):
    """How a job ended, by what is to be done about it."""

    DONE = "done"
    UNKNOWN = "unknown"
    """It may have happened; look before doing anything."""
    BUSY = "busy"
    """The resource is immutable or throttled; nothing happened; again later."""
    TRANSIENT = "transient"
    """Nothing happened (connection refused, no token, expired job); again soon."""
    MISSING = "missing"
    """What the step works on does not exist (any more)."""
    INVALID = "invalid"
    """The provider rejects it as such; only the owner can repair that."""
    QUOTA = "quota"
    """The tenant's quota, or a load balancer's node limit, is used up."""
    DENIED = "denied"
    """We may not, or there is no such service for the tenant."""


@frozen
class JobResult:
    """What became of a job; ``reason`` is presentable to the owner."""

    job: Job
    outcome: Outcome
    reason: str = ""
    server_id: ServerId | None = None
    links: tuple[tuple[str, str], ...] = ()


NoticeHandler = Callable[[Notice], Awaitable[None]]
JobHandler = Callable[[Job], Awaitable[None]]
ResultHandler = Callable[[JobResult], Awaitable[None]]


class Bus(Protocol):
    """Sends and delivers; sending never waits for a handler."""

    async def send_notice(self, notice: Notice) -> None:
        """Hint that a group wants looking at; dropped silently when nobody can be told now."""

    async def send_job(self, job: Job) -> None:
        """Hand a job to some worker."""

    async def send_result(self, result: JobResult) -> None:
        """Tell the supervisor of the job's group."""

    def on_notice(self, handler: NoticeHandler) -> None:
        """Deliver notices to ``handler``; one per process."""

    def on_job(self, handler: JobHandler) -> None:
        """Deliver jobs to ``handler``; one per process."""

    def on_result(self, handler: ResultHandler) -> None:
        """Deliver results to ``handler``; one per process."""
