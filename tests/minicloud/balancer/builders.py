"""
Make load balancers for tests, naming only what the test is about.
"""

from datetime import UTC, datetime, timedelta

from minicloud.balancer import rules
from minicloud.balancer.model import (
    Algorithm,
    HealthMonitor,
    LoadBalancer,
    LoadBalancerId,
    MonitorType,
    NewLoadBalancer,
    NewNode,
    NodeStatus,
    Protocol,
    Status,
)

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def a_monitor(
    kind: MonitorType = MonitorType.CONNECT, *, delay_seconds: float = 5, attempts: int = 2
) -> HealthMonitor:
    """Return a health monitor."""
    return HealthMonitor(
        kind=kind,
        delay=timedelta(seconds=delay_seconds),
        timeout=timedelta(seconds=3),
        attempts=attempts,
    )


def a_load_balancer(
    *nodes: NewNode,
    status: Status = Status.ACTIVE,
    algorithm: Algorithm = Algorithm.ROUND_ROBIN,
    monitor: HealthMonitor | None = None,
    node_status: NodeStatus = NodeStatus.ONLINE,
) -> LoadBalancer:
    """Return a load balancer whose nodes are numbered from 1."""
    empty = LoadBalancer(
        lb_id=LoadBalancerId(1),
        project="p1",
        name="web",
        protocol=Protocol.TCP,
        port=8080,
        address="127.240.0.1",
        algorithm=algorithm,
        status=status,
        created=START,
        updated=START,
        monitor=monitor,
    )
    return rules.add_nodes(empty, nodes, first_id=1, limit=100, status=node_status, now=START)


def a_new_load_balancer(
    *nodes: NewNode, port: int = 8080, monitor: HealthMonitor | None = None
) -> NewLoadBalancer:
    """Return what a create call asks for."""
    return NewLoadBalancer(
        name="web", protocol=Protocol.TCP, port=port, nodes=nodes, monitor=monitor
    )


def a_node(number: int = 1) -> NewNode:
    """Return a node at an address of its own."""
    return NewNode(address=f"10.0.0.{number}", port=80)
