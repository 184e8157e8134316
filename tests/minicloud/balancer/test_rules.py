"""
How a load balancer may change.
"""

from datetime import timedelta

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from minicloud.balancer import rules
from minicloud.balancer.errors import (
    DuplicateNodesError,
    ImmutableError,
    LoadBalancerDeletedError,
    NodeLimitError,
    NodeNotFoundError,
    NoHealthMonitorError,
    UnknownNodesError,
)
from minicloud.balancer.model import (
    Algorithm,
    Condition,
    EventType,
    LoadBalancer,
    Node,
    NodeChange,
    NodeId,
    NodeStatus,
    NodeType,
    Status,
)
from tests.minicloud.balancer.builders import START, a_load_balancer, a_monitor, a_node

LATER = START + timedelta(minutes=1)


class MutabilityTests(SynchronousTestCase):
    """When a change is let in."""

    def test_active(self) -> None:
        """An ACTIVE load balancer takes changes and can be deleted."""
        lb = a_load_balancer()

        rules.check_mutable(lb)
        rules.check_deletable(lb)

    def test_busy(self) -> None:
        """Busy ones take nothing, and the error says which status is in the way."""
        for status in (Status.BUILD, Status.PENDING_UPDATE, Status.PENDING_DELETE, Status.ERROR):
            error = self.assertRaises(
                ImmutableError, rules.check_mutable, a_load_balancer(status=status)
            )

            self.assertEqual(status, error.status)

    def test_deleted(self) -> None:
        """Deleted is told from busy, since waiting would be in vain."""
        lb = a_load_balancer(status=Status.DELETED)

        self.assertRaises(LoadBalancerDeletedError, rules.check_mutable, lb)
        self.assertRaises(LoadBalancerDeletedError, rules.check_deletable, lb)

    def test_broken_is_deletable(self) -> None:
        """Deleting is the only way to get rid of a broken one."""
        rules.check_deletable(a_load_balancer(status=Status.ERROR))

        self.assertRaises(
            ImmutableError, rules.check_deletable, a_load_balancer(status=Status.PENDING_UPDATE)
        )


class AddNodesTests(SynchronousTestCase):
    """Adding nodes, all or none."""

    def test_numbers_and_dates(self) -> None:
        """Nodes are numbered from the given id, dated, and written into the history."""
        lb = rules.add_nodes(
            a_load_balancer(),
            [a_node(1), evolve(a_node(2), condition=Condition.DRAINING, weight=7)],
            first_id=40,
            limit=2,
            status=NodeStatus.OFFLINE,
            now=LATER,
        )

        self.assertEqual(
            (
                Node(NodeId(40), "10.0.0.1", 80, status=NodeStatus.OFFLINE),
                Node(
                    NodeId(41),
                    "10.0.0.2",
                    80,
                    condition=Condition.DRAINING,
                    weight=7,
                    status=NodeStatus.OFFLINE,
                ),
            ),
            lb.nodes,
        )
        self.assertEqual(LATER, lb.updated)
        self.assertEqual(
            [(1, EventType.CREATED, lb.nodes[0]), (2, EventType.CREATED, lb.nodes[1])],
            [(event.number, event.kind, event.node) for event in lb.events],
        )

    def _add(self, lb: LoadBalancer, *numbers: int, limit: int = 10) -> LoadBalancer:
        wanted = [a_node(number) for number in numbers]
        return rules.add_nodes(
            lb, wanted, first_id=10, limit=limit, status=NodeStatus.ONLINE, now=LATER
        )

    def test_duplicates(self) -> None:
        """The same address and port is refused, on the load balancer or within one call."""
        lb = a_load_balancer(a_node(1))

        error = self.assertRaises(DuplicateNodesError, self._add, lb, 2, 1)
        self.assertEqual((("10.0.0.1", 80),), error.members)
        self.assertRaises(DuplicateNodesError, self._add, lb, 2, 2)

    def test_same_address_other_port(self) -> None:
        """Two services of one server are two nodes."""
        lb = a_load_balancer(a_node(1), evolve(a_node(1), port=81))

        self.assertEqual([80, 81], [node.port for node in lb.nodes])

    def test_limit(self) -> None:
        """The limit itself is reached, one more is refused with all others of its call."""
        lb = a_load_balancer(a_node(1))

        self.assertEqual(3, len(self._add(lb, 2, 3, limit=3).nodes))
        self.assertEqual(
            3, self.assertRaises(NodeLimitError, self._add, lb, 2, 3, 4, limit=3).limit
        )


