"""
Bound what is at work at once, so that overload is answered quickly instead of being waited for.

A request keeps its place until its work has ended, also when its client has hung up meanwhile: what
goes on without a client costs the same. Nothing queues.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from otter.rest.errors import UnavailableError

RESERVED = 16
"""Places beyond the bound for ``/`` and ``/health``: a process that is merely busy must not look
dead to what watches it."""


class Admission:
    """
    Counts requests at work.

    :param requests: how many there may be.
    :param tenant_requests: how many of one tenant.
    """

    def __init__(self, requests: int, tenant_requests: int) -> None:
        self._requests = requests
        self._tenant_requests = tenant_requests
        self._of_tenants: Counter[str] = Counter()
        self.at_work = 0

    @contextmanager
    def place(self, *, operational: bool) -> Iterator[None]:
        """
        Hold a place.

        :raises UnavailableError: there is none.
        """
        if self.at_work >= self._requests + (RESERVED if operational else 0):
            raise UnavailableError("too many requests are at work")
        self.at_work += 1
        try:
            yield
        finally:
            self.at_work -= 1

    @contextmanager
    def place_of(self, tenant: str) -> Iterator[None]:
        """
        Hold one of a tenant's places; whoever has nothing at work is forgotten.

        :raises UnavailableError: there is none.
        """
        if self._of_tenants[tenant] >= self._tenant_requests:
            raise UnavailableError("too many requests of this tenant are at work")
        self._of_tenants[tenant] += 1
        try:
            yield
        finally:
            self._of_tenants[tenant] -= 1
            if not self._of_tenants[tenant]:
                del self._of_tenants[tenant]

    @property
    def tenants_at_work(self) -> int:
        """How many tenants have something at work."""
        return len(self._of_tenants)
