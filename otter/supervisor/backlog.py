"""Remember how many groups are marked dirty and since when, as far as the poll of marks shows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from twisted.internet.interfaces import IReactorTime

from otter.models.ids import GroupId
from otter.timing import utc_now


class Backlog:
    """
    The marks of the last complete look, each with the time it was first seen.

    As large as the marks in the store, which are groups that are being worked on.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._since: dict[GroupId, datetime] = {}

    @contextmanager
    def reading(self) -> Iterator[Callable[[GroupId], None]]:
        """Take what is passed to the function given as all marks there are, unless it fails."""
        now = utc_now(self._clock)
        seen: dict[GroupId, datetime] = {}

        def found(group_id: GroupId) -> None:
            seen[group_id] = self._since.get(group_id, now)

        yield found
        self._since = seen

    def count(self) -> int:
        """Return how many groups were marked."""
        return len(self._since)

    def oldest_seconds(self) -> float:
        """Return how long ago the mark was first seen that is there longest."""
        if not self._since:
            return 0.0
        return (utc_now(self._clock) - min(self._since.values())).total_seconds()
