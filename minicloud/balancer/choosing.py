"""
Decide which node takes the next connection.

Pure. Round robin is the smooth weighted kind: each turn every node earns its weight in credit, the
richest is chosen and pays what all earned. Equal weights give plain turns, and a heavy node's
turns are spread between the others' rather than bunched.
"""

from collections.abc import Mapping, Sequence

from minicloud.balancer.model import Algorithm, Node, NodeId

Credits = Mapping[NodeId, int]


def choose(
    algorithm: Algorithm,
    nodes: Sequence[Node],
    connections: Mapping[NodeId, int],
    credit: Credits,
) -> tuple[Node, Credits]:
    """
    Return the node for the next connection, and the credits for the turn after it.

    :param nodes: those that may be chosen; at least one.
    :param connections: how many connections each node carries; absent means none.
    """
    able = nodes
    if algorithm is Algorithm.LEAST_CONNECTIONS:
        least = min(_load(node, connections) for node in nodes)
        able = [node for node in nodes if _load(node, connections) == least]
    earned = {node.node_id: credit.get(node.node_id, 0) + node.weight for node in able}
    chosen = max(able, key=lambda node: earned[node.node_id])
    earned[chosen.node_id] -= sum(node.weight for node in able)
    return chosen, {**credit, **earned}


def _load(node: Node, connections: Mapping[NodeId, int]) -> float:
    return connections.get(node.node_id, 0) / node.weight
