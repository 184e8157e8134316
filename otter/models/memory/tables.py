"""The dictionaries behind the store, and what several families of tables do with them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from heapq import nsmallest
from typing import TypeVar

from attrs import evolve

from otter.models.activity import Activity, Deployment, Lease, Notification
from otter.models.errors import ConflictError, NoSuchGroupError
from otter.models.group import DirtyMark, Group
from otter.models.ids import (
    ActivityId,
    GroupId,
    InstanceId,
    NotificationId,
    PolicyId,
    TenantId,
    WebhookId,
)
from otter.models.interface import LedgerWrite
from otter.models.ledger import TERMINAL, Convergence, LedgerEntry
from otter.models.policy import Policy, Schedule, Webhook

GroupKey = tuple[TenantId, GroupId]
PolicyKey = tuple[TenantId, GroupId, PolicyId]

K = TypeVar("K", bound=str)
V = TypeVar("V")


def page(table: Mapping[K, V], after: str, limit: int) -> list[V]:
    """Return the values of the first ``limit`` keys above ``after``, in order of their keys."""
    return [table[key] for key in nsmallest(limit, (key for key in table if key > after))]


class Tables:
    """Everything the store knows; the families of methods build upon it."""

    def __init__(self) -> None:
        self._groups: defaultdict[TenantId, dict[GroupId, Group]] = defaultdict(dict)
        self._marks: dict[GroupKey, DirtyMark] = {}
        self._policies: defaultdict[GroupKey, dict[PolicyId, Policy]] = defaultdict(dict)
        self._webhooks: defaultdict[PolicyKey, dict[WebhookId, Webhook]] = defaultdict(dict)
        self._capabilities: dict[str, tuple[PolicyKey, WebhookId]] = {}
        self._convergences: dict[GroupKey, Convergence] = {}
        self._live: defaultdict[GroupKey, dict[InstanceId, LedgerEntry]] = defaultdict(dict)
        self._ended: defaultdict[GroupKey, dict[InstanceId, LedgerEntry]] = defaultdict(dict)
        self._activities: defaultdict[GroupKey, dict[ActivityId, Activity]] = defaultdict(dict)
        self._notifications: dict[NotificationId, Notification] = {}
        self._schedules: dict[PolicyKey, Schedule] = {}
        self._leases: dict[str, Lease] = {}
        self._deployment: Deployment | None = None

    def _group(self, tenant_id: TenantId, group_id: GroupId) -> Group:
        """
        Return the stored group.

        :raises NoSuchGroupError: there is none.
        """
        group = self._find_group(tenant_id, group_id)
        if group is None:
            raise NoSuchGroupError(f"no group {group_id} of tenant {tenant_id}")
        return group

    def _find_group(self, tenant_id: TenantId, group_id: GroupId) -> Group | None:
        return self._groups[tenant_id].get(group_id) if tenant_id in self._groups else None

    def _record(self, activities: Sequence[Activity]) -> None:
        for activity in activities:
            history = self._activities[activity.tenant_id, activity.group_id]
            history[activity.activity_id] = activity

    def _check_ledger(self, write: LedgerWrite) -> None:
        """
        Refuse a ledger write that somebody else overtook.

        :raises ConflictError: the revision has moved on.
        """
        given = write.convergence
        if self._convergences[given.tenant_id, given.group_id].revision != given.revision:
            raise ConflictError(f"the ledger of group {given.group_id} has moved on")

    def _apply_ledger(self, write: LedgerWrite) -> Convergence:
        stored = evolve(write.convergence, revision=write.convergence.revision + 1)
        self._convergences[stored.tenant_id, stored.group_id] = stored
        for entry in write.entries:
            self._put_entry(entry)
        for notification in write.notifications:
            self._notifications[notification.notification_id] = notification
        return stored

    def _put_entry(self, entry: LedgerEntry) -> None:
        key = (entry.tenant_id, entry.group_id)
        ended = entry.state in TERMINAL
        here, there = (self._ended, self._live) if ended else (self._live, self._ended)
        here[key][entry.instance_id] = entry
        there[key].pop(entry.instance_id, None)
