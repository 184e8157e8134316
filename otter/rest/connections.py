"""
Bound how many connections are open: a new one takes the place of the one that is idle for longest.

So connections that are merely kept open cannot lock anybody out; the others are bounded in time by
the channel itself.
"""

from typing import Protocol


class Closable(Protocol):
    """A connection that can be ended at once."""

    def abort(self) -> None:
        """End it without another word."""


class Connections:
    """
    The connections of a site.

    :param limit: how many may be open.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy: set[Closable] = set()
        self._idle: dict[Closable, None] = {}
        self.refused = 0

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._busy) + len(self._idle)

    def make_room(self) -> bool:
        """Return whether one more may be opened, after closing an idle one if need be."""
        if len(self) < self._limit:
            return True
        oldest = next(iter(self._idle), None)
        if oldest is None:
            self.refused += 1
            return False
        del self._idle[oldest]
        oldest.abort()
        return True

    def rest(self, connection: Closable) -> None:
        """Note that a connection, maybe a new one, waits for a request."""
        self._busy.discard(connection)
        self._idle[connection] = None

    def work(self, connection: Closable) -> None:
        """Note that a request arrives or is at work."""
        self._idle.pop(connection, None)
        self._busy.add(connection)

    def forget(self, connection: Closable) -> None:
        """Note that a connection is closed."""
        self._idle.pop(connection, None)
        self._busy.discard(connection)
