"""
All load balancers of a cloud: what is kept, for how long, and what those in command may do.
"""

from datetime import timedelta

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from minicloud.balancer import Balancers
from minicloud.balancer.balancers import DELETED_KEPT
from minicloud.balancer.errors import (
    DuplicateNodesError,
    LoadBalancerNotFoundError,
    NodeNotFoundError,
    UnknownNodesError,
)
from minicloud.balancer.model import Condition, NodeStatus, NodeType, Status
from tests.minicloud.balancer.builders import a_monitor, a_new_load_balancer, a_node


class BalancersTests(SynchronousTestCase):
    """Without a data plane."""

    def setUp(self) -> None:
        """Start with a cloud that takes two seconds for a change."""
        self.clock = Clock()
        self.balancers = Balancers(self.clock, data_plane=False, update_time=timedelta(seconds=2))

    def test_addresses_are_apart(self) -> None:
        """Each load balancer has an address of its own in the reserved range."""
        addresses = [self.balancers.create("p", a_new_load_balancer()).address for _ in range(300)]

        self.assertEqual(300, len(set(addresses)))
        self.assertTrue(all(address.startswith("127.240.") for address in addresses))

    def test_refused_creation_leaves_nothing(self) -> None:
        """A creation with impossible nodes uses up no id and keeps nothing."""
        self.assertRaises(
            DuplicateNodesError,
            self.balancers.create,
            "p",
            a_new_load_balancer(a_node(), a_node()),
        )

        self.assertEqual([], self.balancers.describe())
        self.assertEqual(1, self.balancers.create("p", a_new_load_balancer()).lb_id)

    def test_commanded_status_ends_the_wait(self) -> None:
        """A status set while a change is pending is not overwritten when the change is done."""
        self.balancers.create("p", a_new_load_balancer())
        self.balancers.set_status(1, "PENDING_UPDATE")
        self.clock.advance(60)

        self.assertEqual(Status.PENDING_UPDATE, self.balancers.get("p", 1).status)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_impossible_commands(self) -> None:
        """Commands name what exists, or fail without effect."""
        self.balancers.create("p", a_new_load_balancer(a_node()))
        before = self.balancers.describe()

        self.assertRaises(LoadBalancerNotFoundError, self.balancers.set_status, 9, "ACTIVE")
        self.assertRaises(ValueError, self.balancers.set_status, 1, "SLEEPY")
        self.assertRaises(ValueError, self.balancers.change_node, 1, 1, condition="LAZY")
        self.assertRaises(NodeNotFoundError, self.balancers.change_node, 1, 9, status="OFFLINE")
        self.assertRaises(UnknownNodesError, self.balancers.remove_node, 1, 9)
        self.assertEqual(before, self.balancers.describe())

    def test_out_of_band(self) -> None:
        """Nodes change and vanish whatever the status, without making the balancer busy."""
        self.balancers.create("p", a_new_load_balancer(a_node(1), a_node(2)))
        self.balancers.set_status(1, "PENDING_UPDATE")
        self.balancers.change_node(
            1, 2, condition="DRAINING", status="OFFLINE", type="SECONDARY", weight=4
        )
        self.balancers.remove_node(1, 1)

        [node] = self.balancers.get("p", 1).nodes
        self.assertEqual(
            (2, Condition.DRAINING, NodeStatus.OFFLINE, NodeType.SECONDARY, 4),
            (node.node_id, node.condition, node.status, node.type, node.weight),
        )
        self.assertEqual([], self.clock.getDelayedCalls()[1:])

    def test_describe(self) -> None:
        """The status page gets plain values of every project."""
        self.balancers.create("p", a_new_load_balancer(a_node()))
        self.balancers.create("q", a_new_load_balancer(port=81))
        described = self.balancers.describe()

        self.assertEqual(
            {
                "id": 1,
                "project": "p",
                "name": "web",
                "status": "BUILD",
                "fault": "",
                "protocol": "TCP",
                "address": "127.240.0.1",
                "port": 8080,
                "nodes": [
                    {
                        "id": 1,
                        "address": "10.0.0.1",
                        "port": 80,
                        "condition": "ENABLED",
                        "status": "ONLINE",
                        "weight": 1,
                        "connections": 0,
                        "total_connections": 0,
                    }
                ],
            },
            described[0],
        )
        self.assertEqual(("q", 81), (described[1]["project"], described[1]["port"]))

    def test_deleted_ones_are_forgotten_in_the_end(self) -> None:
        """The newest deleted ones stay to be looked at; there is no end to creating otherwise."""
        self.balancers.set_update_time(0)
        for lb_id in range(1, DELETED_KEPT + 3):
            self.balancers.create("p", a_new_load_balancer())
            self.balancers.delete("p", lb_id)
            self.clock.advance(1)

        self.assertEqual(
            list(range(3, DELETED_KEPT + 3)), [lb["id"] for lb in self.balancers.describe()]
        )
        self.assertRaises(LoadBalancerNotFoundError, self.balancers.get, "p", 2)

    def test_reset(self) -> None:
        """Afterwards nothing is known, nothing waits, and ids start again."""
        self.balancers.create("p", a_new_load_balancer(a_node()))
        self.balancers.reset()

        self.assertEqual([], self.balancers.describe())
        self.assertEqual([], self.clock.getDelayedCalls())
        again = self.balancers.create("p", a_new_load_balancer(a_node()))
        self.assertEqual((1, 1), (again.lb_id, again.nodes[0].node_id))

    def test_stop(self) -> None:
        """A change that was pending keeps no timer alive."""
        self.balancers.create("p", a_new_load_balancer())
        self.successResultOf(Deferred.fromCoroutine(self.balancers.stop()))

        self.assertEqual([], self.clock.getDelayedCalls())

    def test_monitored_without_checks(self) -> None:
        """Nodes of an unchecking cloud are ONLINE even with a monitor, until it is commanded."""
        lb = self.balancers.create("p", a_new_load_balancer(a_node(), monitor=a_monitor()))

        self.assertEqual(NodeStatus.ONLINE, lb.nodes[0].status)

    def test_own_clock(self) -> None:
        """Statuses follow the cloud's time, which may be driven while traffic is real."""
        driven = Clock()
        balancers = Balancers(
            MemoryReactorClock(),
            data_plane=True,
            update_time=timedelta(hours=1),
            clock=driven,
        )
        balancers.create("p", a_new_load_balancer())
        driven.advance(3600)

        self.assertEqual(Status.ACTIVE, balancers.get("p", 1).status)
        self.assertIsNotNone(balancers.connections(1, 1))
