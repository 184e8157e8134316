"""What the families of calls share: the store, the clock, and how a store's no becomes ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from otter.bus.interface import Bus
from otter.controller.combining import GroupWriter
from otter.controller.errors import (
    PoliciesOverLimitError,
    ScalingGroupOverLimitError,
    WebhooksOverLimitError,
)
from otter.controller.interface import Limits
from otter.controller.notifying import Notifier
from otter.controller.wording import (
    no_such_group,
    no_such_policy,
    no_such_webhook,
)
from otter.models import errors as stored
from otter.models.activity import Deployment
from otter.models.group import Group
from otter.models.ids import GroupId, PolicyId, TenantId, WebhookId
from otter.models.interface import Store
from otter.models.policy import Policy
from otter.timing import utc_now

OVER_LIMIT = {
    "groups": ScalingGroupOverLimitError,
    "policies": PoliciesOverLimitError,
    "webhooks": WebhooksOverLimitError,
}
"""Refusals by what a store says is limited."""


@contextmanager
def refusing(
    tenant_id: TenantId,
    group_id: GroupId,
    policy_id: PolicyId | None = None,
    webhook_id: WebhookId | None = None,
) -> Iterator[None]:
    """Turn what the store says no with into the refusal that names the ids of the call."""
    policy = policy_id or PolicyId("")
    try:
        yield
    except stored.NoSuchGroupError:
        raise no_such_group(tenant_id, group_id) from None
    except stored.NoSuchPolicyError:
        raise no_such_policy(tenant_id, group_id, policy) from None
    except stored.NoSuchWebhookError:
        webhook = webhook_id or WebhookId("")
        raise no_such_webhook(tenant_id, group_id, policy, webhook) from None
    except stored.OverLimitError as error:
        raise OVER_LIMIT[error.what](f"{error} (tenant {tenant_id})") from None


class Calls:
    """
    The tools of every family of calls.

    :param store: keeps everything.
    :param bus: carries notices to the supervisor.
    :param clock: tells the time.
    :param limits: how much one tenant may have.
    :param deployment: whose secret signs messages to customers.
    """

    log = Logger()

    def __init__(
        self,
        store: Store,
        bus: Bus,
        clock: IReactorTime,
        limits: Limits,
        deployment: Deployment,
    ) -> None:
        self.limits = limits
        self._store = store
        self._clock = clock
        self._deployment = deployment
        self._notifier = Notifier(bus, clock)
        self._writer = GroupWriter(store, clock, self._notifier)

    def _now(self) -> datetime:
        return utc_now(self._clock)

    async def _live_group(self, tenant_id: TenantId, group_id: GroupId) -> Group:
        """
        Return the group.

        :raises NoSuchScalingGroupError: unknown, or being deleted.
        """
        with refusing(tenant_id, group_id):
            group = await self._store.get_group(tenant_id, group_id)
        if group.deleting:
            raise no_such_group(tenant_id, group_id)
        return group

    async def _find_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
    ) -> Policy:
        """
        Return the policy of a live group.

        :raises NoSuchScalingGroupError: no such group, which is told first.
        :raises NoSuchPolicyError: no such policy.
        """
        await self._live_group(tenant_id, group_id)
        with refusing(tenant_id, group_id, policy_id):
            return await self._store.get_policy(tenant_id, group_id, policy_id)
