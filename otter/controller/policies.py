"""Calls on policies: add, look, replace, remove."""

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from otter.controller import deciding
from otter.controller.calls import Calls, refusing
from otter.controller.errors import RefusedError
from otter.controller.folding import Proposal
from otter.controller.history import in_order, record
from otter.controller.interface import NewPolicy
from otter.models.activity import Activity, ActivityKind
from otter.models.errors import StoreUnavailableError
from otter.models.group import Group
from otter.models.ids import GroupId, PolicyId, TenantId, new_uuid
from otter.models.policy import Policy


def make_policies(
    tenant_id: TenantId, group_id: GroupId, policies: Sequence[NewPolicy]
) -> Sequence[Policy]:
    """Return the policies with new ids, in the order given."""
    return [
        Policy(
            tenant_id,
            group_id,
            PolicyId(new_uuid()),
            new.name,
            new.cooldown,
            new.adjustment,
            new.schedule,
        )
        for new in policies
    ]


class PolicyCalls(Calls):
    """What can be done to policies, executing excepted."""

    async def list_policies(
        self, tenant_id: TenantId, group_id: GroupId, *, after: str, limit: int
    ) -> Sequence[Policy]:
        """Return a page of policies, ascending by id."""
        await self._live_group(tenant_id, group_id)
        return await self._store.list_policies(tenant_id, group_id, after=after, limit=limit)

    async def create_policies(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policies: Sequence[NewPolicy],
        *,
        actor: str,
    ) -> Sequence[Policy]:
        """Add policies, all or none; return them in the order given."""
        await self._live_group(tenant_id, group_id)
        made = make_policies(tenant_id, group_id, policies)
        if not made:
            return made
        activities = in_order(
            [self._about_policy(policy, ActivityKind.POLICY_CREATED, actor) for policy in made]
        )
        with refusing(tenant_id, group_id):
            await self._store.create_policies(
                made, max_policies=self.limits.max_policies_per_group, activities=activities
            )
        return made

    async def get_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
    ) -> Policy:
        """Return the policy."""
        return await self._find_policy(tenant_id, group_id, policy_id)

    async def set_policy(
        self,
        tenant_id: TenantId,
        group_id: GroupId,
        policy_id: PolicyId,
        policy: NewPolicy,
        *,
        actor: str,
    ) -> None:
        """Replace the policy; its cooldown clock is the group's and stays."""
        found = await self._find_policy(tenant_id, group_id, policy_id)
        changed = deciding.apply_policy(found, policy)
        activity = self._about_policy(changed, ActivityKind.POLICY_CHANGED, actor)
        with refusing(tenant_id, group_id, policy_id):
            await self._store.update_policy(changed, activities=[activity])

    async def delete_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId, *, actor: str
    ) -> None:
        """Remove the policy, and then its cooldown clock, which nobody looks at any more."""
        found = await self._find_policy(tenant_id, group_id, policy_id)
        activity = self._about_policy(found, ActivityKind.POLICY_DELETED, actor)
        with refusing(tenant_id, group_id, policy_id):
            await self._store.delete_policy(tenant_id, group_id, policy_id, activities=[activity])
        await self._drop_clock(tenant_id, group_id, policy_id)

    async def _drop_clock(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
    ) -> None:
        """Forget when the policy last ran; a clock that stays behind harms nobody."""

        def decide(group: Group, _: datetime) -> Proposal:
            touched = group.policy_touched.discard(policy_id)
            return Proposal(
                evolve(group, policy_touched=touched), writes=policy_id in group.policy_touched
            )

        try:
            await self._writer.submit(tenant_id, group_id, decide)
        except (RefusedError, StoreUnavailableError) as error:
            self.log.info(
                "cooldown.kept {tenant_id} {group_id} {policy_id} {reason}",
                tenant_id=tenant_id,
                group_id=group_id,
                policy_id=policy_id,
                reason=str(error),
            )

    def _about_policy(self, policy: Policy, kind: ActivityKind, actor: str) -> Activity:
        verb = kind.value.split(".")[1]
        return record(
            policy.tenant_id,
            policy.group_id,
            self._now(),
            kind,
            actor=actor,
            reason=f"policy {policy.name} {verb}",
            policy_id=policy.policy_id,
            policy_name=policy.name,
        )
