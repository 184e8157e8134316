"""
The servers of a fake cloud: what exists, since when, and what becomes of it as the clock moves.

Nothing is scheduled: a server's state is worked out from the time whenever somebody looks, so a
test that stops in the middle leaves no timer behind.
"""

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import cast
from uuid import NAMESPACE_URL, uuid5

from attrs import define, evolve
from pyrsistent import thaw
from twisted.internet.interfaces import IReactorTime

from otter.cloud.errors import NotFoundError, QuotaError
from otter.cloud.interface import GROUP_KEY, LEGACY_GROUP_KEY, CreateServer, Server
from otter.models.ids import GroupId, ServerId

FIRST_ADDRESS = IPv4Address("10.0.0.1")
HISTORY_SIZE = 100_000


@define
class _Machine:
    """A server as it was made, and what is to become of it."""

    server: Server
    address: str
    ready_at: datetime | None
    outcome: str
    fault: str
    hidden_until: datetime
    gone_at: datetime | None = None

    def view(self, now: datetime) -> Server:
        """Return what the cloud shows of it at ``now``."""
        server = self.server
        if server.status == "BUILD" and self.ready_at is not None and now >= self.ready_at:
            fault = self.fault if self.outcome == "ERROR" else ""
            server = evolve(server, status=self.outcome, fault=fault)
        if server.status != "BUILD":
            server = evolve(server, addresses=(("private", self.address),))
        return evolve(server, task_state="deleting") if self.gone_at else server


