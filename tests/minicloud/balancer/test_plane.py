"""
What happens when a load balancer cannot listen where it wants to.
"""

import errno
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from minicloud.balancer import Balancers
from minicloud.balancer.balancers import ADDRESS_ATTEMPTS
from minicloud.balancer.errors import ImmutableError
from minicloud.balancer.model import Status
from minicloud.balancer.session import Side
from tests.minicloud.balancer.builders import a_new_load_balancer, a_node


class _Reactor(MemoryReactorClock):
    """A reactor whose first attempts to listen fail, when they bind or (``late``) thereafter."""

    def __init__(self, *errors: int, late: bool = False) -> None:
        super().__init__()
        self.errors = list(errors)
        self.late = late
        self.tried: list[str] = []

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        """Fail as told, then succeed."""
        self.tried.append(interface)
        if self.errors:
            error = OSError(self.errors.pop(0), "no")
            raise error if self.late else CannotListenError(interface, port, error)
        return super().listenTCP(port, factory, backlog, interface)


class ListeningTests(SynchronousTestCase):
    """Where a new load balancer listens."""

    def test_its_own_address(self) -> None:
        """It listens on its address and port, and says that it counts connections."""
        reactor = _Reactor()
        balancers = Balancers(reactor, data_plane=True)
        lb = balancers.create("p", a_new_load_balancer(a_node()))

        [(port, _, _, interface)] = reactor.tcpServers
        self.assertEqual((lb.port, lb.address), (port, interface))
        self.assertEqual(0, balancers.connections(1, 1))

    def test_port_in_use(self) -> None:
        """Another cloud on this machine has the address, so the next one is taken."""
        reactor = _Reactor(errno.EADDRINUSE, errno.EADDRINUSE)
        lb = Balancers(reactor, data_plane=True).create("p", a_new_load_balancer())

        self.assertEqual((Status.ACTIVE, "127.240.0.3"), (lb.status, lb.address))

    def test_race_for_a_port(self) -> None:
        """Two clouds bind an address at once, and only one can listen; the other moves on."""
        reactor = _Reactor(errno.EADDRINUSE, late=True)
        lb = Balancers(reactor, data_plane=True).create("p", a_new_load_balancer())

        self.assertEqual((Status.ACTIVE, "127.240.0.2"), (lb.status, lb.address))

    def test_bounded_search(self) -> None:
        """A port that is in use everywhere ends in ERROR, and the reason is shown."""
        reactor = _Reactor(*[errno.EADDRINUSE] * 100)
        lb = Balancers(reactor, data_plane=True).create("p", a_new_load_balancer())

        self.assertEqual(Status.ERROR, lb.status)
        self.assertIn("cannot listen", lb.fault)
        self.assertEqual(ADDRESS_ATTEMPTS, len(reactor.tried))

    def test_not_permitted(self) -> None:
        """A port that may not be used may not be used at any address."""
        reactor = _Reactor(errno.EACCES)
        balancers = Balancers(reactor, data_plane=True)
        lb = balancers.create("p", a_new_load_balancer(a_node()))

        self.assertEqual((Status.ERROR, 1), (lb.status, len(reactor.tried)))
        self.assertIsNone(balancers.connections(1, 1))
        self.assertRaises(ImmutableError, balancers.remove_nodes, "p", 1, [1])
        balancers.delete("p", 1)
        self.assertEqual(Status.DELETED, balancers.get("p", 1).status)

    def test_repaired(self) -> None:
        """An operator who made room can set it ACTIVE, and it listens."""
        reactor = _Reactor(errno.EACCES)
        balancers = Balancers(reactor, data_plane=True)
        balancers.create("p", a_new_load_balancer(a_node()))
        balancers.set_status(1, "ACTIVE")

        self.assertEqual((Status.ACTIVE, ""), _state(balancers))
        self.assertEqual(0, balancers.connections(1, 1))

    def test_node_removed_while_dialled(self) -> None:
        """A client that waits for a node's answer is not left waiting when the node goes."""
        reactor = _Reactor()
        balancers = Balancers(reactor, data_plane=True)
        balancers.create("p", a_new_load_balancer(a_node()))
        [(_, factory, _, _)] = reactor.tcpServers
        client = StringTransport()
        side = cast("Side", factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1)))
        side.makeConnection(client)
        self.assertEqual(1, balancers.connections(1, 1))
        balancers.remove_node(1, 1)
        self.assertTrue(client.disconnected)
        side.connectionLost(Failure(ConnectionDone()))

        self.assertEqual(0, balancers.connections(1, 1))
        self.assertTrue(reactor.connectors[0].stoppedConnecting)


def _state(balancers: Balancers) -> tuple[Status, str]:
    lb = balancers.get("p", 1)
    return lb.status, lb.fault
