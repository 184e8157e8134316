"""Count what the roles do, by standing around them: executions and messages to customers."""

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from otter.bus.interface import Bus
from otter.cloud.errors import CloudError
from otter.cloud.interface import Messenger
from otter.controller.errors import (
    CannotExecutePolicyError,
    GroupPausedError,
    NoSuchPolicyError,
    NoSuchScalingGroupError,
    RefusedError,
    TenantSuspendedError,
)
from otter.controller.interface import Limits
from otter.controller.service import OtterController
from otter.metrics import Metrics
from otter.models.activity import Deployment
from otter.models.errors import StoreUnavailableError
from otter.models.group import Group
from otter.models.ids import GroupId, PolicyId, TenantId
from otter.models.interface import Execution, Store

REFUSALS: dict[type[Exception], str] = {
    CannotExecutePolicyError: "no_change",
    GroupPausedError: "paused",
    NoSuchPolicyError: "unknown",
    NoSuchScalingGroupError: "unknown",
    RefusedError: "refused",
    StoreUnavailableError: "unavailable",
    TenantSuspendedError: "suspended",
}
"""What the metrics call the reasons for which a policy was not executed."""

SOURCES = {"user": "api", "webhook": "webhook", "schedule": "schedule"}
"""What they call whoever executed it, by the first word of the actor."""


def reason_of(error: Exception) -> str:
    """Return what the metrics call ``error``."""
    if isinstance(error, CannotExecutePolicyError) and error.retry_after is not None:
        return "cooldown"
    return next((REFUSALS[kind] for kind in type(error).__mro__ if kind in REFUSALS), "failed")


class MeteredController(OtterController):
    """A controller that counts executions, those of webhooks among them."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        clock: IReactorTime,
        limits: Limits,
        deployment: Deployment,
        metrics: Metrics,
    ) -> None:
        super().__init__(store, bus, clock, limits, deployment)
        self._metrics = metrics

    async def execute_policy(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        *,
        actor: str,
        found: Execution | None = None,
    ) -> Group:
        """Execute the policy and count what came of it."""
        source = SOURCES.get(actor.partition(" ")[0], "other")
        try:
            group = await super().execute_policy(
                tenant_id, group_id, policy_id, actor=actor, found=found
            )
        except Exception as error:
            self._metrics.execution(source, reason_of(error))
            raise
        self._metrics.execution(source, "accepted")
        return group


@frozen
class MeteredMessenger:
    """A messenger that counts deliveries."""

    messenger: Messenger
    metrics: Metrics

    async def deliver(
        self, url: str, *, message_id: str, event: str, body: bytes, group_id: GroupId
    ) -> None:
        """See ``Messenger``."""
        try:
            await self.messenger.deliver(
                url, message_id=message_id, event=event, body=body, group_id=group_id
            )
        except CloudError:
            self.metrics.notification("failed")
            raise
        self.metrics.notification("delivered")
