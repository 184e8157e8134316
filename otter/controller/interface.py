"""
The ``Controller``: every call of the API as a method on records; REST and AWS faces only translate.

Every method on a group raises ``NoSuchScalingGroupError`` for an unknown, deleted or deleting
group,
``TenantSuspendedError`` where rest-api.md 3.17 says so, and lets ``StoreUnavailableError`` pass.
``actor`` names who asked, for the history: ``user NAME``, never a secret.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from attrs import field, frozen
from pyrsistent import PMap, freeze, pmap

from otter.models.activity import Activity
from otter.models.group import Group, GroupConfig, LaunchType
from otter.models.ids import (
    CapabilityHash,
    GroupId,
    PolicyId,
    ServerId,
    TenantId,
    WebhookId,
)
from otter.models.policy import Adjustment, At, Cron, Policy, Webhook


@frozen
class NewPolicy:
    """A policy as sent: no ids yet."""

    name: str
    cooldown: Decimal
    adjustment: Adjustment
    schedule: At | Cron | None = None


@frozen
class NewWebhook:
    """A webhook as sent."""

    name: str
    metadata: PMap[str, str] = field(converter=freeze, factory=pmap)


@frozen
class NewLaunch:
    """A launch configuration as sent."""

    type: LaunchType
    args: PMap[str, object] = field(converter=freeze)


@frozen
class ActiveServer:
    """A member in service with the cloud's own links as ``(rel, href)``."""

    server_id: ServerId
    links: tuple[tuple[str, str], ...] = ()


@frozen
class GroupView:
    """A group with what the API shows of its servers; ``errors`` is empty unless it is in ERROR."""

    group: Group
    active: tuple[ActiveServer, ...] = ()
    errors: tuple[str, ...] = ()


@frozen
class Limits:
    """
    How much one tenant may have (rest-api.md 7).

    :ivar max_groups: groups of one tenant.
    :ivar max_policies_per_group: policies of one group.
    :ivar max_webhooks_per_policy: webhooks of one policy.
    """

    max_groups: int = 1000
    max_policies_per_group: int = 100
    max_webhooks_per_policy: int = 25


