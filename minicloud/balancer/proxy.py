"""
Listen on a load balancer's address and forward its connections to its nodes.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import CannotListenError, ConnectError, ConnectingCancelledError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IReactorTCP,
    IReactorTime,
)
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from minicloud.balancer.choosing import Credits, choose
from minicloud.balancer.model import Condition, LoadBalancer, Node, NodeId
from minicloud.balancer.openset import OpenSet
from minicloud.balancer.rules import eligible_nodes
from minicloud.balancer.session import Session, Side

DIAL_ATTEMPTS = 3
DIAL_TIMEOUT = timedelta(seconds=5)
MAX_CONNECTIONS = 1000
BACKLOG = 128


class Proxy(ServerFactory):
    """
    The traffic of one load balancer.

    :ivar established: how many connections each present node ever got.
    """

    noisy = False
    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        tcp: IReactorTCP,
        lb: LoadBalancer,
        *,
        refused: Callable[[NodeId], None],
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        """
        :param refused: told of a node that took no connection.
        """
        self._clock = clock
        self._tcp = tcp
        self._lb = lb
        self._refused = refused
        self._max_connections = max_connections
        self._sessions: OpenSet[Session] = OpenSet()
        self._open: Counter[NodeId] = Counter()
        self._credit: Credits = {}
        self._port: IListeningPort | None = None
        self.established: Counter[NodeId] = Counter()

    def listen(self, address: str) -> None:
        """
        Accept clients from now on.

        :raises CannotListenError: the address and port cannot be had.
        """
        try:
            self._port = self._tcp.listenTCP(self._lb.port, self, BACKLOG, address)
        except OSError as error:
            # Somebody else bound it at the same moment and listened first; Twisted only expects
            # trouble when binding.
            raise CannotListenError(address, self._lb.port, error) from None

    def update(self, lb: LoadBalancer) -> None:
        """Follow the owner's changes: connections of removed and DISABLED nodes are cut off."""
        self._lb = lb
        present = {node.node_id for node in lb.nodes}
        served = {node.node_id for node in lb.nodes if node.condition is not Condition.DISABLED}
        self._credit = {key: value for key, value in self._credit.items() if key in present}
        for gone in self.established.keys() - present:
            del self.established[gone]
        for session in self._sessions:
            if session.node_id is not None and session.node_id not in served:
                session.abort()

    async def close(self) -> None:
        """Stop listening and cut everybody off; returns when no socket is left."""
        port, self._port = self._port, None
        for session in self._sessions:
            session.abort()
        if port is not None:
            await maybeDeferred(port.stopListening)
        await self._sessions.emptied()

    def connections(self, node_id: NodeId) -> int:
        """Return how many connections the node carries now, those being opened included."""
        return self._open[node_id]

    def buildProtocol(self, addr: IAddress | None) -> Side | None:
        """Take a client, unless there are too many or we are closing; then it is closed at once."""
        if self._port is None or len(self._sessions) >= self._max_connections:
            return None
        session = Session(self._clock, self._accepted, self._ended)
        self._sessions.add(session)
        return session.front

    def _accepted(self, session: Session) -> None:
        dialling = Deferred.fromCoroutine(self._dial(session)).addErrback(
            lambda failure: self.log.failure("session.broken {lb}", failure, lb=self._lb.lb_id)
        )
        if not dialling.called:
            session.dialling = dialling

    async def _dial(self, session: Session) -> None:
        """Find a node that takes the connection; with none the client is closed."""
        try:
            back = await self._connect_somewhere(session)
        except (CancelledError, ConnectingCancelledError):
            return
        finally:
            session.dialling = None
        if back is None:
            self._assign(session, None)
            session.front.finish()
            return
        session.start(back)

    async def _connect_somewhere(self, session: Session) -> Side | None:
        tried: set[NodeId] = set()
        for _ in range(DIAL_ATTEMPTS):
            able = [node for node in eligible_nodes(self._lb) if node.node_id not in tried]
            if not able:
                return None
            node, self._credit = choose(self._lb.algorithm, able, self._open, self._credit)
            tried.add(node.node_id)
            self._assign(session, node.node_id)
            try:
                back = await self._connect(session, node)
            except ConnectError:
                self._refused(node.node_id)
                continue
            self.established[node.node_id] += 1
            return back
        return None

    async def _connect(self, session: Session, node: Node) -> Side:
        endpoint = TCP4ClientEndpoint(
            self._tcp, node.address, node.port, timeout=DIAL_TIMEOUT.total_seconds()
        )
        side: Side = await connectProtocol(endpoint, Side(session))
        return side

    def _assign(self, session: Session, node_id: NodeId | None) -> None:
        """Count the session for this node, and for no other."""
        if session.node_id is not None:
            self._open[session.node_id] -= 1
            if not self._open[session.node_id]:
                del self._open[session.node_id]
        session.node_id = node_id
        if node_id is not None:
            self._open[node_id] += 1

    def _ended(self, session: Session) -> None:
        self._assign(session, None)
        self._sessions.discard(session)
