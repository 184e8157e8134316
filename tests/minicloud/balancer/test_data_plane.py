"""
Real traffic over loopback sockets. Trial itself checks that every test leaves a clean reactor.
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from minicloud.balancer import Balancers
from minicloud.balancer.model import (
    Algorithm,
    Condition,
    HealthMonitor,
    LoadBalancer,
    NewNode,
    NodeChange,
    NodeStatus,
)
from minicloud.balancer.proxy import DIAL_ATTEMPTS, Proxy
from tests.minicloud.balancer.builders import a_load_balancer, a_monitor, a_new_load_balancer
from tests.minicloud.balancer.peers import Backend, Client, connect, reactor

PORT = 20_000 + os.getpid() % 10_000
"""Of this process alone: test processes that run side by side share the range of addresses."""
NAME_BYTES = 1


def node_of(backend: Backend) -> NewNode:
    """Return the backend as a node."""
    return NewNode(address="127.0.0.1", port=backend.port)


async def until(condition: Callable[[], bool]) -> None:
    """Let the reactor turn until the condition holds; the test's timeout is the limit."""
    while not condition():
        turn: Deferred[None] = deferLater(reactor, 0)
        await turn


class DataPlaneTests(TestCase):
    """A cloud that really forwards."""

    timeout = 20

    def setUp(self) -> None:
        """Start with a real cloud and no load balancer; everything is stopped afterwards."""
        self.balancers = Balancers(reactor, data_plane=True)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.balancers.stop()))

    def a_backend(self, name: bytes, *, counting: bool = False) -> Backend:
        """Start a server that is stopped after the test."""
        backend = Backend(name, counting=counting)
        self.addCleanup(lambda: Deferred.fromCoroutine(backend.stop()))
        return backend

    async def a_dead_node(self) -> NewNode:
        """Return a node whose port refuses connections."""
        backend = Backend(b"x")
        await backend.stop()
        return node_of(backend)

    def a_running_balancer(
        self, *nodes: NewNode, monitor: HealthMonitor | None = None
    ) -> LoadBalancer:
        """Create a load balancer that listens."""
        lb = self.balancers.create("p", a_new_load_balancer(*nodes, port=PORT, monitor=monitor))
        self.assertEqual("", lb.fault)
        return lb

    async def a_client(self, lb: LoadBalancer) -> tuple[Client, bytes]:
        """Connect to the load balancer; return the connection and the name of its backend."""
        client = await connect(lb.address, lb.port)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        return client, await client.read(NAME_BYTES)

    def counts(self) -> list[tuple[Any, Any]]:
        """Return open and total connections of the first load balancer's nodes."""
        nodes: Any = self.balancers.describe()[0]["nodes"]
        return [(node["connections"], node["total_connections"]) for node in nodes]

    async def test_round_robin(self) -> None:
        """Nodes take turns, and the counts tell what is open and what ever was."""
        backends = [self.a_backend(name) for name in (b"a", b"b", b"c")]
        lb = self.a_running_balancer(*map(node_of, backends))
        clients = [await self.a_client(lb) for _ in range(9)]

        self.assertEqual({b"a": 3, b"b": 3, b"c": 3}, dict(Counter(name for _, name in clients)))
        self.assertEqual([(3, 3)] * 3, self.counts())
        self.assertEqual(3, self.balancers.connections(lb.lb_id, lb.nodes[0].node_id))

    async def test_least_connections(self) -> None:
        """A node that joins later gets all new connections until it carries as many."""
        lb = self.a_running_balancer(node_of(self.a_backend(b"a")))
        await self.a_client(lb)
        await self.a_client(lb)
        self.balancers.add_nodes("p", lb.lb_id, [node_of(self.a_backend(b"b"))])
        least = Algorithm.LEAST_CONNECTIONS
        self.balancers.configure("p", lb.lb_id, name=None, algorithm=least)

        self.assertEqual([b"b", b"b"], [(await self.a_client(lb))[1] for _ in range(2)])
        self.assertEqual([(2, 2), (2, 2)], self.counts())

    async def test_both_directions(self) -> None:
        """Bytes arrive whole and in order, more of them than any buffer holds."""
        lb = self.a_running_balancer(node_of(self.a_backend(b"a")))
        client, _ = await self.a_client(lb)
        payload = bytes(range(256)) * 16384
        client.write(payload)

        self.assertEqual(payload, await client.read(len(payload)))

    async def test_half_close(self) -> None:
        """A client that has said all still gets its answer."""
        lb = self.a_running_balancer(node_of(self.a_backend(b"a", counting=True)))
        client = await connect(lb.address, lb.port)
        client.write(b"x" * 100_000)
        client.end()

        self.assertEqual(b"100000", await client.read(100))
        await client.closed

    async def test_draining(self) -> None:
        """A draining node keeps the connection it has, gets no new one, and is empty in the end."""
        lb = self.a_running_balancer(node_of(self.a_backend(b"a")), node_of(self.a_backend(b"b")))
        kept, name = await self.a_client(lb)
        self.assertEqual(b"a", name)
        draining = NodeChange(condition=Condition.DRAINING)
        self.balancers.update_node("p", lb.lb_id, lb.nodes[0].node_id, draining)

        self.assertEqual([b"b"] * 4, [(await self.a_client(lb))[1] for _ in range(4)])
        kept.write(b"still here")
        self.assertEqual(b"still here", await kept.read(10))
        self.assertEqual((1, 1), self.counts()[0])
        await kept.close()
        await until(lambda: self.counts()[0] == (0, 1))

    async def test_disabled_and_removed(self) -> None:
        """Both cut off the connections of their node, and of no other."""
        backends = [self.a_backend(name) for name in (b"a", b"b", b"c")]
        lb = self.a_running_balancer(*map(node_of, backends))
        made = [await self.a_client(lb) for _ in range(3)]
        clients = {name: client for client, name in made}
        self.assertEqual({b"a", b"b", b"c"}, set(clients))
        disabled = NodeChange(condition=Condition.DISABLED)
        self.balancers.update_node("p", lb.lb_id, lb.nodes[0].node_id, disabled)
        self.balancers.remove_nodes("p", lb.lb_id, [lb.nodes[1].node_id])

        await clients[b"a"].closed
        await clients[b"b"].closed
        clients[b"c"].write(b"x")
        self.assertEqual(b"x", await clients[b"c"].read(1))
        self.assertEqual(b"c", (await self.a_client(lb))[1])

    async def test_dead_node(self) -> None:
        """A node that refuses is passed over, and the client notices nothing."""
        lb = self.a_running_balancer(await self.a_dead_node(), node_of(self.a_backend(b"b")))

        self.assertEqual([b"b"] * 3, [(await self.a_client(lb))[1] for _ in range(3)])
        self.assertEqual([(0, 0), (3, 3)], self.counts())
        self.assertEqual(NodeStatus.ONLINE, self.balancers.get("p", lb.lb_id).nodes[0].status)

    async def test_dead_node_with_monitor(self) -> None:
        """With a monitor, which can bring it back, a node that refuses is OFFLINE at once."""
        lb = self.a_running_balancer(
            await self.a_dead_node(),
            node_of(self.a_backend(b"b")),
            monitor=a_monitor(delay_seconds=3600, attempts=10),
        )
        self.assertEqual([NodeStatus.OFFLINE] * 2, [node.status for node in lb.nodes])
        for node in lb.nodes:
            self.balancers.change_node(lb.lb_id, node.node_id, status="ONLINE")

        self.assertEqual(b"b", (await self.a_client(lb))[1])
        self.assertEqual(
            [NodeStatus.OFFLINE, NodeStatus.ONLINE],
            [node.status for node in self.balancers.get("p", lb.lb_id).nodes],
        )

    async def test_checked_node_comes_online(self) -> None:
        """A new node of a monitored load balancer gets traffic once a check has reached it."""
        lb = self.a_running_balancer(
            node_of(self.a_backend(b"a")), monitor=a_monitor(delay_seconds=3600)
        )

        await until(lambda: self.balancers.get("p", lb.lb_id).nodes[0].status is NodeStatus.ONLINE)
        self.assertEqual(b"a", (await self.a_client(lb))[1])

    async def test_nobody_there(self) -> None:
        """Without nodes the client is closed, and so it is after a bounded number of refusals."""
        empty = self.a_running_balancer()
        dead = self.a_running_balancer(
            *[await self.a_dead_node() for _ in range(DIAL_ATTEMPTS)],
            node_of(self.a_backend(b"a")),
        )

        self.assertEqual(b"", (await self.a_client(empty))[1])
        self.assertEqual(b"", (await self.a_client(dead))[1])

    async def test_two_balancers_one_port(self) -> None:
        """Addresses of their own let many load balancers use the same port."""
        first = self.a_running_balancer(node_of(self.a_backend(b"a")))
        second = self.a_running_balancer(node_of(self.a_backend(b"b")))

        self.assertEqual(
            (b"a", b"b"),
            (
                (await self.a_client(first))[1],
                (await self.a_client(second))[1],
            ),
        )

    async def test_deleted(self) -> None:
        """Deletion cuts connections off and closes the port."""
        lb = self.a_running_balancer(node_of(self.a_backend(b"a")))
        client, _ = await self.a_client(lb)
        self.balancers.delete("p", lb.lb_id)

        await client.closed
        with self.assertRaises(ConnectError):
            await connect(lb.address, lb.port)

    async def test_revived(self) -> None:
        """A load balancer commanded from DELETED back to ACTIVE carries traffic again."""
        lb = self.a_running_balancer(node_of(self.a_backend(b"a")))
        self.balancers.set_status(lb.lb_id, "DELETED")
        await self.balancers.stop()
        self.balancers.set_status(lb.lb_id, "ACTIVE")

        self.assertEqual(b"a", (await self.a_client(lb))[1])

    async def test_stop_and_reset(self) -> None:
        """Both end all traffic; after a reset the same port serves new load balancers."""
        lb = self.a_running_balancer(node_of(self.a_backend(b"a")))
        client, _ = await self.a_client(lb)
        self.balancers.reset()
        await client.closed
        again = self.a_running_balancer(node_of(self.a_backend(b"b")))
        client, name = await self.a_client(again)
        self.assertEqual(b"b", name)
        await self.balancers.stop()

        await client.closed
        with self.assertRaises(ConnectError):
            await connect(again.address, again.port)

    async def test_bounded_connections(self) -> None:
        """One client too many is closed at once, and those before it are not disturbed."""
        backend = self.a_backend(b"a")
        lb = a_load_balancer(node_of(backend))
        port = Backend(b"x")
        await port.stop()
        proxy = Proxy(
            reactor, reactor, evolve(lb, port=port.port), refused=self.fail, max_connections=1
        )
        proxy.listen("127.0.0.1")
        self.addCleanup(lambda: Deferred.fromCoroutine(proxy.close()))
        first = await connect("127.0.0.1", port.port)
        self.assertEqual(b"a", await first.read(1))
        second = await connect("127.0.0.1", port.port)

        self.assertEqual(b"", await second.read(1))
        first.write(b"y")
        self.assertEqual(b"y", await first.read(1))
        await first.close()
