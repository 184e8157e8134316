"""
Hold callers to the rate limits of rest-api.md 7, and tell them how they stand.

A call of a tenant is counted after its token and role were found good and before anybody looks
where its path leads: 401, 403, 413, then 404 and 405 (rest-api.md 1.7). So nobody can use up the
calls of a tenant he has no rights on; what comes without a good token is bounded by the number of
requests in flight and of connections instead (``admission``, ``connections``).

Note [Rates of webhooks]
    A capability URL is counted before it is looked up, each by itself, so that one customer's storm
    does not hold up another's alarms, and so that a right hash behaves exactly like a wrong one: a
    bucket shared by all unknown ones would tell them apart. What cannot be a hash shares one.
    Buckets are kept by digest, in a table of bounded size. Whoever floods the table with made-up
    hashes makes it forget buckets, and a forgotten bucket begins full: the limit then gives more,
    never less.

Each process counts for itself.
"""

import hashlib
import re
from collections import OrderedDict
from datetime import timedelta

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from otter.rest.buckets import MICROSECOND, Bucket, Rate, full, refilled, remaining, spent, wait
from otter.rest.config import Rates
from otter.rest.errors import RateLimitError

TENANT_PERIOD = timedelta(minutes=1)
EXECUTE_PERIOD = timedelta(seconds=1)
_HASH = re.compile(r"[0-9a-f]{64}")


@frozen
class Standing:
    """
    How somebody stands with a rate.

    :ivar wait: until the next call fits.
    """

    remaining: int
    wait: timedelta


class Meter:
    """
    Counts calls of many against one rate.

    :param rate: None allows everything.
    :param remembered: of how many the calls are known; those not seen for longest are forgotten.
    """

    def __init__(self, rate: Rate | None, remembered: int, clock: IReactorTime) -> None:
        self._rate = rate
        self._remembered = remembered
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._buckets)

    def spend(self, key: str) -> None:
        """
        Count a call.

        :raises RateLimitError: it is one too many.
        """
        if self._rate is None:
            return
        bucket = self._bucket(key, self._rate)
        delay = wait(bucket, self._rate)
        self._buckets[key] = bucket if delay else spent(bucket, self._rate)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        if delay:
            raise RateLimitError("too many requests", retry_after=delay)

    def standing(self, key: str) -> Standing | None:
        """Return how somebody stands, or None where there is no rate."""
        if self._rate is None:
            return None
        bucket = self._bucket(key, self._rate)
        return Standing(remaining(bucket, self._rate), wait(bucket, self._rate))

    def _bucket(self, key: str, rate: Rate) -> Bucket:
        now = timedelta(seconds=self._clock.seconds()) // MICROSECOND
        bucket = self._buckets.get(key)
        return full(rate, now) if bucket is None else refilled(bucket, rate, now)


class RateLimiter:
    """The rates in force."""

    def __init__(self, rates: Rates, clock: IReactorTime) -> None:
        self.rates = rates
        per_minute, per_second = rates.in_force
        tenant = Rate(per_minute, TENANT_PERIOD) if per_minute else None
        execute = Rate(per_second, EXECUTE_PERIOD) if per_second else None
        self.tenants = Meter(tenant, rates.remembered, clock)
        self.executions = Meter(execute, rates.remembered, clock)

    def count_call(self, tenant: str) -> None:
        """
        Count a call on a tenant's resources.

        :raises RateLimitError: it is one too many.
        """
        self.tenants.spend(tenant)

    def count_execution(self, capability: str) -> None:
        """
        Count a hit on a capability URL; see Note [Rates of webhooks].

        :raises RateLimitError: it is one too many.
        """
        alone = self.rates.execute_scope == "webhook" and _HASH.fullmatch(capability)
        self.executions.spend(_digest(capability) if alone else "")

    def standings(self, tenant: str) -> tuple[Standing | None, Standing | None]:
        """Return how a tenant stands with its own calls, and anybody with the executions."""
        return self.tenants.standing(tenant), self.executions.standing("")


def _digest(capability: str) -> str:
    return hashlib.sha256(capability.encode("ascii")).hexdigest()
