"""
What Otter asks of a cloud: one ``Cloud`` per tenant and region, and the records that pass through
it.

Every method may raise any ``CloudError`` (see ``errors``); a docstring names only those that mean
something special. Every method is bounded in time, body included. None of them retries, except that
a 401 from a service is tried once more with a fresh token.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen
from pyrsistent import PMap, pmap

from otter.models.frozen import frozen_map, frozen_object
from otter.models.group import LaunchType
from otter.models.ids import GroupId, InstanceId, LoadBalancerId, NodeId, ServerId, TenantId


@frozen
class Server:
    """
    A server as the cloud lists it.

    :ivar status: the cloud's own word in capitals (``ACTIVE``, ``BUILD``, …), any string.
    :ivar task_state: Nova's ``OS-EXT-STS:task_state``, or None.
    :ivar addresses: fixed IPv4 addresses as ``(network label, address)``, in the cloud's order.
    :ivar fault: the cloud's explanation of an ERROR, or empty.
    :ivar links: ``(rel, href)`` as given by the cloud.
    """

    server_id: ServerId
    name: str
    status: str
    created: datetime
    metadata: PMap[str, str] = field(converter=frozen_map, factory=pmap)
    task_state: str | None = None
    addresses: tuple[tuple[str, str], ...] = ()
    fault: str = ""
    links: tuple[tuple[str, str], ...] = ()


@frozen
class CreateServer:
    """
    A server to create: the owner's ``server`` object, our name for it and our marks.

    ``metadata`` holds our marks only; the client merges them over the owner's metadata.
    ``tag`` is put on the server where the microversion allows.
    """

    instance_id: InstanceId
    name: str
    body: PMap[str, object] = field(converter=frozen_object)
    metadata: PMap[str, str] = field(converter=frozen_map)
    tag: str = ""


class NodeCondition(StrEnum):
    """What a load balancer is told to do with a node."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    DRAINING = "DRAINING"


@frozen
class Node:
    """
    One member of a load balancer.

    :ivar online: what the health check found; None when there is none.
    :ivar connections: how many connections it carries now; None where the provider does not tell.
    :ivar plain: whether it is of type PRIMARY with weight 1, as we add them.
    """

    node_id: NodeId
    address: str
    port: int
    condition: NodeCondition = NodeCondition.ENABLED
    online: bool | None = None
    connections: int | None = None
    plain: bool = True


@frozen
class LoadBalancer:
    """
    A load balancer with its members.

    :ivar status: the provider's word in capitals (``ACTIVE``, ``PENDING_UPDATE``, …).
    """

    load_balancer_id: LoadBalancerId
    status: str
    nodes: tuple[Node, ...] = ()
    health_monitored: bool = False

    @property
    def leaving(self) -> bool:
        """Whether it is deleted or on its way out, so that nothing can be joined to it any more."""
        return self.status in {"DELETED", "PENDING_DELETE"}


class Cloud(Protocol):
    """A tenant's resources in one region."""

    async def list_servers(self) -> Sequence[Server]:
        """
        Return all servers of the tenant, from all pages; the same next page twice is an error.
        """

    async def get_server(self, server_id: ServerId) -> Server:
        """
        Return one server.

        :raises NotFoundError: it does not exist; a server the cloud still shows as DELETED does
        not.
        """

    async def find_servers(self, name: str) -> Sequence[Server]:
        """Return the tenant's servers whose name is exactly ``name``; cheaper than listing all."""

    async def create_server(self, request: CreateServer) -> Server:
        """
        Ask for a server; what comes back has an id and links, the rest may be missing (status
        BUILD).

        :raises TransientError: it may have been created; look it up by name and instance id.
        :raises QuotaError: the tenant's quota is used up.
        :raises InvalidRequestError: the provider rejects the owner's configuration.
        """

    async def delete_server(self, server_id: ServerId) -> None:
        """Ask for the server's deletion; fine if it does not exist."""

    async def remove_server_metadata(self, server_id: ServerId, keys: Sequence[str]) -> None:
        """Remove metadata keys; absent keys and an absent server are fine."""

    async def get_load_balancer(self, load_balancer_id: LoadBalancerId) -> LoadBalancer:
        """
        Return the load balancer and its nodes.

        :raises NotFoundError: it does not exist or is deleted.
        """

    async def add_nodes(
        self, load_balancer_id: LoadBalancerId, nodes: Sequence[tuple[str, int]]
    ) -> None:
        """
        Add ``(address, port)`` members, ENABLED, in one call.

        :raises ConflictingRequestError: immutable just now, or one of them is already there.
        :raises NotFoundError: the load balancer is gone or going.
        :raises NodeLimitError: it takes no more nodes; none was added.
        """

    async def change_node(
        self, load_balancer_id: LoadBalancerId, node_id: NodeId, condition: NodeCondition
    ) -> None:
        """
        Set a node's condition, and its type to PRIMARY and its weight to 1.

        :raises ConflictingRequestError: immutable just now.
        :raises NotFoundError: the load balancer or the node is gone.
        """

    async def remove_nodes(
        self, load_balancer_id: LoadBalancerId, node_ids: Sequence[NodeId]
    ) -> None:
        """
        Remove nodes, in as many calls as the provider's batch limit needs; absent ones are fine,
        and so is an absent load balancer.

        :raises ConflictingRequestError: immutable just now; some may have been removed.
        """


class CloudProvider(Protocol):
    """Gives access to each tenant's resources in the configured region."""

    def cloud_for(self, tenant_id: TenantId) -> Cloud:
        """Return the tenant's cloud; does no I/O and never fails, its methods do."""


@frozen
class Caller:
    """
    Who a validated token belongs to.

    :ivar tenant_id: the project the token is scoped to, or None.
    :ivar roles: names of roles on that project.
    """

    user_id: str
    user_name: str
    tenant_id: TenantId | None
    roles: frozenset[str]
    expires: datetime


class TokenValidator(Protocol):
    """Answers whose token this is."""

    async def validate(self, token: str) -> Caller:
        """
        Return the caller.

        :raises AuthenticationError: identity says the token is no good (never cached as good).
        :raises CloudError: identity cannot be asked now (any other subclass); nobody is let in.
        """


class LaunchChecker(Protocol):
    """Asks the cloud beforehand about what a launch config names."""

    async def check_launch(
        self, tenant_id: TenantId, kind: LaunchType, args: PMap[str, object]
    ) -> tuple[str, ...]:
        """
        Return what the cloud would refuse about a launch config (rest-api.md 4.6), one sentence
        each, empty if nothing.

        :raises CloudError: the cloud cannot be asked now.
        """


class Messenger(Protocol):
    """Delivers one signed message to a customer's own URL."""

    async def deliver(
        self, url: str, *, message_id: str, event: str, body: bytes, group_id: GroupId
    ) -> None:
        """
        POST the body once; any 2xx is success.

        :raises CloudError: it was not accepted (``TransientError``, ``NotSentError``) or never
            will be (``InvalidRequestError`` for a forbidden address, ``NotFoundError`` for 404 and
            410).
        """


# Our marks in server metadata (rest-api.md 6, item 32). The first two are relied upon by old tools.
LEGACY_GROUP_KEY = "rax:auto_scaling_group_id"
GROUP_KEY = "rax:autoscale:group:id"
INSTANCE_KEY = "otter:instance"
DEPLOYMENT_KEY = "otter:deployment"
MARK_KEYS = (LEGACY_GROUP_KEY, GROUP_KEY, INSTANCE_KEY, DEPLOYMENT_KEY)
