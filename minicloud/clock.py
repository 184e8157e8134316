"""
The cloud's time: the machine's, or one that moves only when it is told.

Everything that waits or dates something asks this clock, so a build of hours costs one request
when time is driven. Real processes live in real time and are handed the reactor beside it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import Clock, deferLater

# One advance fires at most this many timers one by one; beyond it something re-arms itself without
# pause, and the request to advance fails instead of never ending.
MAX_TIMERS_PER_ADVANCE = 1_000_000


class NotDrivenError(Exception):
    """The cloud runs in real time, which nobody can advance."""


class CloudTime(Protocol):
    """What components need of time."""

    @property
    def timer(self) -> IReactorTime:
        """Return what delayed calls are made with."""

    def now(self) -> datetime:
        """Return the cloud's date and time, in UTC."""

    async def sleep(self, delay: timedelta) -> None:
        """Return after ``delay``; at once, in the same turn, when it is not positive."""

    def advance(self, amount: timedelta) -> None:
        """
        Move time forward.

        :raises NotDrivenError: this time moves by itself.
        """


@frozen
class RealTime:
    """The time of the reactor."""

    timer: IReactorTime

    def now(self) -> datetime:
        """See ``CloudTime.now``."""
        return datetime.fromtimestamp(self.timer.seconds(), UTC)

    async def sleep(self, delay: timedelta) -> None:
        """See ``CloudTime.sleep``."""
        if delay > timedelta(0):
            waiting: Deferred[None] = deferLater(self.timer, delay.total_seconds())
            await waiting

    def advance(self, amount: timedelta) -> None:
        """See ``CloudTime.advance``: never possible here."""
        raise NotDrivenError("this cloud runs in real time; start it with --driven-time")


@frozen
class DrivenTime(RealTime):
    """A time that stands still between advances."""

    timer: Clock

    @classmethod
    def starting_at(cls, start: datetime) -> "DrivenTime":
        """Return a time that reads ``start`` until it is advanced."""
        clock = Clock()
        clock.advance(start.timestamp())
        return cls(clock)

    def advance(self, amount: timedelta) -> None:
        """
        Move forward from timer to timer.

        ``Clock.advance`` jumps first and fires afterwards, so a timer that is set by another would
        start late; here each fires at its own time, and what it sets may fire in the same advance.
        """
        target = self.timer.seconds() + amount.total_seconds()
        for _ in range(MAX_TIMERS_PER_ADVANCE):
            due = min((call.getTime() for call in self.timer.getDelayedCalls()), default=target)
            if due >= target:
                break
            self.timer.advance(max(0.0, due - self.timer.seconds()))
        else:
            raise RuntimeError(f"more than {MAX_TIMERS_PER_ADVANCE} timers in one advance")
        self.timer.advance(target - self.timer.seconds())


def later(time: CloudTime, delay: timedelta, act: Callable[[], object]) -> IDelayedCall:
    """Call ``act`` after ``delay`` of the cloud's time."""
    return time.timer.callLater(max(0.0, delay.total_seconds()), act)
