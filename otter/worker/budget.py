"""A region's rate budget for all, and what throttled tenants were told to wait."""

from datetime import datetime, timedelta

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime

from otter.models.ids import TenantId
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

    def take(self, now: datetime) -> tuple["Bucket", timedelta]:
        """Return the bucket with one token less, and how long its taker must wait before acting."""
        elapsed = max(0.0, (now - self.at).total_seconds())
        tokens = min(self.size, self.tokens + elapsed * self.rate) - 1
        wait = timedelta(seconds=max(0.0, -tokens / self.rate))
        return evolve(self, tokens=tokens, at=now), wait


class Budget:
    """
    A bucket on a clock, and what tenants were told to wait.

    A provider throttles accounts one by one, so its wish to be left alone holds for that tenant
    (promise S8); what the region as a whole may get is the bucket's business.
    """

    def __init__(self, clock: IReactorTime, *, rate: float, size: float) -> None:
        self._clock = clock
        self._bucket = Bucket(rate, size, size, utc_now(clock))
        self._closed: dict[TenantId, datetime] = {}

    async def take(self, tenant_id: TenantId) -> None:
        """Return when one more call of the tenant may be made; in the order its callers came."""
        now = utc_now(self._clock)
        closed = self._closed.get(tenant_id, now) - now
        if closed > timedelta(0):
            await sleep(self._clock, closed)
        self._bucket, wait = self._bucket.take(utc_now(self._clock))
        if wait > timedelta(0):
            await sleep(self._clock, wait)

    def close_for(self, tenant_id: TenantId, wait: timedelta) -> None:
        """Let no new call of the tenant through for so long: the provider asked for it."""
        now = utc_now(self._clock)
        self._closed = {t: until for t, until in self._closed.items() if until > now}
        self._closed[tenant_id] = max(now + wait, self._closed.get(tenant_id, now))
