"""Records for tests of stores, and what all contracts of stores have in common."""

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from otter.models.activity import Activity, ActivityKind, Notification
from otter.models.group import Group, GroupConfig, LaunchConfig, LaunchType
from otter.models.ids import (
    ActivityId,
    CapabilityHash,
    GroupId,
    InstanceId,
    NotificationId,
    PolicyId,
    TenantId,
    WebhookId,
)
from otter.models.interface import LedgerWrite, Store
from otter.models.ledger import Convergence, EntryState, LedgerEntry
from otter.models.policy import ChangeBy, Policy, Schedule, Webhook

T = TypeVar("T")

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
TENANT = TenantId("tenant")
OTHER_TENANT = TenantId("neighbour")
GROUP = GroupId("group")
OTHER_GROUP = GroupId("group-2")
POLICY = PolicyId("policy")
WEBHOOK = WebhookId("webhook")
INSTANCE = InstanceId("instance")


def a_group(
    group_id: str = GROUP, tenant_id: str = TENANT, *, desired: int = 0, deleting: bool = False
) -> Group:
    """Return a new group."""
    return Group(
        tenant_id=TenantId(tenant_id),
        group_id=GroupId(group_id),
        config=GroupConfig("web", 60, 0, 10, {"team": "shop"}),
        launch=LaunchConfig(1, LaunchType.SERVER, {"server": {"name": "web", "ram": [1, None]}}),
        created=NOW,
        desired=desired,
        deleting=deleting,
    )


def a_policy(policy_id: str = POLICY, group_id: str = GROUP, *, amount: int = 1) -> Policy:
    """Return a policy that changes by ``amount``."""
    return Policy(
        tenant_id=TENANT,
        group_id=GroupId(group_id),
        policy_id=PolicyId(policy_id),
        name="grow",
        cooldown=Decimal("1.50"),
        adjustment=ChangeBy(amount),
    )


def a_webhook(
    webhook_id: str = WEBHOOK, policy_id: str = POLICY, *, group_id: str = GROUP, name: str = "cpu"
) -> Webhook:
    """Return a webhook whose capability follows from its id."""
    return Webhook(
        tenant_id=TENANT,
        group_id=GroupId(group_id),
        policy_id=PolicyId(policy_id),
        webhook_id=WebhookId(webhook_id),
        name=name,
        capability=secret_of(webhook_id),
        metadata={"alarm": "cpu"},
    )


def secret_of(webhook_id: str) -> CapabilityHash:
    """Return the capability of ``a_webhook`` with this id."""
    return CapabilityHash(f"secret of {webhook_id}".ljust(64, "0"))


def an_entry(
    instance_id: str = INSTANCE,
    group_id: str = GROUP,
    *,
    state: EntryState = EntryState.INTENDED,
    age: timedelta = timedelta(0),
) -> LedgerEntry:
    """Return a ledger entry that reached ``state`` some time ago."""
    return LedgerEntry(
        tenant_id=TENANT,
        group_id=GroupId(group_id),
        instance_id=InstanceId(instance_id),
        launch_version=1,
        created=NOW - age,
        changed=NOW - age,
        state=state,
    )


def a_ledger_write(
    *entries: LedgerEntry,
    revision: int = 0,
    group_id: str = GROUP,
    notifications: tuple[Notification, ...] = (),
) -> LedgerWrite:
    """Return a write of entries upon the revision that was read."""
    convergence = Convergence(TENANT, GroupId(group_id), revision=revision, failures=3)
    return LedgerWrite(convergence, entries, notifications)


def an_activity(
    activity_id: str, group_id: str = GROUP, *, age: timedelta = timedelta(0)
) -> Activity:
    """Return a line of a history."""
    return Activity(
        tenant_id=TENANT,
        group_id=GroupId(group_id),
        activity_id=ActivityId(activity_id),
        at=NOW - age,
        kind=ActivityKind.EXECUTED,
        actor="user alice",
        reason="because",
        details={"before": 1, "after": 2},
    )


def a_notification(
    notification_id: str = "message", *, due: datetime = NOW, attempts: int = 0
) -> Notification:
    """Return a message owed to a customer."""
    return Notification(
        notification_id=NotificationId(notification_id),
        tenant_id=TENANT,
        group_id=GROUP,
        url="http://127.0.0.1/hook",
        event="scaled",
        payload={"servers": ["a", "b"]},
        created=NOW,
        due=due,
        attempts=attempts,
    )


def a_schedule(policy_id: str = POLICY, *, due: datetime = NOW, version: int = 1) -> Schedule:
    """Return an armed timer."""
    return Schedule(TENANT, GROUP, PolicyId(policy_id), due, version)


class StoreContract(TestCase):
    """What the contracts of all parts of a store share."""

    timeout = 20

    leaves_traces = False
    """
    Whether a write that is refused may leave a needless mark or message behind, as engines without
    transactions do (see Note [Conditional writes] in ``otter.models.interface``).
    """

    async def make_store(self) -> Store:
        """Return an empty store that the test need not close."""
        raise NotImplementedError

    async def make_store_with_group(self) -> Store:
        """Return a store that holds ``a_group()`` and its mark."""
        store = await self.make_store()
        await store.create_group(a_group(), [], max_groups=10)
        return store

    async def make_store_with_policy(self) -> Store:
        """Return a store that holds ``a_group()`` with ``a_policy()``."""
        store = await self.make_store()
        await store.create_group(a_group(), [a_policy()], max_groups=10)
        return store

    async def assert_refused(
        self, call: Coroutine[Deferred[Any], Any, Any], error: type[Exception]
    ) -> None:
        """Fail unless the call raises ``error``."""
        await self.assertFailure(Deferred.fromCoroutine(call), error)

    async def race(
        self, *calls: Coroutine[Deferred[Any], Any, T]
    ) -> tuple[list[T], list[BaseException | None]]:
        """Start all of the calls at once; return the results of some and the errors of others."""
        started = [Deferred.fromCoroutine(call) for call in calls]
        ended: list[Any] = [end for _, end in await DeferredList(started, consumeErrors=True)]
        errors = [end.value for end in ended if isinstance(end, Failure)]
        return [end for end in ended if not isinstance(end, Failure)], errors

    async def history(self, store: Store, group_id: str = GROUP) -> list[str]:
        """Return the ids of a group's activities, newest first."""
        activities = await store.list_activities(TENANT, GroupId(group_id))
        return [activity.activity_id for activity in activities]
