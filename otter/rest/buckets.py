"""
Decide whether one more call fits into a rate: a token bucket, in whole numbers.

A bucket holds as many calls as its rate allows in one period, so all of them may come at once; it
refills evenly. Levels are counted in parts of a call so small that nothing is ever rounded.
"""

from datetime import timedelta

from attrs import frozen

MICROSECOND = timedelta(microseconds=1)


@frozen
class Rate:
    """So many calls in a period; ``value`` is more than 0."""

    value: int
    period: timedelta

    @property
    def cost(self) -> int:
        """What one call takes from the level of a bucket."""
        return self.period // MICROSECOND

    @property
    def capacity(self) -> int:
        """The level of a full bucket."""
        return self.value * self.cost


@frozen
class Bucket:
    """
    What is left of a rate.

    :ivar level: at the time ``at``; see ``Rate.cost``.
    :ivar at: in microseconds since the epoch.
    """

    level: int
    at: int


def full(rate: Rate, now: int) -> Bucket:
    """Return the bucket of somebody who has used nothing of the rate."""
    return Bucket(rate.capacity, now)


def refilled(bucket: Bucket, rate: Rate, now: int) -> Bucket:
    """Return the bucket as it is now; a clock that was set back refills nothing."""
    gained = max(0, now - bucket.at) * rate.value
    return Bucket(min(rate.capacity, bucket.level + gained), now)


def remaining(bucket: Bucket, rate: Rate) -> int:
    """Return how many calls fit."""
    return bucket.level // rate.cost


def wait(bucket: Bucket, rate: Rate) -> timedelta:
    """Return how long it takes until one more call fits; nothing if it fits now."""
    missing = max(0, rate.cost - bucket.level)
    return -(-missing // rate.value) * MICROSECOND


def spent(bucket: Bucket, rate: Rate) -> Bucket:
    """Return the bucket after a call that fits."""
    return Bucket(bucket.level - rate.cost, bucket.at)
