"""What time it is."""

from datetime import UTC, datetime

from twisted.internet.interfaces import IReactorTime


def clock_time(clock: IReactorTime) -> datetime:
    """Return the time in UTC."""
    return datetime.fromtimestamp(clock.seconds(), UTC)
