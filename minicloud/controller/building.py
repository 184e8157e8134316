"""
Bring servers into being and out of it: the slow half of the controller.

Note [Addresses and lifetimes]: the address is taken after the record exists and given back before
the record goes, both under the server's own lock and both idempotent by server. So at rest the
addresses held are those of servers not deleted, whatever order creates and deletes arrived in.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from minicloud.background import Background
from minicloud.bus import MessageBus
from minicloud.clock import CloudTime
from minicloud.controller import states
from minicloud.controller.interface import Fate, FateKind, NodeEvent, ReportServer
from minicloud.controller.records import Server
from minicloud.controller.scheduling import NO_VALID_HOST, choose_host
from minicloud.controller.table import ServerTable
from minicloud.network.interface import NETWORK, Allocate, NoAddressError, Release
from minicloud.node.interface import Destroy, InstanceSpec, Spawn, node_component


def instance_spec(server: Server, boot_time: timedelta | None = None) -> InstanceSpec:
    """Return what the server's node has to know."""
    return InstanceSpec(
        server.server_id,
        server.name,
        server.project_id,
        server.address,
        server.metadata,
        boot_time,
    )


class Builder:
    """
    Builds and removes servers whose records are in the table.

    :ivar delete_time: how long an accepted deletion lingers.
    """

    log = Logger()

    def __init__(
        self,
        bus: MessageBus,
        time: CloudTime,
        table: ServerTable,
        hosts: Sequence[str],
        capacity: int,
    ) -> None:
        self._bus = bus
        self._time = time
        self._table = table
        self._hosts = hosts
        self._capacity = capacity
        self._background = Background()
        self._locks: dict[str, DeferredLock] = {}
        self._doomed: dict[str, Fate] = {}
        self.delete_time = timedelta(0)

    def build(self, server_id: str, fate: Fate | None) -> None:
        """Start building a recorded server."""
        self._background.run("server.build", self._build(server_id, fate))

    def remove(self, server_id: str, *, at_once: bool) -> None:
        """Start removing a server that is marked as being deleted."""
        delay = timedelta(0) if at_once else self.delete_time
        self._background.run("server.remove", self._remove(server_id, delay))

    async def stop(self) -> None:
        """Let go of whatever is under way."""
        await self._background.stop()

    async def report(self, report: ReportServer) -> None:
        """Take a node's word for what became of a server."""
        server = self._table.find(report.server_id)
        if server is None:
            return
        if report.event is NodeEvent.DESTROYED:
            await self._locked(server.server_id, self._retire)
            return
        after = states.after_report(server, report.event, report.message, self._time.now())
        if after is not server:
            self._table.put(after)
        doom = self._doomed.pop(server.server_id, None)
        if doom is not None and report.event is NodeEvent.RUNNING:
            self._background.run("server.doom", self._fail_after(server.server_id, doom))

    def fail(self, server_id: str, message: str) -> None:
        """Put a server that is there into ERROR."""
        server = self._table.find(server_id)
        if server is not None:
            self.log.info("server.failed {server_id}", server_id=server_id, reason=message)
            self._table.put(states.failed(server, message, self._time.now()))

    async def _fail_after(self, server_id: str, fate: Fate) -> None:
        await self._time.sleep(fate.after)
        self.fail(server_id, fate.message)

    async def _build(self, server_id: str, fate: Fate | None) -> None:
        if fate is not None and fate.kind is FateKind.ERROR:
            await self._fail_after(server_id, fate)
            return
        if fate is not None and fate.kind is FateKind.ACTIVE_THEN_ERROR:
            self._doomed[server_id] = fate
        await self._locked(server_id, lambda placed: self._place(placed, fate))

    async def _place(self, server: Server, fate: Fate | None) -> None:
        if server.deleting:
            return
        host = choose_host(self._hosts, self._table.per_host, self._capacity)
        if host is None:
            self.fail(server.server_id, NO_VALID_HOST)
            return
        request = Allocate(server.server_id, server.project_id)
        try:
            allocation = await self._bus.call(NETWORK, request)
        except NoAddressError as error:
            self.fail(server.server_id, str(error))
            return
        placed = evolve(
            self._table.find(server.server_id) or server,
            host=host,
            address=allocation.address,
            task_state="spawning",
        )
        self._table.put(placed)
        if fate is not None and fate.kind is FateKind.STUCK:
            return
        boot_time = fate.after if fate is not None and fate.kind is FateKind.SLOW else None
        await self._bus.call(node_component(host), Spawn(instance_spec(placed, boot_time)))

    async def _remove(self, server_id: str, delay: timedelta) -> None:
        await self._time.sleep(delay)
        await self._locked(server_id, self._destroy)

    async def _destroy(self, server: Server) -> None:
        if server.host:
            # the node reports when it is done, and the record goes then
            await self._bus.call(node_component(server.host), Destroy(server.server_id))
        else:
            await self._retire(server)

    async def _retire(self, server: Server) -> None:
        await self._bus.call(NETWORK, Release(server.server_id))
        self._doomed.pop(server.server_id, None)
        self._table.retire(states.deleted(server, self._time.now()))

    async def _locked(
        self, server_id: str, act: Callable[[Server], Coroutine[Any, Any, None]]
    ) -> None:
        """Do something with a server, if it is there still, while nobody else does."""
        lock = self._locks.setdefault(server_id, DeferredLock())

        async def with_record() -> None:
            server = self._table.find(server_id)
            if server is not None:
                await act(server)

        held: Awaitable[None] = lock.run(lambda: Deferred.fromCoroutine(with_record()))
        try:
            await held
        finally:
            if not lock.locked and not lock.waiting:
                self._locks.pop(server_id, None)
