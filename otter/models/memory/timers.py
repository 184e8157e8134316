"""What is due at some time: messages to customers and schedules."""

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from otter.models.activity import Notification
from otter.models.errors import ConflictError
from otter.models.ids import NotificationId
from otter.models.memory.tables import Tables
from otter.models.policy import Schedule


class TimerTables(Tables):
    """The part of the store that is about what is due."""

    async def due_notifications(self, now: datetime, *, limit: int = 100) -> Sequence[Notification]:
        """Return messages due, the longest due first."""
        due = [message for message in self._notifications.values() if message.due <= now]
        return sorted(due, key=lambda message: (message.due, message.notification_id))[:limit]

    async def put_notification(self, notification: Notification) -> None:
        """Replace a message that is still there."""
        if notification.notification_id in self._notifications:
            self._notifications[notification.notification_id] = notification

    async def remove_notification(self, notification_id: NotificationId) -> None:
        """Forget a message."""
        self._notifications.pop(notification_id, None)

    async def put_schedule(self, schedule: Schedule) -> None:
        """Arm a timer under a version that nobody has read yet."""
        key = (schedule.tenant_id, schedule.group_id, schedule.policy_id)
        known = self._schedules.get(key)
        version = schedule.version if known is None else known.version + 1
        self._schedules[key] = evolve(schedule, version=version)

    async def due_schedules(self, now: datetime, *, limit: int = 100) -> Sequence[Schedule]:
        """Return timers due, the longest due first."""
        due = [schedule for schedule in self._schedules.values() if schedule.due <= now]
        return sorted(due, key=lambda s: (s.due, s.tenant_id, s.group_id, s.policy_id))[:limit]

    async def replace_schedule(self, old: Schedule, new: Schedule | None) -> None:
        """
        Move or disarm the timer that was read.

        The time is compared too: a timer disarmed and armed again starts at the first version.
        """
        key = (old.tenant_id, old.group_id, old.policy_id)
        known = self._schedules.get(key)
        if known is None or (known.version, known.due) != (old.version, old.due):
            raise ConflictError(f"the timer of policy {old.policy_id} has moved on")
        if new is None:
            del self._schedules[key]
        else:
            self._schedules[key] = evolve(new, version=old.version + 1)
