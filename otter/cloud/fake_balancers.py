"""The load balancers of a fake cloud: nodes, health, being immutable for a while, being gone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import define, evolve
from twisted.internet.interfaces import IReactorTime

from otter.cloud.errors import (
    ConflictingRequestError,
    InvalidRequestError,
    NodeLimitError,
    NotFoundError,
)
from otter.cloud.interface import LoadBalancer, Node, NodeCondition
from otter.models.ids import LoadBalancerId, NodeId

NODE_LIMIT = 25
REMOVE_LIMIT = 10
"""How many nodes one removal may name."""


@define
class _Balancer:
    """A load balancer as it was ordered to be, its nodes, and until when it is busy."""

    load_balancer_id: LoadBalancerId
    status: str
    node_limit: int
    health_monitored: bool
    busy_until: datetime
    nodes: dict[NodeId, Node]

    def view(self, now: datetime) -> LoadBalancer:
        """Return what the cloud shows of it at ``now``."""
        busy = self.status == "ACTIVE" and now < self.busy_until
        return LoadBalancer(
            load_balancer_id=self.load_balancer_id,
            status="PENDING_UPDATE" if busy else self.status,
            nodes=tuple(self.nodes.values()),
            health_monitored=self.health_monitored,
        )


class FakeBalancers:
    """
    Load balancers in memory, with orders for what is to happen to them.

    :ivar update_time: for how long a change makes a load balancer immutable.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._balancers: dict[LoadBalancerId, _Balancer] = {}
        self._made = 0
        self.update_time = timedelta(0)

    def now(self) -> datetime:
        """Return the time on the injected clock."""
        return datetime.fromtimestamp(self._clock.seconds(), UTC)

    # --- orders -----------------------------------------------------------------------------

    def add(
        self, *, health_monitored: bool = False, node_limit: int = NODE_LIMIT
    ) -> LoadBalancerId:
        """Add an ACTIVE load balancer without nodes; return its id."""
        load_balancer_id = LoadBalancerId(self._number())
        self._balancers[load_balancer_id] = _Balancer(
            load_balancer_id=load_balancer_id,
            status="ACTIVE",
            node_limit=node_limit,
            health_monitored=health_monitored,
            busy_until=self.now(),
            nodes={},
        )
        return load_balancer_id

    def set_status(self, load_balancer_id: LoadBalancerId, status: str) -> None:
        """Put it into any state, ``PENDING_DELETE`` and ``DELETED`` included."""
        self._balancers[load_balancer_id].status = status

    def kill(self, load_balancer_id: LoadBalancerId) -> None:
        """Remove a load balancer without a trace."""
        del self._balancers[load_balancer_id]

    def add_node(
        self,
        load_balancer_id: LoadBalancerId,
        address: str,
        port: int,
        condition: NodeCondition = NodeCondition.ENABLED,
    ) -> NodeId:
        """Add a node that somebody else put there; return its id."""
        node = self._node(self._balancers[load_balancer_id], address, port)
        self.set_node(load_balancer_id, node.node_id, condition=condition)
        return node.node_id

    def kill_node(self, load_balancer_id: LoadBalancerId, node_id: NodeId) -> None:
        """Remove a node out of band."""
        del self._balancers[load_balancer_id].nodes[node_id]

    def set_node(
        self,
        load_balancer_id: LoadBalancerId,
        node_id: NodeId,
        *,
        condition: NodeCondition | None = None,
        online: bool | None = None,
        connections: int | None = None,
        plain: bool | None = None,
    ) -> None:
        """Change what a node shows; what is None stays as it is."""
        nodes = self._balancers[load_balancer_id].nodes
        node = nodes[node_id]
        nodes[node_id] = evolve(
            node,
            condition=node.condition if condition is None else condition,
            online=node.online if online is None else online,
            connections=node.connections if connections is None else connections,
            plain=node.plain if plain is None else plain,
        )

    def all(self) -> tuple[LoadBalancer, ...]:
        """Return every load balancer that left a trace."""
        now = self.now()
        return tuple(balancer.view(now) for balancer in self._balancers.values())

    # --- what the interface asks ------------------------------------------------------------

    def show(self, load_balancer_id: LoadBalancerId) -> LoadBalancer:
        """
        Return one load balancer.

        :raises NotFoundError: it does not exist or is DELETED.
        """
        balancer = self._balancers.get(load_balancer_id)
        if balancer is None:
            raise NotFoundError("Load balancer not found.", status=404)
        if balancer.status == "DELETED":
            message = "The load balancer is deleted and considered immutable."
            raise NotFoundError(message, status=410)
        return balancer.view(self.now())

    def create_nodes(
        self, load_balancer_id: LoadBalancerId, members: Sequence[tuple[str, int]]
    ) -> tuple[Node, ...]:
        """
        Add ENABLED nodes, all or none.

        :raises ConflictingRequestError: busy, or one of them is already there.
        :raises NodeLimitError: there is no room for all of them.
        """
        balancer = self._mutable(load_balancer_id)
        there = {(node.address, node.port) for node in balancer.nodes.values()}
        if there.intersection(members) or len(set(members)) < len(members):
            raise ConflictingRequestError(
                "Duplicate nodes detected. One or more nodes already configured on load balancer.",
                status=422,
            )
        if len(there) + len(members) > balancer.node_limit:
            raise NodeLimitError(
                f"Nodes must not exceed {balancer.node_limit} per load balancer.", status=413
            )
        self._change(balancer)
        return tuple(self._node(balancer, address, port) for address, port in members)

    def change_node(
        self, load_balancer_id: LoadBalancerId, node_id: NodeId, condition: NodeCondition
    ) -> None:
        """
        Set a node's condition and make it plain.

        :raises NotFoundError: the load balancer or the node is gone.
        """
        balancer = self._mutable(load_balancer_id)
        if node_id not in balancer.nodes:
            raise NotFoundError("Node not found", status=404)
        self._change(balancer)
        self.set_node(load_balancer_id, node_id, condition=condition, plain=True)

    def remove_nodes(self, load_balancer_id: LoadBalancerId, node_ids: Sequence[NodeId]) -> None:
        """
        Remove those of the nodes that are there.

        :raises InvalidRequestError: more nodes than one removal may name.
        """
        if len(node_ids) > REMOVE_LIMIT:
            raise InvalidRequestError(f"At most {REMOVE_LIMIT} nodes at a time.", status=400)
        balancer = self._mutable(load_balancer_id)
        self._change(balancer)
        for node_id in node_ids:
            balancer.nodes.pop(node_id, None)

    # --- inside -----------------------------------------------------------------------------

    def _mutable(self, load_balancer_id: LoadBalancerId) -> _Balancer:
        """
        Return a load balancer that can be changed now.

        :raises ConflictingRequestError: it is immutable.
        :raises NotFoundError: it is gone or going.
        """
        shown = self.show(load_balancer_id)
        if shown.status != "ACTIVE":
            message = (
                f"Load Balancer '{load_balancer_id}' has a status of '{shown.status}' "
                "and is considered immutable."
            )
            error = NotFoundError if shown.leaving else ConflictingRequestError
            raise error(message, status=422)
        return self._balancers[load_balancer_id]

    def _change(self, balancer: _Balancer) -> None:
        balancer.busy_until = self.now() + self.update_time

    def _node(self, balancer: _Balancer, address: str, port: int) -> Node:
        online = True if balancer.health_monitored else None
        node = Node(node_id=NodeId(self._number()), address=address, port=port, online=online)
        balancer.nodes[node.node_id] = node
        return node

    def _number(self) -> str:
        self._made += 1
        return str(self._made)
