"""
A cloud in memory that keeps the promises of ``interface`` and breaks down on command.

``FakeCloud.servers`` and ``FakeCloud.balancers`` take orders about what exists; ``fail``, ``lose``,
``ask`` and ``latency`` take orders about the calls themselves. Time is the injected clock's.

Note [When a call takes effect]
    A call that takes time takes effect in the middle of it. A caller that gives up in the second
    half has changed the cloud without learning so, exactly the unknown outcome of a real network.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from otter.cloud.errors import CloudError, NotFoundError, TransientError
from otter.cloud.fake_balancers import REMOVE_LIMIT, FakeBalancers
from otter.cloud.fake_servers import HISTORY_SIZE, FakeServers
from otter.cloud.interface import CreateServer, LoadBalancer, NodeCondition, Server
from otter.models.ids import LoadBalancerId, NodeId, ServerId, TenantId

T = TypeVar("T")


@frozen
class Call:
    """One call that was made: the method's name, its arguments, and when it began."""

    method: str
    arguments: tuple[object, ...]
    at: datetime


@frozen
class Fault:
    """How a call breaks down: before it had any effect, or after (``lost``)."""

    error: CloudError
    lost: bool = False


class FakeCloud:
    """
    One tenant's cloud.

    :ivar calls: what was asked, oldest first, bounded.
    :ivar counts: how often each method was called.
    :ivar latency: how long every call takes.
    :ivar latencies: how long calls of one method take, where that differs.
    :ivar ask: asked for a fault before every call that has no ordered one; for random faults.
    """

    def __init__(self, clock: IReactorTime, name: str = "fake") -> None:
        self._clock = clock
        self._faults: dict[str, deque[Fault]] = {}
        self.servers = FakeServers(clock, name)
        self.balancers = FakeBalancers(clock)
        self.calls: deque[Call] = deque(maxlen=HISTORY_SIZE)
        self.counts: Counter[str] = Counter()
        self.latency = timedelta(0)
        self.latencies: dict[str, timedelta] = {}
        self.ask: Callable[[str], Fault | None] = _no_fault

    # --- orders -----------------------------------------------------------------------------

    def fail(self, method: str, error: CloudError, times: int = 1) -> None:
        """Let the next ``times`` calls of a method raise a copy of ``error`` and do nothing."""
        self._order(method, Fault(error), times)

    def lose(self, method: str, times: int = 1, error: CloudError | None = None) -> None:
        """Let the next ``times`` calls of a method take effect and then fail all the same."""
        answer = error or TransientError("The server has either erred", status=500)
        self._order(method, Fault(answer, lost=True), times)

    def heal(self) -> None:
        """Forget every ordered fault of a call."""
        self._faults.clear()
        self.ask = _no_fault

    def _order(self, method: str, fault: Fault, times: int) -> None:
        if not hasattr(self, method):
            raise AttributeError(f"a cloud has no method {method}")
        self._faults.setdefault(method, deque()).extend([fault] * times)

    # --- the interface ----------------------------------------------------------------------

    async def list_servers(self) -> Sequence[Server]:
        """See ``Cloud``."""
        return await self._call("list_servers", (), self.servers.listed)

    async def get_server(self, server_id: ServerId) -> Server:
        """See ``Cloud``."""
        return await self._call("get_server", (server_id,), lambda: self.servers.show(server_id))

    async def find_servers(self, name: str) -> Sequence[Server]:
        """See ``Cloud``."""

        def found() -> Sequence[Server]:
            return tuple(server for server in self.servers.listed() if server.name == name)

        return await self._call("find_servers", (name,), found)

    async def create_server(self, request: CreateServer) -> Server:
        """See ``Cloud``."""
        return await self._call("create_server", (request,), lambda: self.servers.create(request))

    async def delete_server(self, server_id: ServerId) -> None:
        """See ``Cloud``."""

        def delete() -> None:
            _unless_absent(partial(self.servers.delete, server_id))

        await self._call("delete_server", (server_id,), delete)

    async def remove_server_metadata(self, server_id: ServerId, keys: Sequence[str]) -> None:
        """See ``Cloud``."""

        def remove() -> None:
            for key in keys:
                _unless_absent(partial(self.servers.remove_metadata, server_id, key))

        await self._call("remove_server_metadata", (server_id, tuple(keys)), remove)

    async def get_load_balancer(self, load_balancer_id: LoadBalancerId) -> LoadBalancer:
        """See ``Cloud``."""
        return await self._call(
            "get_load_balancer",
            (load_balancer_id,),
            lambda: self.balancers.show(load_balancer_id),
        )

    async def add_nodes(
        self, load_balancer_id: LoadBalancerId, nodes: Sequence[tuple[str, int]]
    ) -> None:
        """See ``Cloud``."""

        def add() -> None:
            if nodes:
                self.balancers.create_nodes(load_balancer_id, nodes)

        await self._call("add_nodes", (load_balancer_id, tuple(nodes)), add)

    async def change_node(
        self, load_balancer_id: LoadBalancerId, node_id: NodeId, condition: NodeCondition
    ) -> None:
        """See ``Cloud``."""
        await self._call(
            "change_node",
            (load_balancer_id, node_id, condition),
            lambda: self.balancers.change_node(load_balancer_id, node_id, condition),
        )

    async def remove_nodes(
        self, load_balancer_id: LoadBalancerId, node_ids: Sequence[NodeId]
    ) -> None:
        """See ``Cloud``."""

        def remove() -> None:
            for first in range(0, len(node_ids), REMOVE_LIMIT):
                batch = node_ids[first : first + REMOVE_LIMIT]
                _unless_absent(partial(self.balancers.remove_nodes, load_balancer_id, batch))

        await self._call("remove_nodes", (load_balancer_id, tuple(node_ids)), remove)

    # --- inside -----------------------------------------------------------------------------

    async def _call(self, method: str, arguments: tuple[object, ...], effect: Callable[[], T]) -> T:
        """Record a call, let it take its time, and give it its effect or its fault."""
        now = datetime.fromtimestamp(self._clock.seconds(), UTC)
        self.calls.append(Call(method, arguments, now))
        self.counts[method] += 1
        ordered = self._faults.get(method)
        fault = ordered.popleft() if ordered else self.ask(method)
        half = self.latencies.get(method, self.latency) / 2
        await self._pass(half)
        if fault is not None and not fault.lost:
            await self._pass(half)
            raise copy(fault.error)
        answer = effect()
        await self._pass(half)
        if fault is not None:
            raise copy(fault.error)
        return answer

    async def _pass(self, duration: timedelta) -> None:
        if duration:
            await deferLater(self._clock, duration.total_seconds())


class FakeProvider:
    """Gives each tenant a ``FakeCloud`` of its own, made when first asked for."""

    def __init__(
        self, clock: IReactorTime, clouds: Mapping[TenantId, FakeCloud] | None = None
    ) -> None:
        self._clock = clock
        self.clouds: dict[TenantId, FakeCloud] = dict(clouds or {})

    def cloud_for(self, tenant_id: TenantId) -> FakeCloud:
        """See ``CloudProvider``."""
        if tenant_id not in self.clouds:
            self.clouds[tenant_id] = FakeCloud(self._clock, tenant_id)
        return self.clouds[tenant_id]


def _no_fault(_method: str) -> Fault | None:
    return None


def _unless_absent(effect: Callable[[], None]) -> None:
    try:
        effect()
    except NotFoundError:
        return
