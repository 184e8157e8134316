"""
Time at the edges: what o'clock it is, and work that repeats without ever dying of one failure.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from otter.models.errors import StoreUnavailableError


def utc_now(clock: IReactorTime) -> datetime:
    """Return the current time in UTC."""
    return datetime.fromtimestamp(clock.seconds(), UTC)


async def sleep(clock: IReactorTime, wait: timedelta) -> None:
    """Return after ``wait``; cancellable."""
    waiting: Deferred[None] = Deferred(lambda _: call.cancel() if call.active() else None)
    call = clock.callLater(max(0.0, wait.total_seconds()), waiting.callback, None)
    await waiting


class Periodic(Service):
    """
    Does something at once and then again and again, ``every`` so often after it ended.

    A failure is logged under ``name`` and the next turn comes as usual. ``nudge`` brings the next
    turn forward to now; stopping waits for the turn under way, which is cancelled.
    """

    log = Logger()

    def __init__(
        self,
        name: str,
        clock: IReactorTime,
        every: timedelta,
        work: Callable[[], Awaitable[timedelta | None]],
    ) -> None:
        """``work`` may return another wait than ``every`` until its next turn."""
        self._name = name
        self._clock = clock
        self._every = every
        self._work = work
        self._busy = False
        self._turn: Deferred[None] | None = None
        self._next: IDelayedCall | None = None
        self._nudged = False

    def startService(self) -> None:
        """Take the first turn now."""
        super().startService()
        self._start_turn()

    def stopService(self) -> Deferred[None] | None:
        """Take no more turns; fires when the one under way has ended."""
        super().stopService()
        if self._next is not None:
            self._next.cancel()
            self._next = None
        turn = self._turn
        if turn is None:
            return None
        stopped: Deferred[None] = Deferred()
        _ = turn.addBoth(lambda _: stopped.callback(None))
        turn.cancel()
        return stopped

    def nudge(self) -> None:
        """Take the next turn now, or as soon as the one under way has ended."""
        if not self.running:
            return
        if self._busy:
            self._nudged = True
        elif self._next is not None:
            self._next.reset(0)

    def _start_turn(self) -> None:
        self._next = None
        self._busy = True
        turn = Deferred.fromCoroutine(self._take_turn())
        if self._busy:
            self._turn = turn

    async def _take_turn(self) -> None:
        wait = self._every
        try:
            asked = await self._work()
            wait = self._every if asked is None else asked
        except CancelledError:
            if self.running:  # not the turn was cancelled, but something that it waited for
                self.log.failure("{name}.failed", name=self._name)
        except StoreUnavailableError as error:
            self.log.warn("{name}.postponed: {error}", name=self._name, error=error)
        except Exception:  # noqa: BLE001 - a service contains its own failures
            self.log.failure("{name}.failed", name=self._name)
        self._turn, self._busy = None, False
        if self.running:
            seconds = 0 if self._nudged else wait.total_seconds()
            self._nudged = False
            self._next = self._clock.callLater(seconds, self._start_turn)
