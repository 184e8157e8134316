"""
The network controller: hands out fixed addresses over the bus.
"""

from collections.abc import Mapping

from minicloud.bus import CheckHealth, MessageBus
from minicloud.config import AddressRange
from minicloud.network.allocations import Allocations
from minicloud.network.interface import (
    NETWORK,
    Allocate,
    Allocation,
    ListAllocations,
    Release,
    ResetNetwork,
)


class Network:
    """Holds the allocations of every project."""

    def __init__(self, block: AddressRange) -> None:
        self._block = block
        self._allocations = Allocations(block)

    def attach(self, bus: MessageBus) -> None:
        """Take messages from the bus."""
        bus.attach(
            NETWORK,
            {
                Allocate: self._allocate,
                Release: self._release,
                ListAllocations: self._list,
                ResetNetwork: self._reset,
                CheckHealth: self._check_health,
            },
        )

    async def _allocate(self, message: Allocate) -> Allocation:
        return self._allocations.allocate(message.server_id, message.project_id)

    async def _release(self, message: Release) -> None:
        self._allocations.release(message.server_id)

    async def _list(self, _: ListAllocations) -> Mapping[str, Allocation]:
        return dict(self._allocations.held)

    async def _reset(self, _: ResetNetwork) -> None:
        self._allocations = Allocations(self._block)

    async def _check_health(self, _: CheckHealth) -> Mapping[str, int]:
        return {"addresses": len(self._allocations.held)}
