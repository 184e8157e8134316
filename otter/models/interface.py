"""
The ``Store``: what every engine promises, written so that each promise can be kept by Cassandra
too.

Note [Conditional writes]
    Nothing is locked. A caller reads a record, decides, and writes the new value; the write happens
    only if the stored counter is still the one read, else ``ConflictError`` and the caller decides
    anew. Everything that one write changes lies in one group's partition. Dirty marks, capabilities
    and notifications lie elsewhere: an engine without transactions writes them *before* the group's
    partition, so that a crash in between leaves a needless mark, a capability that leads nowhere
    or a
    message too many, never one missing.

Note [Dirty marks]
    A mark can name a generation the group has not reached: its writer died, or has not written yet.
    Whoever converges the group then raises the generation itself (``update_group`` with the group
    unchanged): if that succeeds the late writer conflicts and starts over with a new mark; if it
    conflicts the late writer has arrived. Only then is the mark cleared, with the generation looked
    at, so no change is ever missed.

Every method may raise ``StoreUnavailableError``; after a write that means the outcome is unknown.
All listings are pages in ascending order of id, ``limit`` items at most, strictly after ``after``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from otter.models.activity import Activity, Deployment, Lease, Notification
from otter.models.group import DirtyMark, Group
from otter.models.ids import (
    CapabilityHash,
    GroupId,
    InstanceId,
    NotificationId,
    PolicyId,
    TenantId,
    WebhookId,
)
from otter.models.ledger import Convergence, Ledger, LedgerEntry
from otter.models.policy import Policy, Schedule, Webhook


@frozen
class LedgerWrite:
    """
    A change of the supervisor's half of a group.

    ``convergence.revision`` is the revision that was read; it is stored as one more. Each entry
    replaces the stored one of the same instance id or is added.
    """

    convergence: Convergence
    entries: tuple[LedgerEntry, ...] = ()
    notifications: tuple[Notification, ...] = ()


@frozen
class Execution:
    """
    What a capability executes.

    :ivar policy: None when it is gone although its webhook is still found.
    """

    webhook: Webhook
    policy: Policy | None


class Store(Protocol):
    """Keeps everything Otter must not forget."""

    # --- groups -----------------------------------------------------------------------------

    async def create_group(
        self,
        group: Group,
        policies: Sequence[Policy],
        *,
        max_groups: int,
        activities: Sequence[Activity] = (),
    ) -> None:
        """
        Add a new group with its policies, its empty ledger and a dirty mark.

        :raises OverLimitError: the tenant already has ``max_groups`` groups that are not being
            deleted (an engine without transactions may let simultaneous creates pass by a few).
        :raises ConflictError: a group of this id exists.
        """

    async def get_group(self, tenant_id: TenantId, group_id: GroupId) -> Group:
        """
        Return the group, also when it is being deleted (callers that must hide those look at the
        flag).

        :raises NoSuchGroupError: no such group.
        """

    async def list_groups(
        self, tenant_id: TenantId, *, after: str = "", limit: int = 100
    ) -> Sequence[Group]:
        """Return a page of the tenant's groups, those being deleted left out."""

    async def list_tenants(self, *, after: str = "", limit: int = 100) -> Sequence[TenantId]:
        """
        Return a page of tenants that have a group or a ledger entry. For sweeps, not requests.
        """

    async def list_group_ids(
        self, tenant_id: TenantId, *, after: str = "", limit: int = 100
    ) -> Sequence[GroupId]:
        """
        Return a page of the ids of all groups of the tenant, those being deleted too. For sweeps.
        """

    async def update_group(
        self,
        group: Group,
        *,
        mark: bool,
        ledger: LedgerWrite | None = None,
        activities: Sequence[Activity] = (),
    ) -> Group:
        """
        Replace the group if it is still at ``group.generation``; return it as stored, one higher.

        With ``mark`` the dirty mark of the new generation is durable no later than the group. With
        ``ledger`` both halves are written or neither.

        :raises NoSuchGroupError: no such group.
        :raises ConflictError: the generation, or the ledger's revision, has moved on.
        """

    async def remove_group(self, group: Group) -> None:
        """
        Forget a drained group: the row, its policies, webhooks, capabilities, schedules and mark.

        Its activities and terminal ledger entries stay until they are pruned.

        :raises ConflictError: the generation has moved on, the group is not being deleted, or an
            entry is not terminal.
        :raises NoSuchGroupError: no such group.
        """

    # --- policies and webhooks --------------------------------------------------------------

    async def create_policies(
        self,
        policies: Sequence[Policy],
        *,
        max_policies: int,
        activities: Sequence[Activity] = (),
    ) -> None:
        """
        Add policies to one group, all or none.

        :raises NoSuchGroupError: the group does not exist or is being deleted.
        :raises OverLimitError: the group would have more than ``max_policies``.
        """

    async def get_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
    ) -> Policy:
        """
        Return the policy.

        :raises NoSuchPolicyError: no such policy (also when the group does not exist).
        """

    async def list_policies(
        self, tenant_id: TenantId, group_id: GroupId, *, after: str = "", limit: int = 100
    ) -> Sequence[Policy]:
        """Return a page of the group's policies; empty for an unknown group."""

    async def update_policy(self, policy: Policy, *, activities: Sequence[Activity] = ()) -> None:
        """
        Replace an existing policy.

        :raises NoSuchPolicyError: it does not exist (any more); nothing is created.
        """

    async def delete_policy(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        *,
        activities: Sequence[Activity] = (),
    ) -> None:
        """
        Remove a policy, its webhooks with their capabilities, and its schedule; nobody else's.

        :raises NoSuchPolicyError: no such policy.
        """

    async def create_webhooks(
        self,
        webhooks: Sequence[Webhook],
        *,
        max_webhooks: int,
        activities: Sequence[Activity] = (),
    ) -> None:
        """
        Add webhooks to one policy, all or none; their capabilities work from then on.

        :raises NoSuchPolicyError: the policy does not exist.
        :raises OverLimitError: the policy would have more than ``max_webhooks``.
        """

    async def get_webhook(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhook_id: WebhookId,
    ) -> Webhook:
        """
        Return the webhook.

        :raises NoSuchWebhookError: no such webhook, or no such policy or group.
        """

    async def list_webhooks(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        *,
        after: str = "",
        limit: int = 100,
    ) -> Sequence[Webhook]:
        """Return a page of the policy's webhooks; empty for an unknown policy."""

    async def update_webhook(
        self, webhook: Webhook, *, activities: Sequence[Activity] = ()
    ) -> None:
        """
        Replace the name and metadata of an existing webhook; its capability stays.

        :raises NoSuchWebhookError: it does not exist (any more); nothing is created.
        """

    async def delete_webhook(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhook_id: WebhookId,
        *,
        activities: Sequence[Activity] = (),
    ) -> None:
        """
        Remove the webhook and its capability.

        :raises NoSuchWebhookError: no such webhook.
        """

    async def find_capability(self, capability: CapabilityHash) -> Webhook:
        """
        Return the webhook whose secret this is; looked up by a digest, so timing tells nothing.

        :raises NoSuchWebhookError: nobody's.
        """

    async def find_execution(self, capability: CapabilityHash) -> Execution:
        """
        Return the webhook as ``find_capability`` does, together with its policy.

        The two may be read one after the other: a policy that is deleted in between is None.

        :raises NoSuchWebhookError: nobody's.
        """

    # --- dirty marks ------------------------------------------------------------------------

    async def list_dirty(self, *, after: str = "", limit: int = 100) -> Sequence[DirtyMark]:
        """Return a page of marks, ordered by group id; ``after`` is a group id."""

    async def clear_dirty(self, mark: DirtyMark) -> bool:
        """
        Remove the group's mark if it still names a generation no higher than ``mark.generation``.

        Return whether no mark is left.
        """

    # --- ledger -----------------------------------------------------------------------------

    async def read_ledger(self, tenant_id: TenantId, group_id: GroupId) -> Ledger:
        """
        Return the convergence record and every entry that is not terminal.

        :raises NoSuchGroupError: no such group.
        """

    async def write_ledger(
        self, write: LedgerWrite, *, activities: Sequence[Activity] = ()
    ) -> Convergence:
        """
        Write entries and the convergence record if it is still at its revision; return it as
        stored.

        The generation of the group is not touched.

        :raises ConflictError: the revision has moved on.
        :raises NoSuchGroupError: no such group.
        """

    async def get_entry(
        self, tenant_id: TenantId, group_id: GroupId, instance_id: InstanceId
    ) -> LedgerEntry | None:
        """Return an entry in any state, of a group that may be gone; None if there never was one
        (or it was pruned).
        """

    async def adopt_orphan(self, entry: LedgerEntry) -> bool:
        """
        Record an entry for a server of ours whose group is gone; False if one is already there.

        :raises ConflictError: the group exists (its supervisor adopts through ``write_ledger``).
        """

    async def put_orphan(self, entry: LedgerEntry) -> None:
        """
        Replace an entry whose group is gone.

        :raises ConflictError: the group exists, or there is no such entry.
        """

    async def list_orphans(
        self, tenant_id: TenantId, *, after: str = "", limit: int = 100
    ) -> Sequence[LedgerEntry]:
        """Return a page, ordered by instance id, of non-terminal entries whose group is gone."""

    # --- history ----------------------------------------------------------------------------

    async def add_activities(self, activities: Sequence[Activity]) -> None:
        """Append to histories on their own (refused executions); groups need not exist."""

    async def list_activities(
        self, tenant_id: TenantId, group_id: GroupId, *, before: str = "", limit: int = 100
    ) -> Sequence[Activity]:
        """Return a page of the group's history, newest first, strictly before id ``before``
        (from the newest when empty).
        """

    async def prune(self, *, before: datetime, keep_activities: int) -> None:
        """
        Remove terminal entries last changed before ``before``, activities older than that, and all
        but the newest ``keep_activities`` activities of each group. Small steps; for sweeps.
        """

    # --- messages to customers --------------------------------------------------------------

    async def due_notifications(self, now: datetime, *, limit: int = 100) -> Sequence[Notification]:
        """Return messages due at ``now`` or earlier, the longest due first."""

    async def put_notification(self, notification: Notification) -> None:
        """
        Replace a message (after a failed attempt, with its next ``due``); no-op if it is gone.
        """

    async def remove_notification(self, notification_id: NotificationId) -> None:
        """Forget a message; fine if it is already gone."""

    # --- schedules (for otter/scheduler) ----------------------------------------------------

    async def put_schedule(self, schedule: Schedule) -> None:
        """Arm or re-arm a policy's timer, replacing any earlier one."""

    async def due_schedules(self, now: datetime, *, limit: int = 100) -> Sequence[Schedule]:
        """Return timers due at ``now`` or earlier, the longest due first."""

    async def replace_schedule(self, old: Schedule, new: Schedule | None) -> None:
        """
        Move a timer on, or disarm it with None, if it is still at ``old.version``.

        :raises ConflictError: it has been re-armed, moved or disarmed meanwhile.
        """

    # --- leases and identity ----------------------------------------------------------------

    async def take_lease(self, name: str, owner: str, *, now: datetime, expires: datetime) -> Lease:
        """
        Take or renew a lease. A new owner gets an epoch one higher; renewing keeps it.

        :raises ConflictError: somebody else holds it and it has not expired at ``now``.
        """

    async def release_lease(self, lease: Lease) -> None:
        """Give a lease back; fine if it is already lost."""

    async def deployment(self, candidate: Deployment) -> Deployment:
        """Return this installation's identity, storing ``candidate`` if there is none yet."""
