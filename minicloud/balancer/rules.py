"""
Decide how a load balancer may change. Pure: one record goes in, the next one comes out.

Every function that changes nodes also writes the history that the node feed shows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import evolve

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
    HealthMonitor,
    LoadBalancer,
    NewNode,
    Node,
    NodeChange,
    NodeEvent,
    NodeId,
    NodeStatus,
    NodeType,
    Status,
)

EVENTS_KEPT = 1000


def check_mutable(lb: LoadBalancer) -> None:
    """
    Let only an ACTIVE load balancer pass.

    :raises LoadBalancerDeletedError: it is gone.
    :raises ImmutableError: it is busy, broken or leaving.
    """
    check_not_deleted(lb)
    if lb.status is not Status.ACTIVE:
        raise ImmutableError(lb.lb_id, lb.status)


def check_deletable(lb: LoadBalancer) -> None:
    """
    Let pass what can be deleted: a broken load balancer too, or nobody could get rid of it.

    :raises LoadBalancerDeletedError: it is gone already.
    :raises ImmutableError: it is busy or leaving.
    """
    if lb.status is not Status.ERROR:
        check_mutable(lb)


def check_not_deleted(lb: LoadBalancer) -> None:
    """
    Let pass whatever still has parts to look at.

    :raises LoadBalancerDeletedError: it is gone.
    """
    if lb.status is Status.DELETED:
        raise LoadBalancerDeletedError(lb.lb_id)


def find_node(lb: LoadBalancer, node_id: int) -> Node:
    """
    Return the node.

    :raises NodeNotFoundError: there is none with this id.
    """
    for node in lb.nodes:
        if node.node_id == node_id:
            return node
    raise NodeNotFoundError(lb.lb_id, node_id)


def add_nodes(
    lb: LoadBalancer,
    wanted: Sequence[NewNode],
    *,
    first_id: int,
    limit: int,
    status: NodeStatus,
    now: datetime,
) -> LoadBalancer:
    """
    Return the load balancer with all the wanted nodes, numbered from ``first_id``.

    :param status: what a node counts as before its first health check.
    :raises DuplicateNodesError: an address and port would be there twice; none was added.
    :raises NodeLimitError: they would be too many; none was added.
    """
    members = Counter((node.address, node.port) for node in lb.nodes)
    members.update((node.address, node.port) for node in wanted)
    twice = [member for member, count in members.items() if count > 1]
    if twice:
        raise DuplicateNodesError(lb.lb_id, twice)
    if members.total() > limit:
        raise NodeLimitError(lb.lb_id, limit)
    added = [
        Node(
            node_id=NodeId(first_id + offset),
            address=node.address,
            port=node.port,
            condition=node.condition,
            type=node.type,
            weight=node.weight,
            status=status,
        )
        for offset, node in enumerate(wanted)
    ]
    return _with_events(
        evolve(lb, nodes=(*lb.nodes, *added), updated=now), EventType.CREATED, added, now
    )


def change_node(
    lb: LoadBalancer, node_id: int, change: NodeChange, *, now: datetime
) -> LoadBalancer:
    """
    Return the load balancer with one node changed.

    :raises NodeNotFoundError: there is none with this id.
    """
    node = find_node(lb, node_id)
    changed = evolve(
        node,
        condition=change.condition or node.condition,
        type=change.type or node.type,
        weight=node.weight if change.weight is None else change.weight,
    )
    return _with_events(_replaced(lb, changed, now), EventType.UPDATED, [changed], now)


def set_node_status(
    lb: LoadBalancer, node_id: int, status: NodeStatus, *, now: datetime
) -> LoadBalancer:
    """
    Return the load balancer with what is known about the node's health.

    The feed gets an entry only if that is news.

    :raises NodeNotFoundError: there is none with this id.
    """
    node = find_node(lb, node_id)
    if node.status is status:
        return lb
    changed = evolve(node, status=status)
    return _with_events(_replaced(lb, changed, now), EventType.STATUS, [changed], now)


def remove_nodes(lb: LoadBalancer, node_ids: Iterable[int], *, now: datetime) -> LoadBalancer:
    """
    Return the load balancer without these nodes.

    :raises UnknownNodesError: some are not there; none was removed.
    """
    leaving = set(node_ids)
    unknown = leaving - {node.node_id for node in lb.nodes}
    if unknown:
        raise UnknownNodesError(lb.lb_id, sorted(unknown))
    gone = [node for node in lb.nodes if node.node_id in leaving]
    kept = tuple(node for node in lb.nodes if node.node_id not in leaving)
    return _with_events(evolve(lb, nodes=kept, updated=now), EventType.DELETED, gone, now)


def configure(
    lb: LoadBalancer, *, name: str | None, algorithm: Algorithm | None, now: datetime
) -> LoadBalancer:
    """Return the load balancer renamed, or balancing differently."""
    return evolve(
        lb,
        name=lb.name if name is None else name,
        algorithm=algorithm or lb.algorithm,
        updated=now,
    )


def set_monitor(lb: LoadBalancer, monitor: HealthMonitor, *, now: datetime) -> LoadBalancer:
    """Return the load balancer with this health monitor; its nodes keep the status they have."""
    return evolve(lb, monitor=monitor, updated=now)


def remove_monitor(lb: LoadBalancer, *, now: datetime) -> LoadBalancer:
    """
    Return the load balancer unmonitored, so every node counts as ONLINE again.

    :raises NoHealthMonitorError: there is no monitor.
    """
    if lb.monitor is None:
        raise NoHealthMonitorError(lb.lb_id)
    for node in lb.nodes:
        lb = set_node_status(lb, node.node_id, NodeStatus.ONLINE, now=now)
    return evolve(lb, monitor=None, updated=now)


def eligible_nodes(lb: LoadBalancer) -> tuple[Node, ...]:
    """Return the nodes that may take a new connection."""
    able = [
        node
        for node in lb.nodes
        if node.condition is Condition.ENABLED and node.status is NodeStatus.ONLINE
    ]
    primary = tuple(node for node in able if node.type is NodeType.PRIMARY)
    return primary or tuple(able)


def _replaced(lb: LoadBalancer, changed: Node, now: datetime) -> LoadBalancer:
    nodes = tuple(changed if node.node_id == changed.node_id else node for node in lb.nodes)
    return evolve(lb, nodes=nodes, updated=now)


def _with_events(
    lb: LoadBalancer, kind: EventType, nodes: Sequence[Node], now: datetime
) -> LoadBalancer:
    fresh = [
        NodeEvent(number=lb.event_count + offset, kind=kind, node=node, when=now)
        for offset, node in enumerate(nodes, start=1)
    ]
    return evolve(
        lb,
        events=(*lb.events, *fresh)[-EVENTS_KEPT:],
        event_count=lb.event_count + len(fresh),
    )
