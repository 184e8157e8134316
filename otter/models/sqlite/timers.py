"""What is due at some time: messages to customers and schedules."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from sqlite3 import Connection

from attrs import evolve

from otter.models.activity import Notification
from otter.models.codec import Codec, time_text
from otter.models.errors import ConflictError
from otter.models.ids import NotificationId
from otter.models.policy import Schedule
from otter.models.sqlite.base import SQLiteTables

Row = tuple[object, ...]


class TimerTables(SQLiteTables):
    """The part of the store that is about what is due."""

    async def due_notifications(self, now: datetime, *, limit: int = 100) -> Sequence[Notification]:
        """Return messages due, the longest due first."""
        return await self._records(
            Notification,
            "SELECT body FROM notifications WHERE due <= ? ORDER BY due, notification_id LIMIT ?",
            *(time_text(now), limit),
        )

    async def put_notification(self, notification: Notification) -> None:
        """Replace a message that is still there."""
        notification_id, due, body = notification_row(self._codec, notification)
        await self._write(partial(_update_notification, (due, body, notification_id)))

    async def remove_notification(self, notification_id: NotificationId) -> None:
        """Forget a message."""
        await self._write(partial(_delete_notification, notification_id))

    async def put_schedule(self, schedule: Schedule) -> None:
        """Arm a timer under a version that nobody has read yet."""
        await self._write(partial(_arm, self._codec, schedule))

    async def due_schedules(self, now: datetime, *, limit: int = 100) -> Sequence[Schedule]:
        """Return timers due, the longest due first."""
        return await self._records(
            Schedule,
            "SELECT body FROM schedules WHERE due <= ?"
            " ORDER BY due, tenant_id, group_id, policy_id LIMIT ?",
            *(time_text(now), limit),
        )

    async def replace_schedule(self, old: Schedule, new: Schedule | None) -> None:
        """Move or disarm the timer that was read."""
        await self._write(partial(_move, self._codec, old, new))


def notification_row(codec: Codec, notification: Notification) -> Row:
    """Return what ``insert_notifications`` inserts."""
    due = time_text(notification.due)
    return (notification.notification_id, due, codec.encode(notification))


def insert_notifications(rows: Sequence[Row], connection: Connection) -> None:
    """Add messages, or replace those of the same ids."""
    connection.executemany("INSERT OR REPLACE INTO notifications VALUES (?, ?, ?)", rows)


def _update_notification(row: Row, connection: Connection) -> None:
    connection.execute("UPDATE notifications SET due = ?, body = ? WHERE notification_id = ?", row)


def _delete_notification(notification_id: NotificationId, connection: Connection) -> None:
    connection.execute("DELETE FROM notifications WHERE notification_id = ?", (notification_id,))


def _arm(codec: Codec, schedule: Schedule, connection: Connection) -> None:
    known = connection.execute(
        "SELECT version FROM schedules WHERE tenant_id = ? AND group_id = ? AND policy_id = ?",
        (schedule.tenant_id, schedule.group_id, schedule.policy_id),
    ).fetchone()
    version = schedule.version if known is None else known[0] + 1
    _store(codec, evolve(schedule, version=version), connection)


def _move(codec: Codec, old: Schedule, new: Schedule | None, connection: Connection) -> None:
    """
    Replace or remove the row that was read.

    The time is compared too: a timer disarmed and armed again starts at the first version.
    """
    removed = connection.execute(
        "DELETE FROM schedules WHERE tenant_id = ? AND group_id = ? AND policy_id = ?"
        " AND version = ? AND due = ?",
        (old.tenant_id, old.group_id, old.policy_id, old.version, time_text(old.due)),
    )
    if removed.rowcount == 0:
        raise ConflictError(f"the timer of policy {old.policy_id} has moved on")
    if new is not None:
        _store(codec, evolve(new, version=old.version + 1), connection)


def _store(codec: Codec, schedule: Schedule, connection: Connection) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO schedules VALUES (?, ?, ?, ?, ?, ?)",
        (
            *(schedule.tenant_id, schedule.group_id, schedule.policy_id),
            *(time_text(schedule.due), schedule.version, codec.encode(schedule)),
        ),
    )