class ChangeNodeTests(SynchronousTestCase):
    """Changing what a node is told and what is known about it."""

    def test_only_what_is_named(self) -> None:
        """What a change does not name stays."""
        lb = a_load_balancer(a_node(1), a_node(2))

        changed = rules.change_node(lb, 2, NodeChange(condition=Condition.DRAINING), now=LATER)

        self.assertEqual(
            (lb.nodes[0], evolve(lb.nodes[1], condition=Condition.DRAINING)), changed.nodes
        )
        self.assertEqual(EventType.UPDATED, changed.events[-1].kind)
        self.assertEqual(LATER, changed.events[-1].when)

    def test_all_properties(self) -> None:
        """Condition, type and weight can change together."""
        change = NodeChange(condition=Condition.DISABLED, type=NodeType.SECONDARY, weight=9)

        [node] = rules.change_node(a_load_balancer(a_node()), 1, change, now=LATER).nodes

        self.assertEqual(
            (Condition.DISABLED, NodeType.SECONDARY, 9), (node.condition, node.type, node.weight)
        )

    def test_unknown(self) -> None:
        """A node that is not there cannot change."""
        error = self.assertRaises(
            NodeNotFoundError, rules.change_node, a_load_balancer(), 3, NodeChange(), now=LATER
        )

        self.assertEqual((1, 3), (error.lb_id, error.node_id))

    def test_status_news_only(self) -> None:
        """A check that finds what was known writes no history, or checks would flood the feed."""
        lb = a_load_balancer(a_node())

        offline = rules.set_node_status(lb, 1, NodeStatus.OFFLINE, now=LATER)

        self.assertIs(lb, rules.set_node_status(lb, 1, NodeStatus.ONLINE, now=LATER))
        self.assertEqual(NodeStatus.OFFLINE, offline.nodes[0].status)
        self.assertEqual(EventType.STATUS, offline.events[-1].kind)


class RemoveNodesTests(SynchronousTestCase):
    """Removing nodes, all or none."""

    def test_removes(self) -> None:
        """The named ones go, into the history."""
        lb = a_load_balancer(a_node(1), a_node(2), a_node(3))

        left = rules.remove_nodes(lb, [1, 3], now=LATER)

        self.assertEqual((lb.nodes[1],), left.nodes)
        self.assertEqual(
            [(EventType.DELETED, 1), (EventType.DELETED, 3)],
            [(event.kind, event.node.node_id) for event in left.events[-2:]],
        )

    def test_unknown(self) -> None:
        """Unknown ones are all named."""
        lb = a_load_balancer(a_node(1))

        error = self.assertRaises(UnknownNodesError, rules.remove_nodes, lb, [9, 1, 8], now=LATER)

        self.assertEqual((8, 9), error.node_ids)


class OtherRulesTests(SynchronousTestCase):
    """The load balancer's own properties, its monitor and its history."""

    def test_configure(self) -> None:
        """Name and algorithm change separately."""
        lb = a_load_balancer()

        renamed = rules.configure(lb, name="x", algorithm=None, now=LATER)
        least = rules.configure(lb, name=None, algorithm=Algorithm.LEAST_CONNECTIONS, now=LATER)

        self.assertEqual(evolve(lb, name="x", updated=LATER), renamed)
        self.assertEqual(evolve(lb, algorithm=Algorithm.LEAST_CONNECTIONS, updated=LATER), least)

    def test_monitor_removed(self) -> None:
        """Without a monitor nobody could bring a node back, so all are ONLINE."""
        lb = a_load_balancer(a_node(), monitor=a_monitor(), node_status=NodeStatus.OFFLINE)

        unmonitored = rules.remove_monitor(lb, now=LATER)

        self.assertIsNone(unmonitored.monitor)
        self.assertEqual(NodeStatus.ONLINE, unmonitored.nodes[0].status)
        self.assertRaises(NoHealthMonitorError, rules.remove_monitor, unmonitored, now=LATER)

    def test_monitor_set(self) -> None:
        """Nodes keep the status they have until they are checked."""
        lb = a_load_balancer(a_node())

        monitored = rules.set_monitor(lb, a_monitor(), now=LATER)

        self.assertEqual((a_monitor(), lb.nodes), (monitored.monitor, monitored.nodes))

    def test_history_is_bounded(self) -> None:
        """Old events go, numbers go on."""
        lb = a_load_balancer(a_node())
        for weight in range(1, rules.EVENTS_KEPT + 10):
            lb = rules.change_node(lb, 1, NodeChange(weight=weight), now=LATER)

        self.assertEqual(rules.EVENTS_KEPT, len(lb.events))
        self.assertEqual(rules.EVENTS_KEPT + 10, lb.events[-1].number)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(Condition), st.sampled_from(NodeStatus), st.sampled_from(NodeType)
            ),
            max_size=6,
        )
    )
    def test_eligible(self, kinds: list[tuple[Condition, NodeStatus, NodeType]]) -> None:
        """
        Only ENABLED nodes that are ONLINE take connections, SECONDARY ones only if no PRIMARY can.
        """
        lb = a_load_balancer()
        nodes = tuple(
            Node(NodeId(number), "10.0.0.1", number, condition=condition, status=status, type=kind)
            for number, (condition, status, kind) in enumerate(kinds, start=1)
        )

        eligible = rules.eligible_nodes(evolve(lb, nodes=nodes))

        able = [
            node
            for node in nodes
            if (node.condition, node.status) == (Condition.ENABLED, NodeStatus.ONLINE)
        ]
        self.assertLessEqual(set(eligible), set(able))
        self.assertEqual(bool(able), bool(eligible))
        primaries = {node for node in able if node.type is NodeType.PRIMARY}
        self.assertEqual(primaries or set(able), set(eligible))
