"""Histories, and forgetting what is too old to matter."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from sqlite3 import Connection

from attrs import frozen

from otter.models.activity import Activity
from otter.models.codec import Codec, time_text
from otter.models.ids import GroupId, TenantId
from otter.models.sqlite.base import SQLiteTables

Row = tuple[object, ...]

STEP = 500
"""The most rows that one transaction of a sweep removes, so that calls are not kept waiting."""

PAGE = 100
"""The most groups that one read of a sweep looks at."""


@frozen
class Surplus:
    """The newest of a group's activities that are too many."""

    tenant_id: TenantId
    group_id: GroupId
    activity_id: str


class HistoryTables(SQLiteTables):
    """The part of the store that is about what happened."""

    async def add_activities(self, activities: Sequence[Activity]) -> None:
        """Append to histories."""
        await self._write(partial(insert_activities, activity_rows(self._codec, activities)))

    async def list_activities(
        self, tenant_id: TenantId, group_id: GroupId, *, before: str = "", limit: int = 100
    ) -> Sequence[Activity]:
        """Return a page, newest first."""
        if not before:
            return await self._records(
                Activity,
                "SELECT body FROM activities WHERE tenant_id = ? AND group_id = ?"
                " ORDER BY activity_id DESC LIMIT ?",
                *(tenant_id, group_id, limit),
            )
        return await self._records(
            Activity,
            "SELECT body FROM activities WHERE tenant_id = ? AND group_id = ? AND activity_id < ?"
            " ORDER BY activity_id DESC LIMIT ?",
            *(tenant_id, group_id, before, limit),
        )

    async def prune(self, *, before: datetime, keep_activities: int) -> None:
        """Forget old ends and old or too many activities, a few in each transaction."""
        for sweep in (_delete_ended, _delete_old):
            while await self._write(partial(sweep, time_text(before))) == STEP:
                pass
        after: tuple[str, str] | None = ("", "")
        while after is not None:
            surplus, after = await self._read(partial(_find_surplus, after, keep_activities))
            for found in surplus:
                while await self._write(partial(_delete_surplus, found)) == STEP:
                    pass


def activity_rows(codec: Codec, activities: Sequence[Activity]) -> list[Row]:
    """Return what ``insert_activities`` inserts."""
    return [
        (a.tenant_id, a.group_id, a.activity_id, time_text(a.at), codec.encode(a))
        for a in activities
    ]


def insert_activities(rows: Sequence[Row], connection: Connection) -> None:
    """Append to histories; the same activity twice counts once."""
    connection.executemany("INSERT OR REPLACE INTO activities VALUES (?, ?, ?, ?, ?)", rows)


def _delete_ended(before: str, connection: Connection) -> int:
    return connection.execute(
        "DELETE FROM entries WHERE rowid IN"
        " (SELECT rowid FROM entries WHERE live = 0 AND changed < ? LIMIT ?)",
        (before, STEP),
    ).rowcount


def _delete_old(before: str, connection: Connection) -> int:
    return connection.execute(
        "DELETE FROM activities WHERE (tenant_id, group_id, activity_id) IN"
        " (SELECT tenant_id, group_id, activity_id FROM activities WHERE at < ? LIMIT ?)",
        (before, STEP),
    ).rowcount


def _find_surplus(
    after: tuple[str, str], keep: int, connection: Connection
) -> tuple[list[Surplus], tuple[str, str] | None]:
    """Return what is too many in a page of groups, and after which group the next page begins."""
    surplus: list[Surplus] = []
    for _ in range(PAGE):
        group = connection.execute(
            "SELECT tenant_id, group_id FROM activities WHERE (tenant_id, group_id) > (?, ?)"
            " ORDER BY tenant_id, group_id LIMIT 1",
            after,
        ).fetchone()
        if group is None:
            return surplus, None
        newest = connection.execute(
            "SELECT activity_id FROM activities WHERE tenant_id = ? AND group_id = ?"
            " ORDER BY activity_id DESC LIMIT 1 OFFSET ?",
            (*group, keep),
        ).fetchone()
        if newest is not None:
            surplus.append(Surplus(*group, *newest))
        after = group
    return surplus, after


def _delete_surplus(surplus: Surplus, connection: Connection) -> int:
    return connection.execute(
        "DELETE FROM activities WHERE (tenant_id, group_id, activity_id) IN"
        " (SELECT tenant_id, group_id, activity_id FROM activities"
        "  WHERE tenant_id = ? AND group_id = ? AND activity_id <= ? LIMIT ?)",
        (surplus.tenant_id, surplus.group_id, surplus.activity_id, STEP),
    ).rowcount