class FakeServers:
    """
    Servers in memory, with orders for what is to happen to them.

    :ivar build_time: from creation to ACTIVE.
    :ivar delete_time: from an accepted deletion to being gone.
    :ivar list_lag: for how long listings omit a new server.
    :ivar quota: how many servers the tenant may have, or None.
    :ivar max_seen: per group mark, the highest number of servers that ever existed at one time.
    :ivar created: ids in the order of creation, foreign ones included.
    :ivar deleted: ids whose deletion was asked for through the interface.
    """

    def __init__(self, clock: IReactorTime, name: str) -> None:
        self._clock = clock
        self._name = name
        self._machines: dict[ServerId, _Machine] = {}
        self._made = 0
        self._outcomes: deque[tuple[str, str]] = deque()
        self.build_time = timedelta(0)
        self.delete_time = timedelta(0)
        self.list_lag = timedelta(0)
        self.quota: int | None = None
        self.max_seen: dict[GroupId, int] = {}
        self.created: deque[ServerId] = deque(maxlen=HISTORY_SIZE)
        self.deleted: deque[ServerId] = deque(maxlen=HISTORY_SIZE)

    def now(self) -> datetime:
        """Return the time on the injected clock."""
        return datetime.fromtimestamp(self._clock.seconds(), UTC)

    # --- orders -----------------------------------------------------------------------------

    def stick(self, times: int = 1) -> None:
        """Let the next ``times`` servers stay in BUILD for ever."""
        self._outcomes.extend([("BUILD", "")] * times)

    def fail_builds(self, times: int = 1, fault: str = "No valid host was found.") -> None:
        """Let the next ``times`` servers turn ERROR when their build time is over."""
        self._outcomes.extend([("ERROR", fault)] * times)

    def add(
        self, name: str, metadata: Mapping[str, str] | None = None, *, status: str = "ACTIVE"
    ) -> ServerId:
        """Add a server that somebody else made; return its id."""
        server = self._make(name, dict(metadata or {}))
        self.set_status(server.server_id, status)
        return server.server_id

    def set_status(self, server_id: ServerId, status: str, *, fault: str = "") -> None:
        """Put a server into any state; it stays there until the next order."""
        machine = self._machines[server_id]
        machine.server = evolve(machine.server, status=status, fault=fault)
        machine.ready_at = None

    def set_metadata(self, server_id: ServerId, metadata: Mapping[str, str]) -> None:
        """Replace a server's metadata, as its owner can."""
        machine = self._machines[server_id]
        machine.server = evolve(machine.server, metadata=dict(metadata))
        self._count()

    def kill(self, server_id: ServerId) -> None:
        """Remove a server out of band, at once and without a trace."""
        del self._machines[server_id]

    def hide(self, server_id: ServerId, duration: timedelta) -> None:
        """Let listings omit a server for a while; showing it works."""
        self._machines[server_id].hidden_until = self.now() + duration

    def all(self) -> tuple[Server, ...]:
        """Return every server that exists, hidden ones included, oldest first."""
        self._forget_gone()
        now = self.now()
        return tuple(machine.view(now) for machine in self._machines.values())

    def of_group(self, group_id: GroupId) -> tuple[Server, ...]:
        """Return every existing server that carries the group's mark."""
        return tuple(server for server in self.all() if marked_group(server) == group_id)

    # --- what the interface asks ------------------------------------------------------------

    def listed(self) -> tuple[Server, ...]:
        """Return what a listing shows now."""
        self._forget_gone()
        now = self.now()
        machines = self._machines.values()
        return tuple(machine.view(now) for machine in machines if now >= machine.hidden_until)

    def show(self, server_id: ServerId) -> Server:
        """
        Return one server.

        :raises NotFoundError: it does not exist.
        """
        server = self._find(server_id).view(self.now())
        if server.status == "DELETED":
            raise NotFoundError("Instance could not be found.", status=404)
        return server

    def create(self, request: CreateServer) -> Server:
        """
        Make a server.

        :raises QuotaError: the tenant has as many as it may.
        """
        self._forget_gone()
        used = len(self._machines)
        if self.quota is not None and used >= self.quota:
            raise QuotaError(
                "Quota exceeded for instances: "
                f"Requested 1, but already used {used} of {self.quota} instances",
                status=403,
            )
        body = cast("dict[str, object]", thaw(request.body))
        owners = body.get("metadata")
        metadata = {**(owners if isinstance(owners, dict) else {}), **request.metadata}
        return self._make(request.name, metadata)

    def delete(self, server_id: ServerId) -> None:
        """
        Accept a server's deletion.

        :raises NotFoundError: it does not exist.
        """
        machine = self._find(server_id)
        self.deleted.append(server_id)
        machine.gone_at = machine.gone_at or self.now() + self.delete_time
        self._forget_gone()

    def remove_metadata(self, server_id: ServerId, key: str) -> None:
        """
        Remove one metadata item.

        :raises NotFoundError: there is no such server or item.
        """
        machine = self._find(server_id)
        if key not in machine.server.metadata:
            raise NotFoundError("Metadata item was not found", status=404)
        machine.server = evolve(machine.server, metadata=machine.server.metadata.remove(key))

    # --- inside -----------------------------------------------------------------------------

    def _make(self, name: str, metadata: dict[str, str]) -> Server:
        now = self.now()
        self._made += 1
        server_id = ServerId(str(uuid5(NAMESPACE_URL, f"{self._name}/{self._made}")))
        outcome, fault = self._outcomes.popleft() if self._outcomes else ("ACTIVE", "")
        server = Server(
            server_id=server_id,
            name=name,
            status="BUILD",
            created=now.replace(microsecond=0),
            metadata=metadata,
            links=(("self", f"http://compute.invalid/servers/{server_id}"),),
        )
        self._machines[server_id] = _Machine(
            server=server,
            address=str(FIRST_ADDRESS + self._made - 1),
            ready_at=None if outcome == "BUILD" else now + self.build_time,
            outcome=outcome,
            fault=fault,
            hidden_until=now + self.list_lag,
        )
        self.created.append(server_id)
        self._count()
        return server

    def _find(self, server_id: ServerId) -> _Machine:
        self._forget_gone()
        machine = self._machines.get(server_id)
        if machine is None:
            raise NotFoundError("Instance could not be found.", status=404)
        return machine

    def _forget_gone(self) -> None:
        now = self.now()
        gone = [key for key, one in self._machines.items() if one.gone_at and now >= one.gone_at]
        for key in gone:
            del self._machines[key]

    def _count(self) -> None:
        self._forget_gone()
        counts: dict[GroupId, int] = {}
        for machine in self._machines.values():
            group_id = marked_group(machine.server)
            if group_id is not None:
                counts[group_id] = counts.get(group_id, 0) + 1
        for group_id, count in counts.items():
            self.max_seen[group_id] = max(count, self.max_seen.get(group_id, 0))


def marked_group(server: Server) -> GroupId | None:
    """Return the group a server's marks name, or None."""
    mark = server.metadata.get(GROUP_KEY) or server.metadata.get(LEGACY_GROUP_KEY)
    return GroupId(mark) if mark else None
