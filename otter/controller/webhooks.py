"""Calls on webhooks: add, look, rename, remove. Their capabilities never appear in the history."""

from collections.abc import Sequence

from attrs import evolve

from otter.controller.calls import Calls, refusing
from otter.controller.history import in_order, record
from otter.controller.interface import NewWebhook
from otter.models.activity import Activity, ActivityKind
from otter.models.ids import (
    GroupId,
    PolicyId,
    TenantId,
    WebhookId,
    new_capability_hash,
    new_uuid,
)
from otter.models.policy import Webhook


class WebhookCalls(Calls):
    """What can be done to webhooks, executing excepted."""

    async def list_webhooks(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        *,
        after: str,
        limit: int,
    ) -> Sequence[Webhook]:
        """Return a page of webhooks, ascending by id."""
        await self._find_policy(tenant_id, group_id, policy_id)
        return await self._store.list_webhooks(
            tenant_id, group_id, policy_id, after=after, limit=limit
        )

    async def create_webhooks(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhooks: Sequence[NewWebhook],
        *,
        actor: str,
    ) -> Sequence[Webhook]:
        """Add webhooks, all or none, each with a secret of its own."""
        await self._find_policy(tenant_id, group_id, policy_id)
        made = [
            Webhook(
                tenant_id,
                group_id,
                policy_id,
                WebhookId(new_uuid()),
                new.name,
                new_capability_hash(),
                new.metadata,
            )
            for new in webhooks
        ]
        if not made:
            return made
        activities = in_order(
            [self._about_webhook(webhook, ActivityKind.WEBHOOK_CREATED, actor) for webhook in made]
        )
        with refusing(tenant_id, group_id, policy_id):
            await self._store.create_webhooks(
                made, max_webhooks=self.limits.max_webhooks_per_policy, activities=activities
            )
        return made

    async def get_webhook(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhook_id: WebhookId,
    ) -> Webhook:
        """Return the webhook."""
        await self._live_group(tenant_id, group_id)
        with refusing(tenant_id, group_id, policy_id, webhook_id):
            return await self._store.get_webhook(tenant_id, group_id, policy_id, webhook_id)

    async def set_webhook(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhook_id: WebhookId,
        webhook: NewWebhook,
        *,
        actor: str,
    ) -> None:
        """Replace name and metadata; the capability stays."""
        found = await self.get_webhook(tenant_id, group_id, policy_id, webhook_id)
        changed = evolve(found, name=webhook.name, metadata=webhook.metadata)
        activity = self._about_webhook(changed, ActivityKind.WEBHOOK_CHANGED, actor)
        with refusing(tenant_id, group_id, policy_id, webhook_id):
            await self._store.update_webhook(changed, activities=[activity])

    async def delete_webhook(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhook_id: WebhookId,
        *,
        actor: str,
    ) -> None:
        """Remove the webhook; its capability URL does nothing from then on."""
        found = await self.get_webhook(tenant_id, group_id, policy_id, webhook_id)
        activity = self._about_webhook(found, ActivityKind.WEBHOOK_DELETED, actor)
        with refusing(tenant_id, group_id, policy_id, webhook_id):
            await self._store.delete_webhook(
                tenant_id, group_id, policy_id, webhook_id, activities=[activity]
            )

    def _about_webhook(self, webhook: Webhook, kind: ActivityKind, actor: str) -> Activity:
        verb = kind.value.split(".")[1]
        return record(
            webhook.tenant_id,
            webhook.group_id,
            self._now(),
            kind,
            actor=actor,
            reason=f"webhook {webhook.name} {verb}",
            policy_id=webhook.policy_id,
            webhook_id=webhook.webhook_id,
            webhook_name=webhook.name,
        )
