"""
Carry one client's connection to one node and back.

How a connection ends
=====================

A side that stops sending (TCP's half close) is passed on, and the other direction goes on. When a
side is gone, the other gets what is still buffered and is closed. Both waits have the same bound,
``LINGER``, counted from the last byte that moved, because a peer may neither read nor close. After
it, and when the owner takes the node away, both sides are cut off.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IReactorTime,
)
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from minicloud.balancer.model import NodeId

LINGER = timedelta(seconds=60)


@implementer(IHalfCloseableProtocol)
class Side(Protocol):
    """One of a session's two connections; what arrives here leaves by the other."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.read_ended = False

    @property
    def tcp(self) -> Connection:
        """The transport, by its right type."""
        return cast(Connection, self.transport)

    def connectionMade(self) -> None:
        """Join the session; read nothing until there is somewhere to send it."""
        self.tcp.pauseProducing()
        self._session.joined(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass the bytes on."""
        self._session.forward(self, data)

    def readConnectionLost(self) -> None:
        """Pass on that this side sends no more."""
        self.read_ended = True
        self._session.half_closed(self)

    def writeConnectionLost(self) -> None:
        """Nothing to do: this side is told no more because we said so."""

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Close the other side too."""
        self._session.lost(self)

    def finish(self) -> None:
        """Close once everything buffered is sent."""
        self.tcp.unregisterProducer()
        self.tcp.loseConnection()

    def finish_writing(self) -> None:
        """Say that nothing more comes, once everything buffered is sent."""
        self.tcp.unregisterProducer()
        self.tcp.loseWriteConnection()


class Session:
    """
    A client's connection, from acceptance until both sides are closed.

    :ivar node_id: the node it goes to, or is trying to go to.
    :ivar dialling: fires when a node was found or given up; None before and after.
    """

    def __init__(
        self,
        clock: IReactorTime,
        accepted: Callable[["Session"], None],
        done: Callable[["Session"], None],
    ) -> None:
        self._clock = clock
        self._accepted = accepted
        self._done = done
        self._linger: IDelayedCall | None = None
        self._open: list[Side] = []
        self.front = Side(self)
        self.back: Side | None = None
        self.node_id: NodeId | None = None
        self.dialling: Deferred[None] | None = None

    def joined(self, side: Side) -> None:
        """Take note of a connection that is now open."""
        self._open.append(side)
        if side is self.front:
            self._accepted(self)

    def start(self, back: Side) -> None:
        """Let traffic flow; each side is slowed down to what the other can take."""
        self.back = back
        self.front.tcp.registerProducer(back.tcp, True)
        back.tcp.registerProducer(self.front.tcp, True)
        self.front.tcp.resumeProducing()
        back.tcp.resumeProducing()

    def forward(self, side: Side, data: bytes) -> None:
        """Send one side's bytes to the other."""
        if self._linger is not None:
            self._linger.reset(LINGER.total_seconds())
        for other in self._others(side):
            other.tcp.write(data)

    def half_closed(self, side: Side) -> None:
        """Pass on the end of one direction; after both, close."""
        if all(one.read_ended for one in self._open):
            self._finish(self._open)
        else:
            for other in self._others(side):
                other.finish_writing()
        self._start_linger()

    def lost(self, side: Side) -> None:
        """Close the other side; with both closed the session is over."""
        self._open = self._others(side)
        if self._open:
            self._finish(self._open)
            self._start_linger()
            return
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        self._done(self)

    def abort(self) -> None:
        """Cut both sides off, whatever is still buffered."""
        if self.dialling is not None:
            self.dialling.cancel()
        for side in list(self._open):
            side.tcp.abortConnection()

    def _finish(self, sides: list[Side]) -> None:
        """Close them; some transports report the loss at once, which changes ``_open``."""
        for side in list(sides):
            side.finish()

    def _others(self, side: Side) -> list[Side]:
        return [other for other in self._open if other is not side]

    def _start_linger(self) -> None:
        if self._open and self._linger is None:
            self._linger = self._clock.callLater(LINGER.total_seconds(), self._cut_off)

    def _cut_off(self) -> None:
        self._linger = None
        self.abort()
