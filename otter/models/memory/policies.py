"""Policies, and the webhooks with their capabilities that hang under them."""

from collections.abc import Sequence

from attrs import evolve

from otter.models.activity import Activity
from otter.models.codec import capability_digest
from otter.models.errors import (
    NoSuchGroupError,
    NoSuchPolicyError,
    NoSuchWebhookError,
    OverLimitError,
)
from otter.models.ids import CapabilityHash, GroupId, PolicyId, TenantId, WebhookId
from otter.models.interface import Execution
from otter.models.memory.tables import PolicyKey, Tables, page
from otter.models.policy import Policy, Webhook


class PolicyTables(Tables):
    """The part of the store that is about policies and webhooks."""

    async def create_policies(
        self,
        policies: Sequence[Policy],
        *,
        max_policies: int,
        activities: Sequence[Activity] = (),
    ) -> None:
        """Add all of the policies or none."""
        for first in policies[:1]:
            if self._group(first.tenant_id, first.group_id).deleting:
                raise NoSuchGroupError(f"group {first.group_id} is being deleted")
            known = self._policies[first.tenant_id, first.group_id]
            wanted = known | {policy.policy_id: policy for policy in policies}
            if len(wanted) > max_policies:
                raise OverLimitError("policies", max_policies)
            known.update(wanted)
        self._record(activities)

    async def get_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
    ) -> Policy:
        """Return the policy."""
        return self._policy((tenant_id, group_id, policy_id))

    async def list_policies(
        self, tenant_id: TenantId, group_id: GroupId, *, after: str = "", limit: int = 100
    ) -> Sequence[Policy]:
        """Return a page of policies."""
        return page(self._policies.get((tenant_id, group_id), {}), after, limit)

    async def update_policy(self, policy: Policy, *, activities: Sequence[Activity] = ()) -> None:
        """Replace the policy."""
        self._policy((policy.tenant_id, policy.group_id, policy.policy_id))
        self._policies[policy.tenant_id, policy.group_id][policy.policy_id] = policy
        self._record(activities)

    async def delete_policy(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        *,
        activities: Sequence[Activity] = (),
    ) -> None:
        """Remove the policy and everything under it."""
        key = (tenant_id, group_id, policy_id)
        self._policy(key)
        del self._policies[tenant_id, group_id][policy_id]
        self._forget_policy(key)
        self._record(activities)

    async def create_webhooks(
        self,
        webhooks: Sequence[Webhook],
        *,
        max_webhooks: int,
        activities: Sequence[Activity] = (),
    ) -> None:
        """Add all of the webhooks or none."""
        for first in webhooks[:1]:
            key = (first.tenant_id, first.group_id, first.policy_id)
            self._policy(key)
            known = self._webhooks[key]
            wanted = known | {webhook.webhook_id: webhook for webhook in webhooks}
            if len(wanted) > max_webhooks:
                raise OverLimitError("webhooks", max_webhooks)
            for webhook in webhooks:
                self._put_webhook(key, webhook)
        self._record(activities)

    async def get_webhook(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhook_id: WebhookId,
    ) -> Webhook:
        """Return the webhook."""
        return self._webhook((tenant_id, group_id, policy_id), webhook_id)

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
        return page(self._webhooks.get((tenant_id, group_id, policy_id), {}), after, limit)

    async def update_webhook(
        self, webhook: Webhook, *, activities: Sequence[Activity] = ()
    ) -> None:
        """Replace the webhook, all but its capability."""
        key = (webhook.tenant_id, webhook.group_id, webhook.policy_id)
        stored = self._webhook(key, webhook.webhook_id)
        self._webhooks[key][webhook.webhook_id] = evolve(webhook, capability=stored.capability)
        self._record(activities)

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
        stored = self._webhook((tenant_id, group_id, policy_id), webhook_id)
        del self._webhooks[tenant_id, group_id, policy_id][webhook_id]
        self._capabilities.pop(capability_digest(stored.capability), None)
        self._record(activities)

    async def find_capability(self, capability: CapabilityHash) -> Webhook:
        """Return the webhook with this secret."""
        found = self._capabilities.get(capability_digest(capability))
        if found is None:
            raise NoSuchWebhookError("no webhook has this capability")
        return self._webhook(*found)

    async def find_execution(self, capability: CapabilityHash) -> Execution:
        """Return what the secret executes."""
        webhook = await self.find_capability(capability)
        key = (webhook.tenant_id, webhook.group_id, webhook.policy_id)
        try:
            return Execution(webhook, await self.get_policy(*key))
        except NoSuchPolicyError:
            return Execution(webhook, None)

    def _policy(self, key: PolicyKey) -> Policy:
        tenant_id, group_id, policy_id = key
        policy = self._policies.get((tenant_id, group_id), {}).get(policy_id)
        if policy is None:
            raise NoSuchPolicyError(f"no policy {policy_id} in group {group_id}")
        return policy

    def _webhook(self, key: PolicyKey, webhook_id: WebhookId) -> Webhook:
        webhook = self._webhooks.get(key, {}).get(webhook_id)
        if webhook is None:
            raise NoSuchWebhookError(f"no webhook {webhook_id} under policy {key[2]}")
        return webhook

    def _put_webhook(self, key: PolicyKey, webhook: Webhook) -> None:
        """Add a webhook, or replace the one of its id together with its capability."""
        former = self._webhooks[key].get(webhook.webhook_id, webhook)
        self._capabilities.pop(capability_digest(former.capability), None)
        self._webhooks[key][webhook.webhook_id] = webhook
        digest = capability_digest(webhook.capability)
        self._capabilities[digest] = (key, webhook.webhook_id)

    def _forget_policy(self, key: PolicyKey) -> None:
        """Drop what hangs under a policy."""
        for webhook in self._webhooks.pop(key, {}).values():
            self._capabilities.pop(capability_digest(webhook.capability), None)
        self._schedules.pop(key, None)
