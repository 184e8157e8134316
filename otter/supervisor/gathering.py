"""
Look at a tenant's cloud once, for all of its groups that want a cycle.

Note [Half a view]
    A listing that fails ends the cycle. A server our ledger knows but the listing does not show is
    asked for directly before it counts as gone, because listings lag. A load balancer that cannot
    be read is named, and the groups that use it sit the cycle out (promise S7).
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from attrs import frozen
from twisted.internet.defer import DeferredSemaphore, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from otter.cloud.errors import CloudError, NotFoundError
from otter.cloud.interface import Cloud, LoadBalancer, Server
from otter.models.ids import DeploymentId, GroupId, LoadBalancerId, ServerId, TenantId
from otter.models.interface import Store
from otter.models.ledger import LedgerEntry
from otter.supervisor.marks import marks_for, marks_of
from otter.supervisor.world import Stranger, World
from otter.timing import utc_now

K = TypeVar("K")
V = TypeVar("V")

CONCURRENT_READS = 8
"""Requests of one gathering under way at the same time."""


@frozen
class Gatherer:
    """Makes a ``World`` of what the cloud answers."""

    store: Store
    clock: IReactorTime
    deployment_id: DeploymentId
    confirm_limit: int
    log = Logger()

    async def gather(
        self,
        cloud: Cloud,
        tenant_id: TenantId,
        entries: Iterable[LedgerEntry],
        balancers: Iterable[LoadBalancerId],
        ours: Callable[[GroupId], bool],
    ) -> World:
        """
        Return the tenant's servers and the given load balancers.

        :param entries: the live entries of all groups concerned.
        :param ours: whether servers that claim this group, and that no entry accounts for, are of
            interest in this cycle.
        :raises CloudError: the servers cannot be listed.
        """
        at = utc_now(self.clock)
        known = list(entries)
        servers = {s.server_id: s for s in await cloud.list_servers()}
        open_ids = [e.server_id for e in known if e.server_id and not e.absent]
        missing = [name for name in open_ids if name not in servers]
        confirmed = await self._each(
            missing[: self.confirm_limit], lambda name: self._confirm(cloud, name)
        )
        servers.update({s.server_id: s for _, s in confirmed if isinstance(s, Server)})
        read = await self._each(balancers, lambda name: self._read(cloud, name))
        return World(
            at,
            servers=servers,
            absent=frozenset(name for name, found in confirmed if found is None),
            balancers={n: f for n, f in read if not isinstance(f, CloudError)},
            unread=frozenset(n for n, f in read if isinstance(f, CloudError)),
            strangers=await self._strangers(tenant_id, known, servers.values(), ours),
        )

    async def _confirm(self, cloud: Cloud, name: ServerId) -> Server | CloudError | None:
        try:
            return await cloud.get_server(name)
        except NotFoundError:
            return None
        except CloudError as error:
            return error

    async def _read(self, cloud: Cloud, name: LoadBalancerId) -> LoadBalancer | CloudError | None:
        try:
            return await cloud.get_load_balancer(name)
        except NotFoundError:
            return None
        except CloudError as error:
            self.log.warn("balancer.unread {name}: {error}", name=name, error=error.message)
            return error

    async def _strangers(
        self,
        tenant_id: TenantId,
        entries: list[LedgerEntry],
        servers: Iterable[Server],
        ours: Callable[[GroupId], bool],
    ) -> tuple[Stranger, ...]:
        """Find servers with our deployment's marks that no live entry accounts for."""
        expected = {marks_for(e, self.deployment_id) for e in entries}
        ids = {e.server_id for e in entries}
        found = []
        for server in servers:
            marks = marks_of(server)
            if marks is None or marks.deployment_id != self.deployment_id or marks in expected:
                continue
            if server.server_id not in ids and ours(marks.group_id):
                entry = await self.store.get_entry(tenant_id, marks.group_id, marks.instance_id)
                found.append(Stranger(server, marks, entry))
        return tuple(found)

    @staticmethod
    async def _each(names: Iterable[K], read: Callable[[K], Awaitable[V]]) -> list[tuple[K, V]]:
        """Read all, a few at a time."""
        turn = DeferredSemaphore(CONCURRENT_READS)

        async def one(name: K) -> tuple[K, V]:
            return name, await read(name)

        waiting = [turn.run(one, name) for name in names]
        return list(await gatherResults(waiting, consumeErrors=True))
