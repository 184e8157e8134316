"""
Groups and their dirty marks.

A mark is a column of its group's row: it costs a burst of webhooks no second statement, and it can
neither outlive the group nor be written without it.
"""

from collections.abc import Sequence
from functools import partial
from sqlite3 import Connection

from attrs import evolve, frozen

from otter.models.activity import Activity
from otter.models.codec import Codec
from otter.models.errors import ConflictError, NoSuchGroupError, OverLimitError
from otter.models.group import DirtyMark, Group
from otter.models.ids import GroupId, TenantId
from otter.models.interface import LedgerWrite
from otter.models.ledger import Convergence
from otter.models.policy import Policy
from otter.models.sqlite.base import SQLiteTables
from otter.models.sqlite.history import Row, activity_rows, insert_activities
from otter.models.sqlite.ledger import LedgerRows, apply_ledger, group_exists, ledger_rows
from otter.models.sqlite.policies import insert_policies, policy_rows


@frozen
class GroupRow:
    """A group as it goes into its table."""

    tenant_id: TenantId
    group_id: GroupId
    generation: int
    deleting: bool
    marked: int | None
    body: str


class GroupTables(SQLiteTables):
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
        convergence = Convergence(group.tenant_id, group.group_id)
        await self._write(
            partial(
                _create,
                _group_row(self._codec, group, mark=True),
                self._codec.encode(convergence),
                policy_rows(self._codec, policies),
                activity_rows(self._codec, activities),
                max_groups,
            )
        )

    async def get_group(self, tenant_id: TenantId, group_id: GroupId) -> Group:
        """Return the group."""
        found = await self._records(
            Group,
            "SELECT body FROM groups WHERE tenant_id = ? AND group_id = ?",
            *(tenant_id, group_id),
        )
        if not found:
            raise _no_group(tenant_id, group_id)
        return found[0]

    async def list_groups(
        self, tenant_id: TenantId, *, after: str = "", limit: int = 100
    ) -> Sequence[Group]:
        """Return a page of groups that are not being deleted."""
        return await self._records(
            Group,
            "SELECT body FROM groups WHERE deleting = 0 AND tenant_id = ?"
            " AND group_id > ? ORDER BY group_id LIMIT ?",
            *(tenant_id, after, limit),
        )

    async def list_tenants(self, *, after: str = "", limit: int = 100) -> Sequence[TenantId]:
        """Return a page of tenants that left a trace."""
        return await self._read(partial(_tenants, after, limit))

    async def list_group_ids(
        self, tenant_id: TenantId, *, after: str = "", limit: int = 100
    ) -> Sequence[GroupId]:
        """Return a page of ids of all groups."""
        return await self._read(partial(_group_ids, tenant_id, after, limit))

    async def update_group(
        self,
        group: Group,
        *,
        mark: bool,
        ledger: LedgerWrite | None = None,
        activities: Sequence[Activity] = (),
    ) -> Group:
        """Replace the group, with its mark and both halves at once."""
        stored = evolve(group, generation=group.generation + 1)
        row = _group_row(self._codec, stored, mark=mark)
        rows = None if ledger is None else ledger_rows(self._codec, ledger)
        history = activity_rows(self._codec, activities)
        await self._write(partial(_update, row, rows, history))
        return stored

    async def remove_group(self, group: Group) -> None:
        """Forget a group that is deleting, unchanged and empty."""
        await self._write(partial(_remove, group.tenant_id, group.group_id, group.generation))

    async def list_dirty(self, *, after: str = "", limit: int = 100) -> Sequence[DirtyMark]:
        """Return a page of marks."""
        return await self._read(partial(_marks, after, limit))

    async def clear_dirty(self, mark: DirtyMark) -> bool:
        """Remove the mark unless a later one has taken its place."""
        return await self._write(partial(_clear, mark))


def _no_group(tenant_id: TenantId, group_id: GroupId) -> NoSuchGroupError:
    return NoSuchGroupError(f"no group {group_id} of tenant {tenant_id}")


def _group_row(codec: Codec, group: Group, *, mark: bool) -> GroupRow:
    return GroupRow(
        tenant_id=group.tenant_id,
        group_id=group.group_id,
        generation=group.generation,
        deleting=group.deleting,
        marked=group.generation if mark else None,
        body=codec.encode(group),
    )


