"""
Keep all load balancers of a cloud: who owns them, when they are busy, what runs for them.

Accepted changes take effect at once; what takes ``update_time`` is the status, which says
PENDING_UPDATE meanwhile and lets nothing else in. A status set from outside stays until it is set
again, so setting one also ends the wait.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from itertools import cycle

from attrs import evolve
from twisted.internet.interfaces import IDelayedCall, IReactorTCP, IReactorTime

from minicloud.balancer import rules
from minicloud.balancer.errors import LoadBalancerLimitError, LoadBalancerNotFoundError
from minicloud.balancer.model import (
    Algorithm,
    Condition,
    HealthMonitor,
    LoadBalancer,
    LoadBalancerId,
    NewLoadBalancer,
    NewNode,
    Node,
    NodeChange,
    NodeId,
    NodeStatus,
    NodeType,
    Status,
)
from minicloud.balancer.plane import Planes

ADDRESSES = IPv4Network("127.240.0.0/16")
ADDRESS_ATTEMPTS = 16
MAX_LOAD_BALANCERS = 1000
DELETED_KEPT = 100

Change = Callable[[LoadBalancer], LoadBalancer]


class Balancers:
    """All load balancers of one cloud. Every method belongs to the reactor's thread."""

    def __init__(
        self,
        reactor: IReactorTime,
        data_plane: bool,
        *,
        node_limit: int = 25,
        update_time: timedelta = timedelta(0),
        clock: IReactorTime | None = None,
    ) -> None:
        """
        :param data_plane: really listen and forward; the reactor then speaks TCP too.
        :param node_limit: nodes per load balancer.
        :param update_time: how long a change keeps a load balancer busy.
        :param clock: the cloud's own time, which dates and statuses follow; the reactor's if None.
        """
        self._clock = reactor if clock is None else clock
        tcp = IReactorTCP(reactor) if data_plane else None
        self._planes = Planes(reactor, tcp, self._report)
        self._node_limit = node_limit
        self._update_time = update_time
        self._addresses: Iterator[str] = cycle(map(str, ADDRESSES.hosts()))
        self._balancers: dict[LoadBalancerId, LoadBalancer] = {}
        self._settling: dict[LoadBalancerId, IDelayedCall] = {}
        self._last_lb_id = 0
        self._last_node_id = 0

    # What the owner of a load balancer may do.

    def list_of(self, project: str) -> Sequence[LoadBalancer]:
        """Return the project's load balancers that are not deleted, oldest first."""
        return [
            lb
            for lb in self._balancers.values()
            if lb.project == project and lb.status is not Status.DELETED
        ]

    def get(self, project: str, lb_id: int) -> LoadBalancer:
        """
        Return the project's load balancer; for a while also if it is deleted.

        :raises LoadBalancerNotFoundError: the project has none with this id.
        """
        lb = self._balancers.get(LoadBalancerId(lb_id))
        if lb is None or lb.project != project:
            raise LoadBalancerNotFoundError(lb_id)
        return lb

    def create(self, project: str, wanted: NewLoadBalancer) -> LoadBalancer:
        """
        Return a new load balancer: in BUILD for the update time, in ERROR if it cannot listen.

        :raises LoadBalancerLimitError: there are too many in this cloud.
        :raises BalancerError: its nodes break a rule of ``rules.add_nodes``.
        """
        alive = sum(lb.status is not Status.DELETED for lb in self._balancers.values())
        if alive >= MAX_LOAD_BALANCERS:
            raise LoadBalancerLimitError(MAX_LOAD_BALANCERS)
        lb = LoadBalancer(
            lb_id=LoadBalancerId(self._last_lb_id + 1),
            project=project,
            name=wanted.name,
            protocol=wanted.protocol,
            port=wanted.port,
            address=self._free_address(),
            algorithm=wanted.algorithm,
            status=Status.ACTIVE,
            created=self._now(),
            updated=self._now(),
            monitor=wanted.monitor,
        )
        lb = self._with_nodes(lb, wanted.nodes)
        self._last_lb_id = lb.lb_id
        self._keep(self._planes.open(lb, [lb.address, *self._more_addresses()]))
        if self._balancers[lb.lb_id].status is Status.ACTIVE:
            self._busy(lb.lb_id, Status.BUILD, Status.ACTIVE)
        return self._balancers[lb.lb_id]

    def configure(
        self, project: str, lb_id: int, *, name: str | None, algorithm: Algorithm | None
    ) -> None:
        """
        Rename it, or change how it balances.

        :raises BalancerError: it does not exist, or takes no change now.
        """
        now = self._now()
        self._change(
            project, lb_id, lambda lb: rules.configure(lb, name=name, algorithm=algorithm, now=now)
        )

    def delete(self, project: str, lb_id: int) -> None:
        """
        Delete it; its traffic ends at once.

        :raises BalancerError: it does not exist, or is busy.
        """
        lb = self.get(project, lb_id)
        rules.check_deletable(lb)
        self._planes.close(lb.lb_id)
        self._busy(lb.lb_id, Status.PENDING_DELETE, Status.DELETED)

    def add_nodes(self, project: str, lb_id: int, wanted: Sequence[NewNode]) -> Sequence[Node]:
        """
        Add all these nodes, or none, and return them.

        :raises BalancerError: it does not exist, takes no change now, or a rule is broken.
        """
        before = self._last_node_id
        lb = self._change(project, lb_id, lambda lb: self._with_nodes(lb, wanted))
        return [node for node in lb.nodes if node.node_id > before]

    def update_node(self, project: str, lb_id: int, node_id: int, change: NodeChange) -> None:
        """
        Change one node.

        :raises BalancerError: it or its load balancer does not exist, or takes no change now.
        """
        now = self._now()
        self._change(project, lb_id, lambda lb: rules.change_node(lb, node_id, change, now=now))

    def remove_nodes(self, project: str, lb_id: int, node_ids: Iterable[int]) -> None:
        """
        Remove all these nodes, or none.

        :raises BalancerError: one or the load balancer does not exist, or takes no change now.
        """
        now = self._now()
        self._change(project, lb_id, lambda lb: rules.remove_nodes(lb, node_ids, now=now))

    def set_monitor(self, project: str, lb_id: int, monitor: HealthMonitor | None) -> None:
        """
        Check its nodes like this from now on, or not at all.

        :raises BalancerError: it does not exist, takes no change now, or had no monitor to remove.
        """
        now = self._now()
        if monitor is None:
            self._change(project, lb_id, lambda lb: rules.remove_monitor(lb, now=now))
        else:
            self._change(project, lb_id, lambda lb: rules.set_monitor(lb, monitor, now=now))

    def connections(self, lb_id: int, node_id: int) -> int | None:
        """Return how many connections the node carries now; None where nothing listens."""
        plane = self._planes.get(lb_id)
        return None if plane is None else plane.connections(NodeId(node_id))

    # What those who command the cloud may do, whatever the status.

    def set_status(self, lb_id: int, status: str) -> None:
        """
        Put it into a status, where it stays until this is called again.

        :raises LoadBalancerNotFoundError: there is none with this id.
        :raises ValueError: there is no such status.
        """
        lb = evolve(self._any(lb_id), status=Status(status), fault="", updated=self._now())
        self._stop_settling(lb.lb_id)
        if lb.status is Status.DELETED:
            self._planes.close(lb.lb_id)
        elif lb.status is Status.ACTIVE:
            lb = self._planes.open(lb, [lb.address])
        self._keep(lb)
        self._forget_oldest_deleted()

    def set_update_time(self, seconds: float) -> None:
        """Let changes from now on keep a load balancer busy for so long."""
        self._update_time = timedelta(seconds=seconds)

    def set_node_limit(self, limit: int) -> None:
        """Allow so many nodes per load balancer; those already there stay."""
        self._node_limit = limit

    def remove_node(self, lb_id: int, node_id: int) -> None:
        """
        Take a node away behind everybody's back.

        :raises BalancerError: it or its load balancer does not exist.
        """
        self._keep(rules.remove_nodes(self._any(lb_id), [node_id], now=self._now()))

    def change_node(
        self,
        lb_id: int,
        node_id: int,
        *,
        condition: str | None = None,
        status: str | None = None,
        type: str | None = None,  # noqa: A002 - the word every face uses for it
        weight: int | None = None,
    ) -> None:
        """
        Change a node behind everybody's back; None leaves a property as it is.

        :raises BalancerError: it or its load balancer does not exist.
        :raises ValueError: a value does not exist.
        """
        lb = self._any(lb_id)
        change = NodeChange(
            condition=None if condition is None else Condition(condition),
            type=None if type is None else NodeType(type),
            weight=weight,
        )
        if change != NodeChange():
            lb = rules.change_node(lb, node_id, change, now=self._now())
        if status is not None:
            lb = rules.set_node_status(lb, node_id, NodeStatus(status), now=self._now())
        self._keep(lb)

    def reset(self) -> None:
        """Forget every load balancer; ids start at 1 again, addresses go on."""
        for lb_id in list(self._balancers):
            self._stop_settling(lb_id)
            self._planes.close(lb_id)
        self._balancers.clear()
        self._last_lb_id = self._last_node_id = 0

    async def stop(self) -> None:
        """End everything that runs; returns when no timer and no socket is left."""
        for lb_id in list(self._balancers):
            self._stop_settling(lb_id)
            self._planes.close(lb_id)
        await self._planes.closed()

    def describe(self) -> list[dict[str, object]]:
        """Return plain values about all load balancers of all projects, deleted ones included."""
        return [
            {
                "id": int(lb.lb_id),
                "project": lb.project,
                "name": lb.name,
                "status": str(lb.status),
                "fault": lb.fault,
                "protocol": str(lb.protocol),
                "address": lb.address,
                "port": lb.port,
                "nodes": [self._describe_node(lb, node) for node in lb.nodes],
            }
            for lb in self._balancers.values()
        ]

    def _describe_node(self, lb: LoadBalancer, node: Node) -> dict[str, object]:
        plane = self._planes.get(lb.lb_id)
        return {
            "id": int(node.node_id),
            "address": node.address,
            "port": node.port,
            "condition": str(node.condition),
            "status": str(node.status),
            "weight": node.weight,
            "connections": plane.connections(node.node_id) if plane else 0,
            "total_connections": plane.total_connections(node.node_id) if plane else 0,
        }

    def _any(self, lb_id: int) -> LoadBalancer:
        try:
            return self._balancers[LoadBalancerId(lb_id)]
        except KeyError:
            raise LoadBalancerNotFoundError(lb_id) from None

    def _change(self, project: str, lb_id: int, change: Change) -> LoadBalancer:
        """Do what is allowed while ACTIVE, and be busy with it."""
        lb = self.get(project, lb_id)
        rules.check_mutable(lb)
        changed = change(lb)
        self._keep(changed)
        self._busy(lb.lb_id, Status.PENDING_UPDATE, Status.ACTIVE)
        return changed

    def _with_nodes(self, lb: LoadBalancer, wanted: Sequence[NewNode]) -> LoadBalancer:
        checked = self._planes.real and lb.monitor is not None
        changed = rules.add_nodes(
            lb,
            wanted,
            first_id=self._last_node_id + 1,
            limit=self._node_limit,
            # Nobody would bring an unchecked node ONLINE, and nobody may use an unproven one.
            status=NodeStatus.OFFLINE if checked else NodeStatus.ONLINE,
            now=self._now(),
        )
        self._last_node_id += len(wanted)
        return changed

    def _keep(self, lb: LoadBalancer) -> None:
        self._balancers[lb.lb_id] = lb
        self._planes.update(lb)

    def _busy(self, lb_id: LoadBalancerId, meanwhile: Status, then: Status) -> None:
        """Be in one status for the update time and in the other afterwards."""
        if not self._update_time:
            self._settle(lb_id, then)
            return
        self._stop_settling(lb_id)
        self._keep(evolve(self._balancers[lb_id], status=meanwhile))
        self._settling[lb_id] = self._clock.callLater(
            self._update_time.total_seconds(), self._settle, lb_id, then
        )

    def _settle(self, lb_id: LoadBalancerId, status: Status) -> None:
        self._settling.pop(lb_id, None)
        self._keep(evolve(self._balancers[lb_id], status=status, updated=self._now()))
        self._forget_oldest_deleted()

    def _stop_settling(self, lb_id: LoadBalancerId) -> None:
        settling = self._settling.pop(lb_id, None)
        if settling is not None:
            settling.cancel()

    def _forget_oldest_deleted(self) -> None:
        deleted = [lb for lb in self._balancers.values() if lb.status is Status.DELETED]
        for lb in sorted(deleted, key=lambda lb: lb.updated)[:-DELETED_KEPT]:
            del self._balancers[lb.lb_id]

    def _report(self, lb_id: LoadBalancerId, node_id: NodeId, status: NodeStatus) -> None:
        """Take what a check or a refused connection tells; without a monitor it would stick."""
        lb = self._balancers.get(lb_id)
        if lb is not None and lb.monitor and any(node.node_id == node_id for node in lb.nodes):
            self._keep(rules.set_node_status(lb, node_id, status, now=self._now()))

    def _free_address(self) -> str:
        taken = {lb.address for lb in self._balancers.values() if lb.status is not Status.DELETED}
        return next(address for address in self._addresses if address not in taken)

    def _more_addresses(self) -> Iterator[str]:
        for _ in range(ADDRESS_ATTEMPTS - 1):
            yield self._free_address()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.seconds(), UTC)
