"""Calls that scale: execute a policy, by name or by capability; take a server out."""

from datetime import datetime
from hmac import compare_digest
from math import ceil

from twisted.internet.defer import CancelledError

from otter.controller import deciding
from otter.controller.calls import Calls
from otter.controller.errors import (
    CannotExecutePolicyError,
    NoSuchScalingGroupError,
    RefusedError,
)
from otter.controller.folding import Proposal
from otter.controller.history import record
from otter.models import errors as stored
from otter.models.activity import ActivityKind
from otter.models.group import Group
from otter.models.ids import CapabilityHash, GroupId, PolicyId, ServerId, TenantId
from otter.models.interface import Execution, LedgerWrite
from otter.models.ledger import Ledger
from otter.models.policy import Policy

CAPABILITY_VERSION = "1"
"""The only version of capability URLs there has been."""

NO_SECRET = b"-" * 64
"""What a secret that nobody has is compared with; none looks like this."""


def propose_execution(
    group: Group, policy_id: PolicyId, policy: Policy | None, now: datetime, *, actor: str
) -> Proposal:
    """
    Return what an execution makes of the group, with its line of history.

    A refused one leaves a line too. One that would change nothing is refused, yet marks the group,
    so that servers lost out of band are replaced (rest-api.md 3.14).
    """
    name = policy.name if policy is not None else None
    try:
        changed = deciding.execute(group, policy_id, policy, now)
    except RefusedError as refusal:
        left = refusal.retry_after if isinstance(refusal, CannotExecutePolicyError) else None
        heals = isinstance(refusal, CannotExecutePolicyError) and left is None
        line = record(
            group.tenant_id,
            group.group_id,
            now,
            ActivityKind.REFUSED,
            actor=actor,
            reason=str(refusal),
            error=type(refusal).__name__,
            policy_id=policy_id,
            policy_name=name,
            desired_before=group.desired,
            desired_after=group.desired,
            retry_after_seconds=None if left is None else ceil(left.total_seconds()),
        )
        return Proposal(group, writes=heals, mark=heals, activities=(line,), refusal=refusal)
    line = record(
        group.tenant_id,
        group.group_id,
        now,
        ActivityKind.EXECUTED,
        actor=actor,
        reason=f"policy {name} changed the desired capacity "
        f"from {group.desired} to {changed.desired}",
        policy_id=policy_id,
        policy_name=name,
        desired_before=group.desired,
        desired_after=changed.desired,
    )
    return Proposal(changed, mark=True, activities=(line,))


class ExecutionCalls(Calls):
    """What changes the desired capacity, or the members, at once."""

    async def execute_policy(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        *,
        actor: str,
        found: Execution | None = None,
    ) -> Group:
        """
        Execute the policy now; durable when it returns.

        The policy is read before the group is, but whether it exists is told last. ``found`` has
        it from those who have read it already.
        """
        policy: Policy | None
        try:
            policy = (
                found.policy
                if found is not None
                else await self._store.get_policy(tenant_id, group_id, policy_id)
            )
        except stored.NoSuchPolicyError:
            policy = None
        return await self._writer.submit(
            tenant_id,
            group_id,
            lambda group, now: propose_execution(group, policy_id, policy, now, actor=actor),
        )

    async def execute_capability(self, version: str, capability: CapabilityHash) -> None:
        """Execute the policy behind a webhook; only the history tells what came of it."""
        if version != CAPABILITY_VERSION:
            return
        execution = await self._find_execution(capability)
        if execution is None:
            # Counted by operators: a burst of these may be webhooks lost, not webhooks deleted.
            self.log.info("capability.unknown")
            return
        await self._execute_found(execution)

    async def _find_execution(self, capability: CapabilityHash) -> Execution | None:
        """
        Return what this secret executes, if it is anybody's.

        It is looked up by digest. What is found is compared once more, in constant time, so that
        no store decides by an ordinary comparison; a wrong secret is compared just the same.
        """
        sent = capability.encode("utf-8", "surrogatepass")
        try:
            found = await self._store.find_execution(capability)
        except stored.NoSuchWebhookError:
            found = None
        kept = NO_SECRET if found is None else found.webhook.capability.encode("ascii")
        return found if compare_digest(kept, sent) else None

    async def _execute_found(self, found: Execution) -> None:
        webhook = found.webhook
        try:
            await self.execute_policy(
                webhook.tenant_id,
                webhook.group_id,
                webhook.policy_id,
                actor=f"webhook {webhook.webhook_id}",
                found=found,
            )
        except NoSuchScalingGroupError:
            self.log.info("capability.orphaned {webhook_id}", webhook_id=webhook.webhook_id)
        except RefusedError:
            pass  # the history has it
        except (stored.StoreUnavailableError, CancelledError):
            raise
        except Exception:  # noqa: BLE001 - whoever hit the URL is never told (rest-api.md 3.15)
            self.log.failure("capability.failed {webhook_id}", webhook_id=webhook.webhook_id)

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
        """Record that the server is to leave; the supervisor sees to it."""

        def decide(group: Group, ledger: Ledger, now: datetime) -> Proposal:
            changed, entry = deciding.remove_server(
                group, ledger, server_id, replace=replace, purge=purge
            )
            line = record(
                tenant_id,
                group_id,
                now,
                ActivityKind.SERVER_REMOVED,
                actor=actor,
                reason=f"server {server_id} to be {'deleted' if purge else 'released'}"
                f"{' and replaced' if replace else ''}",
                server_id=server_id,
                replace=replace,
                purge=purge,
                desired_before=group.desired,
                desired_after=changed.desired,
            )
            return Proposal(
                changed,
                mark=not group.paused,
                activities=(line,),
                ledger=LedgerWrite(ledger.convergence, (entry,)),
            )

        await self._writer.submit_on_ledger(tenant_id, group_id, decide)
