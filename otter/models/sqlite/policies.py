"""Policies, and the webhooks with their capabilities that hang under them."""

from collections.abc import Sequence
from functools import partial
from sqlite3 import Connection

from attrs import evolve

from otter.models.activity import Activity
from otter.models.codec import Codec, capability_digest
from otter.models.errors import (
    NoSuchGroupError,
    NoSuchPolicyError,
    NoSuchWebhookError,
    OverLimitError,
)
from otter.models.ids import CapabilityHash, GroupId, PolicyId, TenantId, WebhookId
from otter.models.interface import Execution
from otter.models.policy import Policy, Webhook
from otter.models.sqlite.base import SQLiteTables
from otter.models.sqlite.history import Row, activity_rows, insert_activities

PolicyKey = tuple[TenantId, GroupId, PolicyId]


class PolicyTables(SQLiteTables):
    """The part of the store that is about policies and webhooks."""

    async def create_policies(
        self,
        policies: Sequence[Policy],
        *,
        max_policies: int,
        activities: Sequence[Activity] = (),
    ) -> None:
        """Add all of the policies or none."""
        rows = policy_rows(self._codec, policies)
        history = activity_rows(self._codec, activities)
        await self._write(partial(_create_policies, rows, max_policies, history))

    async def get_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
    ) -> Policy:
        """Return the policy."""
        found = await self._records(
            Policy,
            "SELECT body FROM policies WHERE tenant_id = ? AND group_id = ? AND policy_id = ?",
            *(tenant_id, group_id, policy_id),
        )
        if not found:
            raise NoSuchPolicyError(f"no policy {policy_id} in group {group_id}")
        return found[0]

    async def list_policies(
        self, tenant_id: TenantId, group_id: GroupId, *, after: str = "", limit: int = 100
    ) -> Sequence[Policy]:
        """Return a page of policies."""
        return await self._records(
            Policy,
            "SELECT body FROM policies WHERE tenant_id = ? AND group_id = ? AND policy_id > ?"
            " ORDER BY policy_id LIMIT ?",
            *(tenant_id, group_id, after, limit),
        )

    async def update_policy(self, policy: Policy, *, activities: Sequence[Activity] = ()) -> None:
        """Replace the policy."""
        history = activity_rows(self._codec, activities)
        await self._write(partial(_update_policy, policy, self._codec.encode(policy), history))

    async def delete_policy(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        *,
        activities: Sequence[Activity] = (),
    ) -> None:
        """Remove the policy and everything under it."""
        history = activity_rows(self._codec, activities)
        await self._write(partial(_delete_policy, (tenant_id, group_id, policy_id), history))

    async def create_webhooks(
        self,
        webhooks: Sequence[Webhook],
        *,
        max_webhooks: int,
        activities: Sequence[Activity] = (),
    ) -> None:
        """Add all of the webhooks or none."""
        rows = [_webhook_row(self._codec, webhook) for webhook in webhooks]
        history = activity_rows(self._codec, activities)
        await self._write(partial(_create_webhooks, rows, max_webhooks, history))

    async def get_webhook(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhook_id: WebhookId,
    ) -> Webhook:
        """Return the webhook."""
        found = await self._records(
            Webhook,
            "SELECT body FROM webhooks"
            " WHERE tenant_id = ? AND group_id = ? AND policy_id = ? AND webhook_id = ?",
            *(tenant_id, group_id, policy_id, webhook_id),
        )
        if not found:
            raise NoSuchWebhookError(f"no webhook {webhook_id} under policy {policy_id}")
        return found[0]

    async def list_webhooks(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        *,
        after: str = "",
        limit: int = 100,
    ) -> Sequence[Webhook]:
        """Return a page of webhooks."""
        return await self._records(
            Webhook,
            "SELECT body FROM webhooks"
            " WHERE tenant_id = ? AND group_id = ? AND policy_id = ? AND webhook_id > ?"
            " ORDER BY webhook_id LIMIT ?",
            *(tenant_id, group_id, policy_id, after, limit),
        )

    async def update_webhook(
        self, webhook: Webhook, *, activities: Sequence[Activity] = ()
    ) -> None:
        """Replace the webhook, all but its capability."""
        history = activity_rows(self._codec, activities)
        await self._write(partial(_update_webhook, self._codec, webhook, history))

    async def delete_webhook(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhook_id: WebhookId,
        *,
        activities: Sequence[Activity] = (),
    ) -> None:
        """Remove the webhook and its capability."""
        history = activity_rows(self._codec, activities)
        key = (tenant_id, group_id, policy_id, webhook_id)
        await self._write(partial(_delete_webhook, key, history))

    async def find_capability(self, capability: CapabilityHash) -> Webhook:
        """Return the webhook with this secret."""
        found = await self._records(
            Webhook, "SELECT body FROM webhooks WHERE digest = ?", capability_digest(capability)
        )
        if not found:
            raise NoSuchWebhookError("no webhook has this capability")
        return found[0]

    async def find_execution(self, capability: CapabilityHash) -> Execution:
        """Return what the secret executes; both reads are one job."""
        digest = capability_digest(capability)
        found = await self._read(partial(_find_execution, self._codec, digest))
        if found is None:
            raise NoSuchWebhookError("no webhook has this capability")
        return found


