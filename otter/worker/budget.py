"""A region's rate budget: a token bucket that a throttling provider can close for a while."""

from datetime import datetime, timedelta

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime

from otter.timing import sleep, utc_now


@frozen
class Bucket:
    """
    How much may be spent, decided without a clock.

    :ivar rate: tokens that come in per second.
    :ivar size: tokens it holds when full.
    :ivar tokens: may be negative: somebody is waiting for what is owed.
    """

    rate: float
    size: float
    tokens: float
    at: datetime
    closed_until: datetime | None = None

    def take(self, now: datetime) -> tuple["Bucket", timedelta]:
        """Return the bucket with one token less, and how long its taker must wait before acting."""
        elapsed = max(0.0, (now - self.at).total_seconds())
        tokens = min(self.size, self.tokens + elapsed * self.rate) - 1
        wait = timedelta(seconds=max(0.0, -tokens / self.rate))
        if self.closed_until is not None:
            wait = max(wait, self.closed_until - now)
        return evolve(self, tokens=tokens, at=now), wait

    def close(self, until: datetime) -> "Bucket":
        """Return the bucket closed until then, or for longer if it already was."""
        return evolve(self, closed_until=max(until, self.closed_until or until))


class Budget:
    """A bucket on a clock."""

    def __init__(self, clock: IReactorTime, *, rate: float, size: float) -> None:
        self._clock = clock
        self._bucket = Bucket(rate, size, size, utc_now(clock))

    async def take(self) -> None:
        """Return when one more call may be made; callers are served in the order they came."""
        self._bucket, wait = self._bucket.take(utc_now(self._clock))
        if wait > timedelta(0):
            await sleep(self._clock, wait)

    def close_for(self, wait: timedelta) -> None:
        """Let nobody new through for so long: the provider asked for it."""
        self._bucket = self._bucket.close(utc_now(self._clock) + wait)
