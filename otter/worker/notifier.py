"""
Deliver messages to customers' own webhooks: at least once, retried with backoff, never in the way.

Messages are written with the ledger and removed when delivered, so a crash repeats one and loses
none.

Note [Slow recipients]
    A turn takes in what is due, starts what there is room for, and waits for none of it; a delivery
    that ends makes room for the next. One recipient never holds all the room, neither of deliveries
    nor of messages taken in, so that whoever does not answer delays only messages to the same URL.
"""

from collections import Counter, deque
from collections.abc import Sequence
from datetime import timedelta

import simplejson
from attrs import evolve
from pyrsistent import thaw
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from otter.cloud.errors import CloudError, InvalidRequestError, NotFoundError
from otter.cloud.interface import Messenger
from otter.models.activity import Notification
from otter.models.errors import StoreUnavailableError
from otter.models.ids import NotificationId
from otter.models.interface import Store
from otter.timing import Periodic, utc_now
from otter.worker.settings import WorkerSettings

BATCH = 200
KEPT = 2000
"""Messages taken in and not delivered yet; no more are read from the store meanwhile."""
WAIT_MAX = timedelta(hours=1)
SHARE = 4
"""One URL has at most one in so many of the deliveries under way, and of the messages kept."""


class Notifier(Periodic):
    """Looks for due messages every so often and delivers them, several at a time."""

    log = Logger()

    def __init__(
        self, store: Store, messenger: Messenger, clock: IReactorTime, settings: WorkerSettings
    ) -> None:
        super().__init__("notify", clock, settings.notify_poll, self._take_in)
        self._store = store
        self._messenger = messenger
        self._settings = settings
        self._per_url = max(1, settings.notify_concurrency // SHARE)
        self._waiting: deque[Notification] = deque()
        self._under_way: dict[NotificationId, Deferred[None]] = {}
        self._load: Counter[str] = Counter()
        self._more = False
        self._starting = False

    def stopService(self) -> Deferred[None] | None:
        """Cut deliveries short; fires when none is under way. What was not delivered is owed."""
        turn = super().stopService()
        self._waiting.clear()
        under_way = list(self._under_way.values())
        for delivery in under_way:
            delivery.cancel()
        ending = [work for work in (turn, *under_way) if work is not None]
        if not ending:
            return None
        stopped: Deferred[None] = Deferred()
        _ = DeferredList(ending).addCallback(lambda _: stopped.callback(None))
        return stopped

    async def _take_in(self) -> timedelta | None:
        known = {m.notification_id for m in self._waiting} | self._under_way.keys()
        if len(known) < KEPT:
            limit = BATCH + len(known)
            due = await self._store.due_notifications(utc_now(self._clock), limit=limit)
            await self._keep([m for m in due if m.notification_id not in known])
            self._more = len(due) == limit
        self._start_waiting()
        return None

    async def _keep(self, due: Sequence[Notification]) -> None:
        """Take messages in; what is too much for one URL is due again in a while."""
        held = Counter(m.url for m in self._waiting)
        later = utc_now(self._clock) + self._settings.notify_retry
        for message in due:
            if held[message.url] < KEPT // SHARE:
                held[message.url] += 1
                self._waiting.append(message)
            else:
                await self._store.put_notification(evolve(message, due=later))

    def _start_waiting(self) -> None:
        """Start what there is room for; a delivery may end before its start returns."""
        if self._starting:
            return
        self._starting = True
        while self.running and (message := self._choose()) is not None:
            self._start(message)
        self._starting = False
        if self._more and not self._waiting:
            self.nudge()

    def _choose(self) -> Notification | None:
        if len(self._under_way) >= self._settings.notify_concurrency:
            return None
        for position, message in enumerate(self._waiting):
            if self._load[message.url] < self._per_url:
                del self._waiting[position]
                return message
        return None

    def _start(self, message: Notification) -> None:
        self._load[message.url] += 1
        delivering = Deferred.fromCoroutine(self._deliver(message))
        self._under_way[message.notification_id] = delivering

        def ended(_: object) -> None:
            del self._under_way[message.notification_id]
            self._load -= Counter({message.url: 1})
            self._start_waiting()

        _ = delivering.addErrback(self._postponed, message).addBoth(ended)

    def _postponed(self, failure: Failure, message: Notification) -> None:
        """Leave the message in the store as it is; it is taken in again."""
        if failure.check(StoreUnavailableError):
            self.log.warn("notification.postponed {error}", error=failure.value)
        elif self.running:
            self._log_failed(message, failure)

    def _log_failed(self, message: Notification, failure: Failure | None = None) -> None:
        """Log a fault of ours, by default the current one; not the URL, which may be secret."""
        self.log.failure(
            "notification.failed {event} of {group_id}",
            failure,
            event=message.event,
            group_id=message.group_id,
        )

    async def _deliver(self, message: Notification) -> None:
        try:
            body = simplejson.dumps(thaw(message.payload), use_decimal=True).encode()
            await self._messenger.deliver(
                message.url,
                message_id=message.notification_id,
                event=message.event,
                body=body,
                group_id=message.group_id,
            )
        except CloudError as error:
            final = isinstance(error, InvalidRequestError | NotFoundError)
            await self._failed(message, error.message, final=final)
        except CancelledError:
            if not self.running:
                raise
            await self._failed(message, "cut short", final=False)
        except Exception as error:  # noqa: BLE001 - one message must not stop the others
            self._log_failed(message)
            await self._failed(message, type(error).__name__, final=False)
        else:
            await self._store.remove_notification(message.notification_id)

    async def _failed(self, message: Notification, reason: str, *, final: bool) -> None:
        attempts = message.attempts + 1
        if final or attempts >= self._settings.notify_attempts:
            self.log.warn(
                "notification.given_up {event} of {group_id} after {attempts}: {error}",
                event=message.event,
                group_id=message.group_id,
                attempts=attempts,
                error=reason,
            )
            await self._store.remove_notification(message.notification_id)
            return
        wait = min(self._settings.notify_retry * 2 ** (attempts - 1), WAIT_MAX)
        due = utc_now(self._clock) + wait
        await self._store.put_notification(evolve(message, attempts=attempts, due=due))
