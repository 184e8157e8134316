"""The supervisor's half of a group, and entries whose group is gone."""

from collections.abc import Sequence
from functools import partial
from sqlite3 import Connection

from attrs import evolve, frozen

from otter.models.activity import Activity
from otter.models.codec import Codec, time_text
from otter.models.errors import ConflictError, NoSuchGroupError
from otter.models.ids import GroupId, InstanceId, TenantId
from otter.models.interface import LedgerWrite
from otter.models.ledger import TERMINAL, Convergence, Ledger, LedgerEntry
from otter.models.sqlite.base import SQLiteTables
from otter.models.sqlite.history import Row, activity_rows, insert_activities
from otter.models.sqlite.timers import insert_notifications, notification_row


@frozen
class LedgerRows:
    """A ``LedgerWrite`` as it goes into the tables; ``revision`` is the one that was read."""

    tenant_id: TenantId
    group_id: GroupId
    revision: int
    body: str
    entries: Sequence[Row]
    notifications: Sequence[Row]


class LedgerTables(SQLiteTables):
    """The part of the store that is about servers we intend or intended."""

    async def read_ledger(self, tenant_id: TenantId, group_id: GroupId) -> Ledger:
        """Return the convergence record and the entries that are not terminal."""
        return await self._read(partial(_read, self._codec, tenant_id, group_id))

    async def write_ledger(
        self, write: LedgerWrite, *, activities: Sequence[Activity] = ()
    ) -> Convergence:
        """Write the supervisor's half unless it was overtaken."""
        rows = ledger_rows(self._codec, write)
        await self._write(partial(_write, rows, activity_rows(self._codec, activities)))
        return _next(write.convergence)

    async def get_entry(
        self, tenant_id: TenantId, group_id: GroupId, instance_id: InstanceId
    ) -> LedgerEntry | None:
        """Return the entry in whatever state."""
        found = await self._records(
            LedgerEntry,
            "SELECT body FROM entries WHERE tenant_id = ? AND group_id = ? AND instance_id = ?",
            *(tenant_id, group_id, instance_id),
        )
        return found[0] if found else None

    async def adopt_orphan(self, entry: LedgerEntry) -> bool:
        """Record an entry of a group that is gone, unless there is one."""
        return await self._write(partial(_adopt, entry_row(self._codec, entry, orphan=True)))

    async def put_orphan(self, entry: LedgerEntry) -> None:
        """Replace an entry of a group that is gone."""
        await self._write(partial(_replace, entry_row(self._codec, entry, orphan=True)))

    async def list_orphans(
        self, tenant_id: TenantId, *, after: str = "", limit: int = 100
    ) -> Sequence[LedgerEntry]:
        """Return a page of live entries whose group is gone."""
        return await self._records(
            LedgerEntry,
            "SELECT body FROM entries WHERE live = 1 AND orphan = 1"
            " AND tenant_id = ? AND instance_id > ? AND NOT EXISTS (SELECT 1 FROM groups"
            "  WHERE groups.tenant_id = entries.tenant_id AND groups.group_id = entries.group_id)"
            " ORDER BY instance_id LIMIT ?",
            *(tenant_id, after, limit),
        )


def ledger_rows(codec: Codec, write: LedgerWrite) -> LedgerRows:
    """Return what ``apply_ledger`` writes."""
    given = write.convergence
    return LedgerRows(
        tenant_id=given.tenant_id,
        group_id=given.group_id,
        revision=given.revision,
        body=codec.encode(_next(given)),
        entries=[entry_row(codec, entry, orphan=False) for entry in write.entries],
        notifications=[notification_row(codec, message) for message in write.notifications],
    )


def entry_row(codec: Codec, entry: LedgerEntry, *, orphan: bool) -> Row:
    """Return an entry as it goes into its table."""
    return (
        *(entry.tenant_id, entry.group_id, entry.instance_id),
        *(entry.state not in TERMINAL, orphan, time_text(entry.changed), codec.encode(entry)),
    )


def apply_ledger(rows: LedgerRows, connection: Connection) -> None:
    """
    Write the supervisor's half of a group.

    :raises ConflictError: the revision has moved on.
    :raises NoSuchGroupError: no such group.
    """
    key = (rows.tenant_id, rows.group_id)
    moved = connection.execute(
        "UPDATE convergences SET revision = ?, body = ?"
        " WHERE tenant_id = ? AND group_id = ? AND revision = ?",
        (rows.revision + 1, rows.body, *key, rows.revision),
    )
    if moved.rowcount == 0:
        if group_exists(*key, connection):
            raise ConflictError(f"the ledger of group {rows.group_id} has moved on")
        raise NoSuchGroupError(f"no group {rows.group_id} of tenant {rows.tenant_id}")
    _put_entries(rows.entries, connection)
    insert_notifications(rows.notifications, connection)


def group_exists(tenant_id: object, group_id: object, connection: Connection) -> bool:
    """Tell whether there is such a group, be it deleted at the moment or not."""
    found = connection.execute(
        "SELECT 1 FROM groups WHERE tenant_id = ? AND group_id = ?", (tenant_id, group_id)
    )
    return found.fetchone() is not None


def _next(convergence: Convergence) -> Convergence:
    return evolve(convergence, revision=convergence.revision + 1)


def _read(codec: Codec, tenant_id: TenantId, group_id: GroupId, connection: Connection) -> Ledger:
    """Read both in one statement, so that they are of the same moment."""
    rows = connection.execute(
        "SELECT 0 AS of, body FROM convergences WHERE tenant_id = ? AND group_id = ?"
        " UNION ALL SELECT 1, body FROM entries WHERE live = 1 AND tenant_id = ? AND group_id = ?",
        (tenant_id, group_id, tenant_id, group_id),
    ).fetchall()
    convergences = [codec.decode(body, Convergence) for kind, body in rows if kind == 0]
    if not convergences:
        raise NoSuchGroupError(f"no group {group_id} of tenant {tenant_id}")
    entries = [codec.decode(body, LedgerEntry) for kind, body in rows if kind == 1]
    return Ledger(convergences[0], {entry.instance_id: entry for entry in entries})


def _write(rows: LedgerRows, activities: Sequence[Row], connection: Connection) -> None:
    apply_ledger(rows, connection)
    insert_activities(activities, connection)


def _adopt(row: Row, connection: Connection) -> bool:
    _refuse_if_group(row, connection)
    if _entry_exists(row, connection):
        return False
    _put_entries([row], connection)
    return True


def _replace(row: Row, connection: Connection) -> None:
    _refuse_if_group(row, connection)
    if not _entry_exists(row, connection):
        raise ConflictError(f"no entry {row[2]}")
    _put_entries([row], connection)


def _put_entries(rows: Sequence[Row], connection: Connection) -> None:
    connection.executemany(
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant_id, group_id, instance_id) DO UPDATE SET live = excluded.live,"
        " orphan = excluded.orphan, changed = excluded.changed, body = excluded.body",
        rows,
    )


def _entry_exists(row: Row, connection: Connection) -> bool:
    found = connection.execute(
        "SELECT 1 FROM entries WHERE tenant_id = ? AND group_id = ? AND instance_id = ?", row[:3]
    )
    return found.fetchone() is not None


def _refuse_if_group(row: Row, connection: Connection) -> None:
    if group_exists(row[0], row[1], connection):
        raise ConflictError(f"group {row[1]} exists and has its own supervisor")
