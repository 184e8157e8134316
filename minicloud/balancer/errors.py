"""
Why a load balancer refuses a call. The faces turn these into their API's own answers.
"""

from collections.abc import Sequence


class BalancerError(Exception):
    """Any refusal; its text is for people."""


class LoadBalancerNotFoundError(BalancerError):
    """The project has no such load balancer."""

    def __init__(self, lb_id: int) -> None:
        super().__init__(f"load balancer {lb_id} does not exist")
        self.lb_id = lb_id


class LoadBalancerDeletedError(BalancerError):
    """It existed, is deleted, and is remembered only so that clients can see that."""

    def __init__(self, lb_id: int) -> None:
        super().__init__(f"load balancer {lb_id} is deleted")
        self.lb_id = lb_id


class ImmutableError(BalancerError):
    """It takes no change in its present status."""

    def __init__(self, lb_id: int, status: str) -> None:
        super().__init__(f"load balancer {lb_id} is {status} and takes no change")
        self.lb_id = lb_id
        self.status = status


class LoadBalancerLimitError(BalancerError):
    """The cloud has as many load balancers as it can serve."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are already {limit} load balancers")
        self.limit = limit


class NodeNotFoundError(BalancerError):
    """The load balancer has no such node."""

    def __init__(self, lb_id: int, node_id: int) -> None:
        super().__init__(f"load balancer {lb_id} has no node {node_id}")
        self.lb_id = lb_id
        self.node_id = node_id


class UnknownNodesError(BalancerError):
    """Some of several nodes are not on the load balancer, so none was touched."""

    def __init__(self, lb_id: int, node_ids: Sequence[int]) -> None:
        super().__init__(f"load balancer {lb_id} has no nodes {sorted(node_ids)}")
        self.lb_id = lb_id
        self.node_ids = tuple(sorted(node_ids))


class DuplicateNodesError(BalancerError):
    """The same address and port twice on one load balancer."""

    def __init__(self, lb_id: int, members: Sequence[tuple[str, int]]) -> None:
        super().__init__(f"load balancer {lb_id} would have twice {sorted(members)}")
        self.lb_id = lb_id
        self.members = tuple(sorted(members))


class NodeLimitError(BalancerError):
    """The load balancer would have more nodes than are allowed."""

    def __init__(self, lb_id: int, limit: int) -> None:
        super().__init__(f"load balancer {lb_id} takes at most {limit} nodes")
        self.lb_id = lb_id
        self.limit = limit


class NoHealthMonitorError(BalancerError):
    """There is no health monitor to remove."""

    def __init__(self, lb_id: int) -> None:
        super().__init__(f"load balancer {lb_id} has no health monitor")
        self.lb_id = lb_id