class Controller(Protocol):
    """What each call means."""

    limits: Limits

    async def create_group(
        self,
        tenant_id: TenantId,
        config: GroupConfig,
        launch: NewLaunch,
        policies: Sequence[NewPolicy],
        *,
        actor: str,
    ) -> tuple[Group, Sequence[Policy]]:
        """
        Create a group wanting ``min_entities`` servers; return it and its policies in order given.

        :raises InvalidMinEntities: min above max.
        :raises ScalingGroupOverLimitError: one group too many.
        """

    async def list_groups(
        self, tenant_id: TenantId, *, after: str, limit: int
    ) -> Sequence[GroupView]:
        """Return a page of groups, ascending by id."""

    async def get_group(self, tenant_id: TenantId, group_id: GroupId) -> GroupView:
        """Return the group and its servers in service."""

    async def delete_group(
        self, tenant_id: TenantId, group_id: GroupId, *, force: bool, actor: str
    ) -> None:
        """
        Mark the group deleting, with nothing desired; the supervisor drains and removes it.

        :raises GroupNotEmptyError: not forced and the desired capacity is not 0.
        """

    async def set_config(
        self, tenant_id: TenantId, group_id: GroupId, config: GroupConfig, *, actor: str
    ) -> None:
        """
        Replace the config and clamp the desired capacity; ignores and starts no cooldown.

        :raises InvalidMinEntities: min above max.
        """

    async def set_launch(
        self, tenant_id: TenantId, group_id: GroupId, launch: NewLaunch, *, actor: str
    ) -> None:
        """Replace the launch config with one of the next version; nothing converges."""

    async def pause(self, tenant_id: TenantId, group_id: GroupId, *, actor: str) -> None:
        """Stop all converging of the group; idempotent."""

    async def resume(self, tenant_id: TenantId, group_id: GroupId, *, actor: str) -> None:
        """Let it converge again, and do so; idempotent."""

    async def set_suspended(
        self, tenant_id: TenantId, group_id: GroupId, *, suspended: bool, actor: str
    ) -> bool:
        """
        Flag or unflag the group (rest-api.md 3.17); return whether that changed it.

        A suspended group performs no step; one that no longer is converges.
        """

    async def converge(self, tenant_id: TenantId, group_id: GroupId, *, actor: str) -> None:
        """
        Ask for a cycle.

        :raises GroupPausedError: the group is paused.
        """

    async def list_policies(
        self, tenant_id: TenantId, group_id: GroupId, *, after: str, limit: int
    ) -> Sequence[Policy]:
        """Return a page of policies, ascending by id."""

    async def create_policies(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policies: Sequence[NewPolicy],
        *,
        actor: str,
    ) -> Sequence[Policy]:
        """
        Add policies, all or none; return them in the order given.

        :raises PoliciesOverLimitError: too many.
        """

    async def get_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
    ) -> Policy:
        """
        Return the policy.

        :raises NoSuchPolicyError: unknown.
        """

    async def set_policy(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        policy: NewPolicy,
        *,
        actor: str,
    ) -> None:
        """
        Replace the policy; its id, webhooks and cooldown clock stay.

        :raises NoSuchPolicyError: unknown.
        :raises ValidationError: it would turn from a schedule policy into a webhook policy or back.
        """

    async def delete_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId, *, actor: str
    ) -> None:
        """
        Remove the policy and its webhooks; scaling under way goes on.

        :raises NoSuchPolicyError: unknown.
        """

    async def execute_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId, *, actor: str
    ) -> Group:
        """
        Execute the policy now; durable when it returns. Return the group as changed.

        :raises GroupPausedError: paused.
        :raises NoSuchPolicyError: unknown.
        :raises CannotExecutePolicyError: cooldown, or no change (which still asks for a cycle).
        """

    async def execute_capability(self, version: str, capability: CapabilityHash) -> None:
        """
        Execute the policy behind a webhook. Whatever is refused is recorded in the group's history
        and not told to the caller; only ``StoreUnavailableError`` comes out.
        """

    async def list_webhooks(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        *,
        after: str,
        limit: int,
    ) -> Sequence[Webhook]:
        """
        Return a page of webhooks, ascending by id.

        :raises NoSuchPolicyError: unknown policy.
        """

    async def create_webhooks(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhooks: Sequence[NewWebhook],
        *,
        actor: str,
    ) -> Sequence[Webhook]:
        """
        Add webhooks, all or none; return them in the order given.

        :raises NoSuchPolicyError: unknown policy.
        :raises WebhooksOverLimitError: too many.
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

        :raises NoSuchWebhookError: unknown webhook or policy.
        """

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
        """
        Replace name and metadata; the capability stays.

        :raises NoSuchWebhookError: unknown webhook or policy.
        """

    async def delete_webhook(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        webhook_id: WebhookId,
        *,
        actor: str,
    ) -> None:
        """
        Remove the webhook; its capability URL does nothing from then on.

        :raises NoSuchWebhookError: unknown webhook or policy.
        """

    async def remove_server(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        server_id: ServerId,
        *,
        replace: bool,
        purge: bool,
        actor: str,
    ) -> None:
        """
        Take a server out of the group (rest-api.md 3.16).

        :raises ServerNotFoundError: not a member.
        :raises CannotDeleteServerBelowMinError: not replaced, and desired is at the minimum.
        """

    async def list_activities(
        self, tenant_id: TenantId, group_id: GroupId, *, before: str, limit: int
    ) -> Sequence[Activity]:
        """Return a page of the group's history, newest first."""

    async def notify_secret(self, tenant_id: TenantId, group_id: GroupId) -> str:
        """Return the key that signs what this group sends to its owner's own webhooks."""
