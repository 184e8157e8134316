"""
Deliver messages to customers' own webhooks: at least once, retried with backoff, never in the way.

Messages are written with the ledger and removed when delivered, so a crash repeats one and loses
none.
"""

from datetime import timedelta

import simplejson
from attrs import evolve
from pyrsistent import thaw
from twisted.internet.defer import DeferredSemaphore, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from otter.cloud.errors import CloudError, InvalidRequestError, NotFoundError
from otter.cloud.interface import Messenger
from otter.models.activity import Notification
from otter.models.interface import Store
from otter.timing import Periodic, utc_now
from otter.worker.settings import WorkerSettings

BATCH = 200
WAIT_MAX = timedelta(hours=1)


class Notifier(Periodic):
    """Looks for due messages every so often and delivers them, several at a time."""

    log = Logger()

    def __init__(
        self, store: Store, messenger: Messenger, clock: IReactorTime, settings: WorkerSettings
    ) -> None:
        super().__init__("notify", clock, settings.notify_poll, self._deliver_due)
        self._store = store
        self._messenger = messenger
        self._settings = settings

    async def _deliver_due(self) -> timedelta | None:
        due = await self._store.due_notifications(utc_now(self._clock), limit=BATCH)
        turn = DeferredSemaphore(self._settings.notify_concurrency)
        await gatherResults([turn.run(self._deliver, message) for message in due])
        return timedelta(milliseconds=1) if len(due) == BATCH else None

    async def _deliver(self, message: Notification) -> None:
        body = simplejson.dumps(thaw(message.payload), use_decimal=True).encode()
        try:
            await self._messenger.deliver(
                message.url,
                message_id=message.notification_id,
                event=message.event,
                body=body,
                group_id=message.group_id,
            )
        except CloudError as error:
            await self._failed(message, error)
        else:
            await self._store.remove_notification(message.notification_id)

    async def _failed(self, message: Notification, error: CloudError) -> None:
        attempts = message.attempts + 1
        final = isinstance(error, InvalidRequestError | NotFoundError)
        if final or attempts >= self._settings.notify_attempts:
            self.log.warn(
                "notification.given_up {event} of {group_id} after {attempts}: {error}",
                event=message.event,
                group_id=message.group_id,
                attempts=attempts,
                error=error.message,
            )
            await self._store.remove_notification(message.notification_id)
            return
        wait = min(self._settings.notify_retry * 2 ** (attempts - 1), WAIT_MAX)
        due = utc_now(self._clock) + wait
        await self._store.put_notification(evolve(message, attempts=attempts, due=due))
