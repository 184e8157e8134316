"""Calls on groups: create, look, change, pause, delete."""

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from otter.controller import deciding
from otter.controller.calls import Calls, refusing
from otter.controller.errors import PoliciesOverLimitError
from otter.controller.folding import Proposal
from otter.controller.history import record
from otter.controller.interface import GroupView, NewLaunch, NewPolicy
from otter.controller.policies import make_policies
from otter.controller.viewing import read_view, read_views
from otter.models.activity import Activity, ActivityKind
from otter.models.group import Group, GroupConfig
from otter.models.ids import GroupId, TenantId, new_uuid
from otter.models.policy import Policy
from otter.models.signing import notify_key


class GroupCalls(Calls):
    """What can be done to a group as a whole."""

    async def create_group(
        self,
        tenant_id: TenantId,
        config: GroupConfig,
        launch: NewLaunch,
        policies: Sequence[NewPolicy],
        *,
        actor: str,
    ) -> tuple[Group, Sequence[Policy]]:
        """Create a group that wants its minimum, and let it converge."""
        deciding.check_bounds(config)
        group = Group(
            tenant_id=tenant_id,
            group_id=GroupId(new_uuid()),
            config=config,
            launch=deciding.storable_launch(launch, version=1),
            created=self._now(),
            desired=config.min_entities,
        )
        if len(policies) > self.limits.max_policies_per_group:
            raise PoliciesOverLimitError(
                f"no more than {self.limits.max_policies_per_group} policies in a group"
            )
        made = make_policies(tenant_id, group.group_id, policies)
        activity = _about(
            group,
            group.created,
            ActivityKind.CREATED,
            actor,
            f"created, wanting {group.desired} servers",
            desired_after=group.desired,
            policies=len(made),
        )
        with refusing(tenant_id, group.group_id):
            await self._store.create_group(
                group, made, max_groups=self.limits.max_groups, activities=[activity]
            )
        self._notifier.tell(tenant_id, group.group_id)
        return group, made

    async def list_groups(
        self, tenant_id: TenantId, *, after: str, limit: int
    ) -> Sequence[GroupView]:
        """Return a page of groups with what is to be shown of their servers."""
        groups = await self._store.list_groups(tenant_id, after=after, limit=limit)
        return await read_views(self._store, groups)

    async def get_group(self, tenant_id: TenantId, group_id: GroupId) -> GroupView:
        """Return the group with what is to be shown of its servers."""
        return await read_view(self._store, await self._live_group(tenant_id, group_id))

    async def delete_group(
        self, tenant_id: TenantId, group_id: GroupId, *, force: bool, actor: str
    ) -> None:
        """Hide the group; the supervisor drains and removes it."""

        def decide(group: Group, now: datetime) -> Proposal:
            deleted = deciding.delete(group, force=force)
            activity = _about(
                group,
                now,
                ActivityKind.DELETED,
                actor,
                "deleted by force" if force else "deleted",
                desired_before=group.desired,
                desired_after=deleted.desired,
            )
            return Proposal(deleted, mark=True, activities=(activity,))

        await self._writer.submit(tenant_id, group_id, decide)

    async def set_config(
        self, tenant_id: TenantId, group_id: GroupId, config: GroupConfig, *, actor: str
    ) -> None:
        """
        Replace the config; converges even if nothing changed, but while paused not until resumed.
        """

        def decide(group: Group, now: datetime) -> Proposal:
            changed = deciding.apply_config(group, config)
            activity = _about(
                group,
                now,
                ActivityKind.CONFIG,
                actor,
                "config replaced",
                desired_before=group.desired,
                desired_after=changed.desired,
                min_entities=config.min_entities,
                max_entities=config.max_entities,
                cooldown=config.cooldown,
            )
            return Proposal(changed, mark=not group.paused, activities=(activity,))

        deciding.check_bounds(config)
        await self._writer.submit(tenant_id, group_id, decide)

    async def set_launch(
        self, tenant_id: TenantId, group_id: GroupId, launch: NewLaunch, *, actor: str
    ) -> None:
        """Replace the launch config; only servers made from now on use it."""

        def decide(group: Group, now: datetime) -> Proposal:
            changed = deciding.apply_launch(group, launch)
            activity = _about(
                group,
                now,
                ActivityKind.LAUNCH,
                actor,
                "launch config replaced",
                version=changed.launch.version,
            )
            return Proposal(changed, activities=(activity,))

        await self._writer.submit(tenant_id, group_id, decide)

    async def pause(self, tenant_id: TenantId, group_id: GroupId, *, actor: str) -> None:
        """Stop all converging; nothing to write if it is paused already."""

        def decide(group: Group, now: datetime) -> Proposal:
            if group.paused:
                return Proposal(group, writes=False)
            activity = _about(group, now, ActivityKind.PAUSED, actor, "paused")
            return Proposal(evolve(group, paused=True), activities=(activity,))

        await self._writer.submit(tenant_id, group_id, decide)

    async def resume(self, tenant_id: TenantId, group_id: GroupId, *, actor: str) -> None:
        """Let it converge again, and ask for a cycle even if it was not paused."""

        def decide(group: Group, now: datetime) -> Proposal:
            activities: tuple[Activity, ...] = ()
            if group.paused:
                activities = (_about(group, now, ActivityKind.RESUMED, actor, "resumed"),)
            return Proposal(evolve(group, paused=False), mark=True, activities=activities)

        await self._writer.submit(tenant_id, group_id, decide)

    async def set_suspended(
        self, tenant_id: TenantId, group_id: GroupId, *, suspended: bool, actor: str
    ) -> bool:
        """Flag or unflag the group; nothing to write if it is so already."""
        changed = False

        def decide(group: Group, now: datetime) -> Proposal:
            nonlocal changed
            changed = group.suspended != suspended
            if not changed:
                return Proposal(group, writes=False)
            kind = ActivityKind.SUSPENDED if suspended else ActivityKind.UNSUSPENDED
            reason = "suspended" if suspended else "no longer suspended"
            activity = _about(group, now, kind, actor, reason)
            flagged = evolve(group, suspended=suspended)
            return Proposal(flagged, mark=not suspended, activities=(activity,))

        await self._writer.submit(tenant_id, group_id, decide)
        return changed

    async def converge(self, tenant_id: TenantId, group_id: GroupId, *, actor: str) -> None:
        """Mark the group, changing nothing."""

        def decide(group: Group, now: datetime) -> Proposal:
            deciding.check_may_converge(group)
            activity = _about(group, now, ActivityKind.CONVERGE, actor, "asked to converge")
            return Proposal(group, mark=True, activities=(activity,))

        await self._writer.submit(tenant_id, group_id, decide)

    async def list_activities(
        self, tenant_id: TenantId, group_id: GroupId, *, before: str, limit: int
    ) -> Sequence[Activity]:
        """Return a page of the group's history, newest first."""
        await self._live_group(tenant_id, group_id)
        return await self._store.list_activities(tenant_id, group_id, before=before, limit=limit)

    async def notify_secret(self, tenant_id: TenantId, group_id: GroupId) -> str:
        """Return the group's key, which follows from the deployment's secret."""
        await self._live_group(tenant_id, group_id)
        return notify_key(self._deployment.secret, group_id)


def _about(
    group: Group, now: datetime, kind: ActivityKind, actor: str, reason: str, **details: object
) -> Activity:
    return record(group.tenant_id, group.group_id, now, kind, actor=actor, reason=reason, **details)
