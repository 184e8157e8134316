"""Histories, and forgetting what is too old to matter."""

from collections.abc import Sequence
from datetime import datetime
from heapq import nlargest

from otter.models.activity import Activity
from otter.models.ids import GroupId, TenantId
from otter.models.memory.tables import Tables


class HistoryTables(Tables):
    """The part of the store that is about what happened."""

    async def add_activities(self, activities: Sequence[Activity]) -> None:
        """Append to histories."""
        self._record(activities)

    async def list_activities(
        self, tenant_id: TenantId, group_id: GroupId, *, before: str = "", limit: int = 100
    ) -> Sequence[Activity]:
        """Return a page, newest first."""
        history = self._activities.get((tenant_id, group_id), {})
        older = (key for key in history if not before or key < before)
        return [history[key] for key in nlargest(limit, older)]

    async def prune(self, *, before: datetime, keep_activities: int) -> None:
        """Forget old ends and old or too many activities."""
        for entries in self._ended.values():
            for entry in [entry for entry in entries.values() if entry.changed < before]:
                del entries[entry.instance_id]
        for history in self._activities.values():
            kept = set(nlargest(keep_activities, history))
            for key in [k for k, item in history.items() if k not in kept or item.at < before]:
                del history[key]
