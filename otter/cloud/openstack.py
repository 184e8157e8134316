"""Make a ``Cloud`` per tenant out of the clients of identity, compute and load balancing."""

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from otter.cloud.classify import Service
from otter.cloud.clb import CloudLoadBalancers
from otter.cloud.flight import Recent
from otter.cloud.http import HttpClient
from otter.cloud.identity_v2 import IdentityV2
from otter.cloud.identity_v3 import IdentityV3
from otter.cloud.interface import CreateServer, LoadBalancer, NodeCondition, Server
from otter.cloud.nova import PAGE_SIZE, Microversions, Nova
from otter.cloud.session import Place, Session
from otter.cloud.tokens import Identity, IdentityConfig, IdentityVersion, TokenCache
from otter.models.ids import LoadBalancerId, NodeId, ServerId, TenantId

CLOUDS_MAX = 10_000


def make_identity(config: IdentityConfig, http: HttpClient, clock: IReactorTime) -> Identity:
    """Return a client of the identity API that the configuration names."""
    if config.version is IdentityVersion.V2:
        return IdentityV2(config, http, clock)
    return IdentityV3(config, http, clock)


class OpenStackCloud:
    """See ``Cloud``: one tenant's servers from Nova, load balancers from CLB."""

    def __init__(self, nova: Nova, balancers: CloudLoadBalancers) -> None:
        self._nova = nova
        self._balancers = balancers

    async def list_servers(self) -> Sequence[Server]:
        """See ``Cloud``."""
        return await self._nova.list_servers()

    async def get_server(self, server_id: ServerId) -> Server:
        """See ``Cloud``."""
        return await self._nova.get_server(server_id)

    async def find_servers(self, name: str) -> Sequence[Server]:
        """See ``Cloud``."""
        return await self._nova.find_servers(name)

    async def create_server(self, request: CreateServer) -> Server:
        """See ``Cloud``."""
        return await self._nova.create_server(request)

    async def delete_server(self, server_id: ServerId) -> None:
        """See ``Cloud``."""
        await self._nova.delete_server(server_id)

    async def remove_server_metadata(self, server_id: ServerId, keys: Sequence[str]) -> None:
        """See ``Cloud``."""
        await self._nova.remove_server_metadata(server_id, keys)

    async def get_load_balancer(self, load_balancer_id: LoadBalancerId) -> LoadBalancer:
        """See ``Cloud``."""
        return await self._balancers.get_load_balancer(load_balancer_id)

    async def add_nodes(
        self, load_balancer_id: LoadBalancerId, nodes: Sequence[tuple[str, int]]
    ) -> None:
        """See ``Cloud``."""
        await self._balancers.add_nodes(load_balancer_id, nodes)

    async def change_node(
        self, load_balancer_id: LoadBalancerId, node_id: NodeId, condition: NodeCondition
    ) -> None:
        """See ``Cloud``."""
        await self._balancers.change_node(load_balancer_id, node_id, condition)

    async def remove_nodes(
        self, load_balancer_id: LoadBalancerId, node_ids: Sequence[NodeId]
    ) -> None:
        """See ``Cloud``."""
        await self._balancers.remove_nodes(load_balancer_id, node_ids)


class OpenStackProvider:
    """
    See ``CloudProvider``.

    :param tokens: our tokens for the tenants, shared with whoever else needs them.
    """

    def __init__(
        self,
        config: IdentityConfig,
        http: HttpClient,
        tokens: TokenCache[TenantId],
        clock: IReactorTime,
        *,
        page_size: int = PAGE_SIZE,
        clouds_max: int = CLOUDS_MAX,
    ) -> None:
        self._place = Place(config.region, config.interface)
        self._http = http
        self._tokens = tokens
        self._clock = clock
        self._page_size = page_size
        self._microversions = Microversions()
        self._clouds: Recent[TenantId, OpenStackCloud] = Recent(clouds_max)

    def cloud_for(self, tenant_id: TenantId) -> OpenStackCloud:
        """See ``CloudProvider``."""
        cloud = self._clouds.get(tenant_id)
        if cloud is None:
            cloud = self._make(tenant_id)
            self._clouds.put(tenant_id, cloud)
        return cloud

    def _make(self, tenant_id: TenantId) -> OpenStackCloud:
        compute = self._session(tenant_id, Service.COMPUTE)
        nova = Nova(compute, self._microversions, self._clock, page_size=self._page_size)
        balancers = CloudLoadBalancers(self._session(tenant_id, Service.LOAD_BALANCER))
        return OpenStackCloud(nova, balancers)

    def _session(self, tenant_id: TenantId, service: Service) -> Session:
        return Session(tenant_id, service, self._place, self._tokens, self._http, self._clock)
