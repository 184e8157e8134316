"""
Run load balancers for real: their listeners, their traffic, their health checks.
"""

import errno
from collections.abc import Callable, Iterable
from functools import partial

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTCP, IReactorTime
from twisted.logger import Logger

from minicloud.balancer.health import HealthChecks, Report
from minicloud.balancer.model import LoadBalancer, LoadBalancerId, NodeId, NodeStatus, Status
from minicloud.balancer.openset import OpenSet
from minicloud.balancer.proxy import Proxy


class Plane:
    """A load balancer that is carrying traffic."""

    def __init__(
        self, clock: IReactorTime, tcp: IReactorTCP, lb: LoadBalancer, report: Report
    ) -> None:
        """
        :param report: told how a node is, by checks and by refused connections.
        """
        self._proxy = Proxy(
            clock, tcp, lb, refused=lambda node_id: report(node_id, NodeStatus.OFFLINE)
        )
        self._checks = HealthChecks(clock, tcp, report)

    def listen(self, address: str) -> None:
        """
        Accept clients from now on.

        :raises CannotListenError: the address and port cannot be had.
        """
        self._proxy.listen(address)

    def update(self, lb: LoadBalancer) -> None:
        """Follow a change of the load balancer."""
        self._proxy.update(lb)
        self._checks.update(lb)

    def connections(self, node_id: NodeId) -> int:
        """Return how many connections the node carries now."""
        return self._proxy.connections(node_id)

    def total_connections(self, node_id: NodeId) -> int:
        """Return how many connections the node ever got from this load balancer."""
        return self._proxy.established[node_id]

    async def close(self) -> None:
        """End all of it; nothing is reported from now on, and on return no socket is left."""
        self._checks.stop()
        await self._proxy.close()
        await self._checks.closed()


class Planes:
    """
    All load balancers of a cloud that carry traffic; none at all where there is no TCP.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        tcp: IReactorTCP | None,
        report: Callable[[LoadBalancerId, NodeId, NodeStatus], None],
    ) -> None:
        self._clock = clock
        self._tcp = tcp
        self._report = report
        self._planes: dict[LoadBalancerId, Plane] = {}
        self._closing: OpenSet[Plane] = OpenSet()

    @property
    def real(self) -> bool:
        """Whether load balancers really listen and check."""
        return self._tcp is not None

    def get(self, lb_id: int) -> Plane | None:
        """Return what runs for the load balancer, if anything does."""
        return self._planes.get(LoadBalancerId(lb_id))

    def open(self, lb: LoadBalancer, addresses: Iterable[str]) -> LoadBalancer:
        """
        Return the load balancer running at one of the addresses, or in ERROR saying why not.

        Another cloud on this machine may use the same range of addresses, so a port in use means
        to try the next address. Any other trouble would be the same at every address.
        """
        if self._tcp is None or lb.lb_id in self._planes:
            return lb
        plane = Plane(self._clock, self._tcp, lb, partial(self._report, lb.lb_id))
        fault = "cannot listen: no address"
        for address in addresses:
            try:
                plane.listen(address)
            except CannotListenError as error:
                fault = f"cannot listen: {error}"
                if getattr(error.socketError, "errno", None) == errno.EADDRINUSE:
                    continue
                break
            self._planes[lb.lb_id] = plane
            return evolve(lb, address=address)
        self.log.warn("listener.failed {lb}: {fault}", lb=lb.lb_id, fault=fault)
        return evolve(lb, status=Status.ERROR, fault=fault)

    def update(self, lb: LoadBalancer) -> None:
        """Follow a change of the load balancer."""
        plane = self._planes.get(lb.lb_id)
        if plane is not None:
            plane.update(lb)

    def close(self, lb_id: LoadBalancerId) -> None:
        """End the load balancer's traffic and checks; ``closed`` waits for the sockets."""
        plane = self._planes.pop(lb_id, None)
        if plane is None:
            return
        self._closing.add(plane)
        _ = (
            Deferred.fromCoroutine(plane.close())
            .addErrback(lambda failure: self.log.failure("listener.broken {lb}", failure, lb=lb_id))
            .addCallback(lambda _: self._closing.discard(plane))
        )

    async def closed(self) -> None:
        """Return when everything told to close has closed."""
        await self._closing.emptied()
