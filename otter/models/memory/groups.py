"""Groups and their dirty marks."""

from collections.abc import Sequence

from attrs import evolve

from otter.models.activity import Activity
from otter.models.errors import ConflictError, OverLimitError
from otter.models.group import DirtyMark, Group
from otter.models.ids import GroupId, TenantId
from otter.models.interface import LedgerWrite
from otter.models.ledger import Convergence
from otter.models.memory.policies import PolicyTables
from otter.models.memory.tables import page
from otter.models.policy import Policy


class GroupTables(PolicyTables):
    """The part of the store that is about groups."""

    async def create_group(
        self,
        group: Group,
        policies: Sequence[Policy],
        *,
        max_groups: int,
        activities: Sequence[Activity] = (),
    ) -> None:
        """Add the group unless its id is taken or the tenant has its fill."""
        key = (group.tenant_id, group.group_id)
        groups = self._groups[group.tenant_id]
        if group.group_id in groups:
            raise ConflictError(f"group {group.group_id} exists")
        if sum(not other.deleting for other in groups.values()) >= max_groups:
            raise OverLimitError("groups", max_groups)
        groups[group.group_id] = group
        self._convergences[key] = Convergence(group.tenant_id, group.group_id)
        self._marks[key] = DirtyMark(group.tenant_id, group.group_id, group.generation)
        self._policies[key].update({policy.policy_id: policy for policy in policies})
        self._record(activities)

    async def get_group(self, tenant_id: TenantId, group_id: GroupId) -> Group:
        """Return the group."""
        return self._group(tenant_id, group_id)

    async def list_groups(
        self, tenant_id: TenantId, *, after: str = "", limit: int = 100
    ) -> Sequence[Group]:
        """Return a page of groups that are not being deleted."""
        groups = self._groups.get(tenant_id, {})
        return page({key: g for key, g in groups.items() if not g.deleting}, after, limit)

    async def list_tenants(self, *, after: str = "", limit: int = 100) -> Sequence[TenantId]:
        """Return a page of tenants that left a trace."""
        tenants = {tenant: tenant for tenant, groups in self._groups.items() if groups}
        for table in (self._live, self._ended):
            tenants |= {tenant: tenant for (tenant, _), entries in table.items() if entries}
        return page(tenants, after, limit)

    async def list_group_ids(
        self, tenant_id: TenantId, *, after: str = "", limit: int = 100
    ) -> Sequence[GroupId]:
        """Return a page of ids of all groups."""
        return page({key: key for key in self._groups.get(tenant_id, {})}, after, limit)

    async def update_group(
        self,
        group: Group,
        *,
        mark: bool,
        ledger: LedgerWrite | None = None,
        activities: Sequence[Activity] = (),
    ) -> Group:
        """Replace the group, with its mark and both halves at once."""
        if self._group(group.tenant_id, group.group_id).generation != group.generation:
            raise ConflictError(f"group {group.group_id} has moved on")
        if ledger is not None:
            self._check_ledger(ledger)
            self._apply_ledger(ledger)
        stored = evolve(group, generation=group.generation + 1)
        self._groups[stored.tenant_id][stored.group_id] = stored
        if mark:
            key = (stored.tenant_id, stored.group_id)
            self._marks[key] = DirtyMark(*key, stored.generation)
        self._record(activities)
        return stored

    async def remove_group(self, group: Group) -> None:
        """Forget a group that is deleting, unchanged and empty."""
        key = (group.tenant_id, group.group_id)
        stored = self._group(*key)
        if stored.generation != group.generation:
            raise ConflictError(f"group {group.group_id} has moved on")
        if not stored.deleting:
            raise ConflictError(f"group {group.group_id} is not being deleted")
        if self._live[key]:
            raise ConflictError(f"group {group.group_id} still has servers")
        for policy_id in self._policies.pop(key, {}):
            self._forget_policy((*key, policy_id))
        for timer in [timer for timer in self._schedules if timer[:2] == key]:
            del self._schedules[timer]
        del self._groups[group.tenant_id][group.group_id]
        del self._convergences[key]
        self._marks.pop(key, None)

    async def list_dirty(self, *, after: str = "", limit: int = 100) -> Sequence[DirtyMark]:
        """Return a page of marks."""
        marks = sorted(self._marks.values(), key=lambda mark: (mark.group_id, mark.tenant_id))
        return [mark for mark in marks if mark.group_id > after][:limit]

    async def clear_dirty(self, mark: DirtyMark) -> bool:
        """Remove the mark unless a later one has taken its place."""
        stored = self._marks.get((mark.tenant_id, mark.group_id))
        if stored is not None and stored.generation > mark.generation:
            return False
        self._marks.pop((mark.tenant_id, mark.group_id), None)
        return True
