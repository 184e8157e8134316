"""
Decide on which node a server goes: the least loaded that has room. Pure.
"""

from collections.abc import Mapping, Sequence

NO_VALID_HOST = "No valid host was found. There are not enough hosts available."


def choose_host(hosts: Sequence[str], load: Mapping[str, int], capacity: int) -> str | None:
    """Return the node with the fewest servers, the first of equals; None when all are full."""
    free = [host for host in hosts if load.get(host, 0) < capacity]
    return min(free, key=lambda host: load.get(host, 0), default=None)
