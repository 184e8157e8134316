"""
Tell the supervisor, over the bus, that a group wants looking at; never wait for it, never fail.
"""

from datetime import timedelta

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel

from otter.bus.interface import Bus, Notice
from otter.models.ids import GroupId, TenantId

SEND_TIMEOUT = timedelta(seconds=5)
MAX_SENDING = 1000
"""Notices on their way at once; with a bus that hangs, more are dropped."""


class Notifier:
    """
    Sends notices in the background.

    The mark in the store is the truth and a sweep finds it, so a notice that cannot be sent costs
    time only, and no caller waits for one.

    :param bus: carries the notices.
    :param clock: times out a bus that hangs.
    """

    log = Logger()

    def __init__(self, bus: Bus, clock: IReactorTime) -> None:
        self._bus = bus
        self._clock = clock
        self._sending = 0

    def tell(self, tenant_id: TenantId, group_id: GroupId) -> None:
        """Hint that the group has been marked."""
        if self._sending >= MAX_SENDING:
            self._note("notice.dropped {tenant_id} {group_id}", tenant_id, group_id)
            return
        self._sending += 1
        _ = Deferred.fromCoroutine(self._send(tenant_id, group_id))

    async def _send(self, tenant_id: TenantId, group_id: GroupId) -> None:
        sending = Deferred.fromCoroutine(self._bus.send_notice(Notice(tenant_id, group_id)))
        try:
            await sending.addTimeout(SEND_TIMEOUT.total_seconds(), self._clock)
        except Exception as error:  # noqa: BLE001 - whatever ails the bus, the sweep makes up for it
            self._note(
                "notice.failed {tenant_id} {group_id} {reason!r}", tenant_id, group_id, error
            )
        finally:
            self._sending -= 1

    def _note(
        self, event: str, tenant_id: TenantId, group_id: GroupId, reason: object = None
    ) -> None:
        """Log without a traceback: a bus that is away is no error of ours."""
        self.log.emit(LogLevel.warn, event, tenant_id=tenant_id, group_id=group_id, reason=reason)
