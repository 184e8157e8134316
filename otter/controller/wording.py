"""Name things in messages to people, and say that they do not exist."""

from otter.controller.errors import (
    NoSuchPolicyError,
    NoSuchScalingGroupError,
    NoSuchWebhookError,
)
from otter.models.ids import GroupId, PolicyId, TenantId, WebhookId


def name_group(tenant_id: TenantId, group_id: GroupId) -> str:
    """Return how messages name a group."""
    return f"group {group_id} (tenant {tenant_id})"


def no_such_group(tenant_id: TenantId, group_id: GroupId) -> NoSuchScalingGroupError:
    """Return the refusal for an unknown, deleted or deleting group."""
    return NoSuchScalingGroupError(f"{name_group(tenant_id, group_id)} not found")


def no_such_policy(
    tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
) -> NoSuchPolicyError:
    """Return the refusal for an unknown policy of an existing group."""
    return NoSuchPolicyError(f"policy {policy_id} not found in {name_group(tenant_id, group_id)}")


def no_such_webhook(
    tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId, webhook_id: WebhookId
) -> NoSuchWebhookError:
    """Return the refusal for an unknown webhook, or one under an unknown policy."""
    return NoSuchWebhookError(
        f"webhook {webhook_id} of policy {policy_id} not found in {name_group(tenant_id, group_id)}"
    )
