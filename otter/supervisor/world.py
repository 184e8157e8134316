"""What one gathering saw of a tenant's cloud: a frozen snapshot that pure code decides on."""

from collections.abc import Iterator
from datetime import datetime

from attrs import field, frozen
from pyrsistent import PMap, pmap

from otter.cloud.interface import LoadBalancer, Node, Server
from otter.models.frozen import frozen_map
from otter.models.ids import GroupId, LoadBalancerId, ServerId
from otter.models.ledger import LedgerEntry
from otter.supervisor.marks import Marks


@frozen
class Stranger:
    """
    A server with our marks that no live ledger entry knows.

    :ivar entry: its closed entry, or None if the ledger never heard of it (or forgot).
    """

    server: Server
    marks: Marks
    entry: LedgerEntry | None


@frozen
class World:
    """
    A tenant's servers and the load balancers its groups use, complete as of ``at``.

    :ivar absent: servers our ledger knows that the cloud, asked directly, says do not exist.
    :ivar balancers: None for one that does not exist.
    :ivar unread: load balancers that could not be read; groups that use them sit this cycle out.
    """

    at: datetime
    servers: PMap[ServerId, Server] = field(converter=frozen_map, factory=pmap)
    absent: frozenset[ServerId] = frozenset()
    balancers: PMap[LoadBalancerId, LoadBalancer | None] = field(converter=frozen_map, factory=pmap)
    unread: frozenset[LoadBalancerId] = frozenset()
    strangers: tuple[Stranger, ...] = ()

    def balancer(self, load_balancer_id: LoadBalancerId) -> LoadBalancer | None:
        """Return a load balancer that can be worked with, or None if it is gone or going."""
        found = self.balancers.get(load_balancer_id)
        return None if found is None or found.leaving else found

    def strangers_of(self, group_id: GroupId) -> Iterator[Stranger]:
        """Yield the strangers that say they belong to this group."""
        return (s for s in self.strangers if s.marks.group_id == group_id)


def node_at(balancer: LoadBalancer, address: str, port: int) -> Node | None:
    """Return the member with this address and port."""
    return next((n for n in balancer.nodes if (n.address, n.port) == (address, port)), None)
