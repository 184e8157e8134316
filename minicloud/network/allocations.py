"""
Decide which address a server gets.

Pure but for its own memory: no clock, no socket. A project gets a subnet with its first server and
loses it with its last. Both subnets and addresses are handed out in turn, so that a released one
rests as long as possible: somebody may still be sending to it.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network

from attrs import define, field

from minicloud.config import AddressRange
from minicloud.network.interface import Allocation, NoAddressError

RESERVED_FIRST = 4  # the network's own address, the gateway, and two for services to come
FIRST_VLAN = 100


@define
class _Subnet:
    """The addresses of one project; ``cursor`` is the offset that is tried next."""

    index: int
    network: IPv4Network
    cursor: int = RESERVED_FIRST
    used: set[int] = field(factory=set)

    def take(self) -> int | None:
        """Return a free offset and mark it used, or None."""
        last = self.network.num_addresses - 2  # the highest address is the broadcast
        for _ in range(RESERVED_FIRST, last + 1):
            offset = self.cursor
            self.cursor = offset + 1 if offset < last else RESERVED_FIRST
            if offset not in self.used:
                self.used.add(offset)
                return offset
        return None


class Allocations:
    """Who holds which address."""

    def __init__(self, block: AddressRange) -> None:
        self._whole = IPv4Network(block.cidr)
        self._prefix = block.project_prefix
        self._count = 2 ** (block.project_prefix - self._whole.prefixlen)
        self._next_index = 0
        self._subnets: dict[str, _Subnet] = {}
        self._taken: set[int] = set()
        self._held: dict[str, Allocation] = {}

    @property
    def held(self) -> Mapping[str, Allocation]:
        """Return the allocations by server id."""
        return self._held

    def allocate(self, server_id: str, project_id: str) -> Allocation:
        """
        Return the server's address, the same one when it has one.

        :raises NoAddressError: there is none.
        """
        if server_id in self._held:
            return self._held[server_id]
        subnet = self._subnets.get(project_id) or self._add_subnet(project_id)
        offset = subnet.take()
        if offset is None:
            raise NoAddressError(f"No more IP addresses available on network {subnet.network}.")
        self._held[server_id] = Allocation(
            server_id,
            project_id,
            str(subnet.network[offset]),
            str(subnet.network),
            FIRST_VLAN + subnet.index,
        )
        return self._held[server_id]

    def release(self, server_id: str) -> None:
        """Free the server's address; fine if it holds none."""
        allocation = self._held.pop(server_id, None)
        if allocation is None:
            return
        subnet = self._subnets[allocation.project_id]
        address = IPv4Address(allocation.address)
        subnet.used.discard(int(address) - int(subnet.network.network_address))
        if not subnet.used:
            del self._subnets[allocation.project_id]
            self._taken.discard(subnet.index)

    def _add_subnet(self, project_id: str) -> _Subnet:
        for step in range(self._count):
            index = (self._next_index + step) % self._count
            if index not in self._taken:
                break
        else:
            raise NoAddressError(f"No more subnets available in {self._whole}.")
        self._next_index = index + 1
        self._taken.add(index)
        start = int(self._whole.network_address) + index * 2 ** (32 - self._prefix)
        subnet = _Subnet(index, IPv4Network((start, self._prefix)))
        self._subnets[project_id] = subnet
        return subnet