def _find_execution(codec: Codec, digest: str, connection: Connection) -> Execution | None:
    row = connection.execute(
        "SELECT webhooks.body, policies.body FROM webhooks"
        " LEFT JOIN policies USING (tenant_id, group_id, policy_id) WHERE digest = ?",
        (digest,),
    ).fetchone()
    if row is None:
        return None
    webhook, policy = row
    return Execution(
        codec.decode(webhook, Webhook),
        None if policy is None else codec.decode(policy, Policy),
    )


def policy_rows(codec: Codec, policies: Sequence[Policy]) -> list[Row]:
    """Return what ``insert_policies`` inserts."""
    return [(p.tenant_id, p.group_id, p.policy_id, codec.encode(p)) for p in policies]


def insert_policies(rows: Sequence[Row], connection: Connection) -> None:
    """Add policies, or replace those of the same ids."""
    connection.executemany("INSERT OR REPLACE INTO policies VALUES (?, ?, ?, ?)", rows)


def _create_policies(
    rows: Sequence[Row], max_policies: int, activities: Sequence[Row], connection: Connection
) -> None:
    for key in [row[:2] for row in rows[:1]]:
        group = connection.execute(
            "SELECT deleting FROM groups WHERE tenant_id = ? AND group_id = ?", key
        ).fetchone()
        if group is None or group[0]:
            raise NoSuchGroupError(f"no group {key[1]} of tenant {key[0]}")
        insert_policies(rows, connection)
        (count,) = connection.execute(
            "SELECT count(*) FROM policies WHERE tenant_id = ? AND group_id = ?", key
        ).fetchone()
        if count > max_policies:
            raise OverLimitError("policies", max_policies)
    insert_activities(activities, connection)


def _update_policy(
    policy: Policy, body: str, activities: Sequence[Row], connection: Connection
) -> None:
    updated = connection.execute(
        "UPDATE policies SET body = ? WHERE tenant_id = ? AND group_id = ? AND policy_id = ?",
        (body, policy.tenant_id, policy.group_id, policy.policy_id),
    )
    if updated.rowcount == 0:
        raise NoSuchPolicyError(f"no policy {policy.policy_id} in group {policy.group_id}")
    insert_activities(activities, connection)


def _delete_policy(key: PolicyKey, activities: Sequence[Row], connection: Connection) -> None:
    deleted = connection.execute(
        "DELETE FROM policies WHERE tenant_id = ? AND group_id = ? AND policy_id = ?", key
    )
    if deleted.rowcount == 0:
        raise NoSuchPolicyError(f"no policy {key[2]} in group {key[1]}")
    connection.execute(
        "DELETE FROM webhooks WHERE tenant_id = ? AND group_id = ? AND policy_id = ?", key
    )
    connection.execute(
        "DELETE FROM schedules WHERE tenant_id = ? AND group_id = ? AND policy_id = ?", key
    )
    insert_activities(activities, connection)


def _webhook_row(codec: Codec, webhook: Webhook) -> Row:
    return (
        *(webhook.tenant_id, webhook.group_id, webhook.policy_id, webhook.webhook_id),
        *(capability_digest(webhook.capability), codec.encode(webhook)),
    )


def _create_webhooks(
    rows: Sequence[Row], max_webhooks: int, activities: Sequence[Row], connection: Connection
) -> None:
    for key in [row[:3] for row in rows[:1]]:
        policy = connection.execute(
            "SELECT 1 FROM policies WHERE tenant_id = ? AND group_id = ? AND policy_id = ?", key
        )
        if policy.fetchone() is None:
            raise NoSuchPolicyError(f"no policy {key[2]} in group {key[1]}")
        connection.executemany("INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?, ?, ?, ?)", rows)
        (count,) = connection.execute(
            "SELECT count(*) FROM webhooks WHERE tenant_id = ? AND group_id = ? AND policy_id = ?",
            key,
        ).fetchone()
        if count > max_webhooks:
            raise OverLimitError("webhooks", max_webhooks)
    insert_activities(activities, connection)


def _update_webhook(
    codec: Codec, webhook: Webhook, activities: Sequence[Row], connection: Connection
) -> None:
    key = (webhook.tenant_id, webhook.group_id, webhook.policy_id, webhook.webhook_id)
    stored = connection.execute(
        "SELECT body FROM webhooks"
        " WHERE tenant_id = ? AND group_id = ? AND policy_id = ? AND webhook_id = ?",
        key,
    ).fetchone()
    if stored is None:
        raise NoSuchWebhookError(f"no webhook {key[3]} under policy {key[2]}")
    capability = codec.decode(stored[0], Webhook).capability
    connection.execute(
        "UPDATE webhooks SET body = ?"
        " WHERE tenant_id = ? AND group_id = ? AND policy_id = ? AND webhook_id = ?",
        (codec.encode(evolve(webhook, capability=capability)), *key),
    )
    insert_activities(activities, connection)


def _delete_webhook(
    key: tuple[TenantId, GroupId, PolicyId, WebhookId],
    activities: Sequence[Row],
    connection: Connection,
) -> None:
    deleted = connection.execute(
        "DELETE FROM webhooks"
        " WHERE tenant_id = ? AND group_id = ? AND policy_id = ? AND webhook_id = ?",
        key,
    )
    if deleted.rowcount == 0:
        raise NoSuchWebhookError(f"no webhook {key[3]} under policy {key[2]}")
    insert_activities(activities, connection)
