"""
Check a load balancer's nodes again and again, and say which are well.

Each node has its own rhythm, so a new node is checked at once, and one that answers slowly delays
no other. DISABLED nodes are left alone.
"""

import re
from collections.abc import Callable
from typing import cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeadlineError
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.interfaces import IReactorTCP, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from minicloud.balancer.model import (
    Condition,
    HealthMonitor,
    LoadBalancer,
    MonitorType,
    Node,
    NodeId,
    NodeStatus,
)
from minicloud.balancer.openset import OpenSet

STATUS_LINE_BYTES = 1024

Report = Callable[[NodeId, NodeStatus], None]


def is_healthy_answer(monitor: HealthMonitor, answer: bytes) -> bool:
    """Return whether the beginning of an HTTP answer has a status that the owner accepts."""
    found = re.match(rb"HTTP/1\.[01] ([0-9]{3})[ \r\n]", answer)
    return found is not None and bool(re.search(monitor.status_regex, found[1].decode()))


class Tally:
    """How often in a row a node failed, and what follows from it."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._failures = 0

    def count(self, *, well: bool) -> NodeStatus | None:
        """Return what the node is after this check, or None if that is not decided yet."""
        if well:
            self._failures = 0
            return NodeStatus.ONLINE
        self._failures += 1
        return NodeStatus.OFFLINE if self._failures >= self._attempts else None


class _Asker(Protocol):
    """Ask for a page and keep the beginning of the answer."""

    def __init__(self, request: bytes, open_askers: "OpenSet[_Asker]") -> None:
        self._request = request
        self._open_askers = open_askers
        self._received = b""
        self.answer: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self._open_askers.add(self)
        if self._request:
            cast(ITCPTransport, self.transport).write(self._request)
        else:
            self._done()

    def dataReceived(self, data: bytes) -> None:
        self._received += data[:STATUS_LINE_BYTES]
        if b"\n" in self._received or len(self._received) >= STATUS_LINE_BYTES:
            self._done()

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._done()
        self._open_askers.discard(self)

    def hang_up(self) -> None:
        cast(ITCPTransport, self.transport).abortConnection()

    def _done(self) -> None:
        if not self.answer.called:
            self.answer.callback(self._received)


class Checker:
    """Perform one health check."""

    def __init__(self, clock: IReactorTime, tcp: IReactorTCP) -> None:
        self._clock = clock
        self._tcp = tcp
        self._open_askers: OpenSet[_Asker] = OpenSet()

    async def closed(self) -> None:
        """Return when no check has a socket open."""
        await self._open_askers.emptied()

    async def check(self, monitor: HealthMonitor, address: str, port: int) -> bool:
        """Return whether the node is well; takes no longer than the monitor's timeout."""
        checking = Deferred.fromCoroutine(self._ask(monitor, address, port))
        try:
            return await checking.addTimeout(monitor.timeout.total_seconds(), self._clock)
        except (DeadlineError, ConnectError, ConnectingCancelledError):
            return False

    async def _ask(self, monitor: HealthMonitor, address: str, port: int) -> bool:
        request = b""
        if monitor.kind is MonitorType.HTTP:
            host = f"Host: {address}:{port}\r\n"
            request = f"GET {monitor.path} HTTP/1.0\r\n{host}Connection: close\r\n\r\n".encode()
        endpoint = TCP4ClientEndpoint(
            self._tcp, address, port, timeout=monitor.timeout.total_seconds()
        )
        asker: _Asker = await connectProtocol(endpoint, _Asker(request, self._open_askers))
        try:
            answer = await asker.answer
        finally:
            asker.hang_up()
        return monitor.kind is MonitorType.CONNECT or is_healthy_answer(monitor, answer)


class NodeWatch:
    """The repeated check of one node."""

    log = Logger()

    def __init__(
        self, clock: IReactorTime, checker: Checker, monitor: HealthMonitor, node: Node
    ) -> None:
        self._checker = checker
        self._monitor = monitor
        self._node = node
        self._tally = Tally(monitor.attempts)
        self._loop = LoopingCall(self._beat)
        self._loop.clock = clock
        self._checking: Deferred[None] | None = None
        self._report: Report | None = None

    def start(self, report: Report) -> None:
        """Check now, and then whenever the monitor's delay has passed."""
        self._report = report
        self._looping = self._loop.start(self._monitor.delay.total_seconds()).addErrback(
            lambda failure: self.log.failure("check.broken {node}", failure, node=self._node)
        )

    def stop(self) -> None:
        """Check no more; a check under way is given up."""
        self._report = None
        if self._loop.running:
            self._loop.stop()
        if self._checking is not None:
            self._checking.cancel()

    def _beat(self) -> Deferred[None]:
        self._checking = Deferred.fromCoroutine(self._check())
        return self._checking

    async def _check(self) -> None:
        try:
            well = await self._checker.check(self._monitor, self._node.address, self._node.port)
        except CancelledError:
            return
        status = self._tally.count(well=well)
        if status is not None and self._report is not None:
            self._report(self._node.node_id, status)


class HealthChecks:
    """The health checks of one load balancer."""

    def __init__(self, clock: IReactorTime, tcp: IReactorTCP, report: Report) -> None:
        self._clock = clock
        self._checker = Checker(clock, tcp)
        self._report = report
        self._monitor: HealthMonitor | None = None
        self._watches: dict[NodeId, NodeWatch] = {}

    def update(self, lb: LoadBalancer) -> None:
        """Follow the owner's changes to nodes and monitor."""
        if lb.monitor != self._monitor:
            self.stop()
            self._monitor = lb.monitor
        wanted = {
            node.node_id: node for node in lb.nodes if node.condition is not Condition.DISABLED
        }
        for gone in self._watches.keys() - wanted.keys():
            self._watches.pop(gone).stop()
        if self._monitor is None:
            return
        for node_id in wanted.keys() - self._watches.keys():
            watch = NodeWatch(self._clock, self._checker, self._monitor, wanted[node_id])
            self._watches[node_id] = watch
            watch.start(self._report)

    def stop(self) -> None:
        """Check nothing any more; no report comes after this."""
        self._monitor = None
        while self._watches:
            self._watches.popitem()[1].stop()

    async def closed(self) -> None:
        """Return when no socket is left."""
        await self._checker.closed()
