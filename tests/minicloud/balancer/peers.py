"""
Small servers and clients on loopback sockets, whose every step can be waited for.
"""

from typing import Any, cast

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.python.failure import Failure
from zope.interface import implementer

reactor = cast("Any", installed_reactor)


class _Echo(Protocol):
    """Say the backend's name, then repeat what comes."""

    factory: "Backend"

    def connectionMade(self) -> None:
        self.factory.accepted += 1
        self._write(self.factory.name)

    def dataReceived(self, data: bytes) -> None:
        self._write(data)

    def _write(self, data: bytes) -> None:
        cast("Any", self.transport).write(data)


@implementer(IHalfCloseableProtocol)
class _Counter(Protocol):
    """Count what comes; tell how much it was only after its end."""

    factory: "Backend"
    received = 0

    def connectionMade(self) -> None:
        self.factory.accepted += 1

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)

    def readConnectionLost(self) -> None:
        cast("Any", self.transport).write(b"%d" % self.received)
        cast("Any", self.transport).loseConnection()

    def writeConnectionLost(self) -> None:
        pass


class Backend(ServerFactory):
    """
    A server for nodes to be.

    :ivar accepted: how many connections it ever got.
    """

    noisy = False

    def __init__(self, name: bytes, *, counting: bool = False) -> None:
        self.name = name
        self.accepted = 0
        self._counting = counting
        self._port = reactor.listenTCP(0, self, interface="127.0.0.1")
        self.port: int = self._port.getHost().port

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """Take anybody."""
        protocol = _Counter() if self._counting else _Echo()
        protocol.factory = self
        return protocol

    async def stop(self) -> None:
        """Listen no more; later connections are refused."""
        await maybeDeferred(self._port.stopListening)


class Client(Protocol):
    """
    A connection to a load balancer.

    :ivar closed: fires when the connection is gone.
    """

    def __init__(self) -> None:
        self._received = b""
        self._wanted = 0
        self._reading: Deferred[bytes] | None = None
        self.closed: Deferred[None] = Deferred()

    def read(self, size: int) -> Deferred[bytes]:
        """Return the next bytes once there are so many, or fewer if the connection ends."""
        self._reading = Deferred()
        self._wanted = size
        reading = self._reading
        self._deliver(ended=False)
        return reading

    def write(self, data: bytes) -> None:
        """Send."""
        cast("Any", self.transport).write(data)

    def end(self) -> None:
        """Send no more, but go on reading."""
        cast("Any", self.transport).loseWriteConnection()

    async def close(self) -> None:
        """Close, and wait until it is."""
        cast("Any", self.transport).loseConnection()
        await self.closed

    def dataReceived(self, data: bytes) -> None:
        """Keep what comes until it is read."""
        self._received += data
        self._deliver(ended=False)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Let those who wait go on."""
        self._deliver(ended=True)
        self.closed.callback(None)

    def _deliver(self, *, ended: bool) -> None:
        if self._reading is not None and (ended or len(self._received) >= self._wanted):
            reading, self._reading = self._reading, None
            taken, self._received = self._received[: self._wanted], self._received[self._wanted :]
            reading.callback(taken)


async def connect(address: str, port: int) -> Client:
    """Return a client's open connection."""
    client: Client = await connectProtocol(TCP4ClientEndpoint(reactor, address, port), Client())
    return client