def _create(
    row: GroupRow,
    convergence: str,
    policies: Sequence[Row],
    activities: Sequence[Row],
    max_groups: int,
    connection: Connection,
) -> None:
    key = (row.tenant_id, row.group_id)
    if group_exists(*key, connection):
        raise ConflictError(f"group {row.group_id} exists")
    (count,) = connection.execute(
        "SELECT count(*) FROM groups WHERE deleting = 0 AND tenant_id = ?", (row.tenant_id,)
    ).fetchone()
    if count >= max_groups:
        raise OverLimitError("groups", max_groups)
    connection.execute(
        "INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?)",
        (*key, row.generation, row.deleting, row.marked, row.body),
    )
    connection.execute("INSERT INTO convergences VALUES (?, ?, 0, ?)", (*key, convergence))
    insert_policies(policies, connection)
    insert_activities(activities, connection)


def _update(
    row: GroupRow, ledger: LedgerRows | None, activities: Sequence[Row], connection: Connection
) -> None:
    updated = connection.execute(
        "UPDATE groups SET generation = ?, deleting = ?, marked = ifnull(?, marked), body = ?"
        " WHERE tenant_id = ? AND group_id = ? AND generation = ?",
        (
            *(row.generation, row.deleting, row.marked, row.body),
            *(row.tenant_id, row.group_id, row.generation - 1),
        ),
    )
    if updated.rowcount == 0:
        if group_exists(row.tenant_id, row.group_id, connection):
            raise ConflictError(f"group {row.group_id} has moved on")
        raise _no_group(row.tenant_id, row.group_id)
    if ledger is not None:
        apply_ledger(ledger, connection)
    if activities:
        insert_activities(activities, connection)


def _remove(
    tenant_id: TenantId, group_id: GroupId, generation: int, connection: Connection
) -> None:
    key = (tenant_id, group_id)
    stored = connection.execute(
        "SELECT generation, deleting FROM groups WHERE tenant_id = ? AND group_id = ?", key
    ).fetchone()
    if stored is None:
        raise _no_group(tenant_id, group_id)
    if stored != (generation, 1):
        raise ConflictError(f"group {group_id} has moved on or is not being deleted")
    live = connection.execute(
        "SELECT 1 FROM entries WHERE live = 1 AND tenant_id = ? AND group_id = ? LIMIT 1", key
    )
    if live.fetchone() is not None:
        raise ConflictError(f"group {group_id} still has servers")
    connection.execute("DELETE FROM groups WHERE tenant_id = ? AND group_id = ?", key)
    connection.execute("DELETE FROM convergences WHERE tenant_id = ? AND group_id = ?", key)
    connection.execute("DELETE FROM policies WHERE tenant_id = ? AND group_id = ?", key)
    connection.execute("DELETE FROM webhooks WHERE tenant_id = ? AND group_id = ?", key)
    connection.execute("DELETE FROM schedules WHERE tenant_id = ? AND group_id = ?", key)


def _tenants(after: str, limit: int, connection: Connection) -> list[TenantId]:
    """Step from tenant to tenant, never over all of one tenant's rows."""
    tenants: list[TenantId] = []
    while len(tenants) < limit:
        (found,) = connection.execute(
            "SELECT min(tenant_id) FROM ("
            "SELECT (SELECT tenant_id FROM groups WHERE tenant_id > ?1"
            "  ORDER BY tenant_id LIMIT 1) AS tenant_id"
            " UNION ALL SELECT (SELECT tenant_id FROM entries WHERE tenant_id > ?1"
            "  ORDER BY tenant_id LIMIT 1))",
            (after,),
        ).fetchone()
        if found is None:
            break
        tenants.append(found)
        after = found
    return tenants


def _group_ids(
    tenant_id: TenantId, after: str, limit: int, connection: Connection
) -> list[GroupId]:
    rows = connection.execute(
        "SELECT group_id FROM groups WHERE tenant_id = ? AND group_id > ?"
        " ORDER BY group_id LIMIT ?",
        (tenant_id, after, limit),
    )
    return [group_id for (group_id,) in rows]


def _marks(after: str, limit: int, connection: Connection) -> list[DirtyMark]:
    rows = connection.execute(
        "SELECT tenant_id, group_id, marked FROM groups WHERE marked IS NOT NULL"
        " AND group_id > ? ORDER BY group_id, tenant_id LIMIT ?",
        (after, limit),
    )
    return [DirtyMark(*row) for row in rows]


def _clear(mark: DirtyMark, connection: Connection) -> bool:
    key = (mark.tenant_id, mark.group_id)
    connection.execute(
        "UPDATE groups SET marked = NULL WHERE tenant_id = ? AND group_id = ? AND marked <= ?",
        (*key, mark.generation),
    )
    left = connection.execute(
        "SELECT 1 FROM groups WHERE tenant_id = ? AND group_id = ? AND marked IS NOT NULL", key
    )
    return left.fetchone() is None
