"""
Which node takes the next connection.
"""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from minicloud.balancer.choosing import Credits, choose
from minicloud.balancer.model import Algorithm, Node, NodeId


def _nodes(weights: list[int]) -> list[Node]:
    return [
        Node(NodeId(number), "10.0.0.1", number, weight=weight)
        for number, weight in enumerate(weights, start=1)
    ]


class ChoosingTests(SynchronousTestCase):
    """Round robin and least connections."""

    def test_takes_turns(self) -> None:
        """Equal nodes take strict turns."""
        credit: Credits = {}
        order = []
        for _ in range(6):
            node, credit = choose(Algorithm.ROUND_ROBIN, _nodes([1, 1, 1]), {}, credit)
            order.append(node.node_id)

        self.assertEqual([1, 2, 3, 1, 2, 3], order)

    @given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 3))
    def test_fair_by_weight(self, weights: list[int], rounds: int) -> None:
        """In any whole round each node gets exactly as many turns as it weighs."""
        nodes = _nodes(weights)
        credit: Credits = {}
        turns: Counter[NodeId] = Counter()
        for _ in range(rounds * sum(weights)):
            node, credit = choose(Algorithm.ROUND_ROBIN, nodes, {}, credit)
            turns[node.node_id] += 1

        self.assertEqual({node.node_id: rounds * node.weight for node in nodes}, dict(turns))

    @given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 50)), min_size=1, max_size=6))
    def test_least_connections(self, loads: list[tuple[int, int]]) -> None:
        """Nobody carries less for its weight than the chosen one."""
        nodes = _nodes([weight for weight, _ in loads])
        connections = {node.node_id: count for node, (_, count) in zip(nodes, loads, strict=True)}

        chosen, _ = choose(Algorithm.LEAST_CONNECTIONS, nodes, connections, {})

        self.assertEqual(
            min(connections[node.node_id] / node.weight for node in nodes),
            connections[chosen.node_id] / chosen.weight,
        )

    def test_least_connections_takes_turns_among_equals(self) -> None:
        """Short connections would otherwise all go to the first node."""
        credit: Credits = {}
        order = []
        for _ in range(4):
            node, credit = choose(Algorithm.LEAST_CONNECTIONS, _nodes([1, 1]), {}, credit)
            order.append(node.node_id)

        self.assertEqual([1, 2, 1, 2], order)
