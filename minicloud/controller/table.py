"""
All servers' records: found by id, listed newest first from any point, at a cost that does not grow
with what came before.

Deleted servers are kept for lists that ask for changes, up to a bound.
"""

from bisect import bisect_left, insort
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator, Mapping

from minicloud.controller.records import Server

MAX_DELETED = 10_000


class _Order:
    """Sequence numbers of some servers, per project and of all projects (key None)."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str | None, list[int]] = defaultdict(list)

    def add(self, server: Server) -> None:
        for key in (server.project_id, None):
            insort(self._numbers[key], server.sequence)

    def remove(self, server: Server) -> None:
        for key in (server.project_id, None):
            numbers = self._numbers[key]
            del numbers[bisect_left(numbers, server.sequence)]

    def count(self, project_id: str | None) -> int:
        return len(self._numbers[project_id])

    def newest_first(self, project_id: str | None, before: int | None) -> Iterator[int]:
        numbers = self._numbers[project_id]
        end = len(numbers) if before is None else bisect_left(numbers, before)
        return (numbers[position] for position in range(end - 1, -1, -1))


class ServerTable:
    """The servers of every project."""

    def __init__(self) -> None:
        self._live: dict[str, Server] = {}
        self._deleted: OrderedDict[str, Server] = OrderedDict()
        self._ids: dict[int, str] = {}
        self._live_order = _Order()
        self._deleted_order = _Order()
        self._per_host: Counter[str] = Counter()
        self._last_sequence = 0

    def next_sequence(self) -> int:
        """Return a number greater than any before."""
        self._last_sequence += 1
        return self._last_sequence

    def put(self, server: Server) -> None:
        """Add a server, or replace its record."""
        known = self._live.get(server.server_id)
        if known is None:
            self._ids[server.sequence] = server.server_id
            self._live_order.add(server)
        else:
            self._per_host[known.host] -= 1
        self._per_host[server.host] += 1
        self._live[server.server_id] = server

    def retire(self, server: Server) -> None:
        """Move a server that is there, with its last record, among the deleted."""
        known = self._live.pop(server.server_id)
        self._per_host[known.host] -= 1
        self._live_order.remove(server)
        self._deleted_order.add(server)
        self._deleted[server.server_id] = server
        while len(self._deleted) > MAX_DELETED:
            _, forgotten = self._deleted.popitem(last=False)
            self._deleted_order.remove(forgotten)
            del self._ids[forgotten.sequence]

    def find(self, server_id: str, project_id: str | None = None) -> Server | None:
        """Return a server that is not deleted, of the project if one is given."""
        server = self._live.get(server_id)
        if server is None or project_id not in {None, server.project_id}:
            return None
        return server

    def sequence_of(self, server_id: str, project_id: str | None) -> int | None:
        """Return where a server stands in lists, deleted or not."""
        server = self._live.get(server_id) or self._deleted.get(server_id)
        if server is None or project_id not in {None, server.project_id}:
            return None
        return server.sequence

    def live(self, project_id: str | None, before: int | None = None) -> Iterator[Server]:
        """Yield servers newest first, those older than ``before`` if given."""
        for number in self._live_order.newest_first(project_id, before):
            yield self._live[self._ids[number]]

    def deleted(self, project_id: str | None, before: int | None = None) -> Iterator[Server]:
        """Yield deleted servers likewise."""
        for number in self._deleted_order.newest_first(project_id, before):
            yield self._deleted[self._ids[number]]

    def count(self, project_id: str | None = None) -> int:
        """Return how many servers there are."""
        return self._live_order.count(project_id)

    @property
    def per_host(self) -> Mapping[str, int]:
        """Return how many servers each host has."""
        return self._per_host
