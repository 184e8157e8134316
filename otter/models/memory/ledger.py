"""The supervisor's half of a group, and entries whose group is gone."""

from collections.abc import Sequence

from otter.models.activity import Activity
from otter.models.errors import ConflictError
from otter.models.ids import GroupId, InstanceId, TenantId
from otter.models.interface import LedgerWrite
from otter.models.ledger import Convergence, Ledger, LedgerEntry
from otter.models.memory.tables import Tables, page


class LedgerTables(Tables):
    """The part of the store that is about servers we intend or intended."""

    async def read_ledger(self, tenant_id: TenantId, group_id: GroupId) -> Ledger:
        """Return the convergence record and the entries that are not terminal."""
        self._group(tenant_id, group_id)
        key = (tenant_id, group_id)
        return Ledger(self._convergences[key], self._live.get(key, {}))

    async def write_ledger(
        self, write: LedgerWrite, *, activities: Sequence[Activity] = ()
    ) -> Convergence:
        """Write the supervisor's half unless it was overtaken."""
        self._group(write.convergence.tenant_id, write.convergence.group_id)
        self._check_ledger(write)
        stored = self._apply_ledger(write)
        self._record(activities)
        return stored

    async def get_entry(
        self, tenant_id: TenantId, group_id: GroupId, instance_id: InstanceId
    ) -> LedgerEntry | None:
        """Return the entry in whatever state."""
        key = (tenant_id, group_id)
        live = self._live.get(key, {}).get(instance_id)
        return live or self._ended.get(key, {}).get(instance_id)

    async def adopt_orphan(self, entry: LedgerEntry) -> bool:
        """Record an entry of a group that is gone, unless there is one."""
        self._refuse_if_group(entry)
        if await self.get_entry(entry.tenant_id, entry.group_id, entry.instance_id) is not None:
            return False
        self._put_entry(entry)
        return True

    async def put_orphan(self, entry: LedgerEntry) -> None:
        """Replace an entry of a group that is gone."""
        self._refuse_if_group(entry)
        if await self.get_entry(entry.tenant_id, entry.group_id, entry.instance_id) is None:
            raise ConflictError(f"no entry {entry.instance_id}")
        self._put_entry(entry)

    async def list_orphans(
        self, tenant_id: TenantId, *, after: str = "", limit: int = 100
    ) -> Sequence[LedgerEntry]:
        """Return a page of live entries whose group is gone."""
        orphans = {
            entry.instance_id: entry
            for key, entries in self._live.items()
            if key[0] == tenant_id and self._find_group(*key) is None
            for entry in entries.values()
        }
        return page(orphans, after, limit)

    def _refuse_if_group(self, entry: LedgerEntry) -> None:
        if self._find_group(entry.tenant_id, entry.group_id) is not None:
            raise ConflictError(f"group {entry.group_id} exists and has its own supervisor")
