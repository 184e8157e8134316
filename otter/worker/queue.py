"""
Which waiting job is next: tenants take turns, and a tenant's jobs of one key never overlap.

Pure bookkeeping, no clock and no I/O; that one tenant's thousand jobs do not delay another's first
is promise S8.
"""

from collections import deque

from attrs import define, field

from otter.bus.interface import Job
from otter.models.ids import TenantId


@define
class _Tenant:
    waiting: deque[Job] = field(factory=deque)
    busy_keys: set[str] = field(factory=set)
    running: int = 0


@define
class FairQueue:
    """Jobs waiting and running, bounded overall and per tenant."""

    limit: int
    concurrency: int
    tenant_concurrency: int
    _tenants: dict[TenantId, _Tenant] = field(factory=dict)
    _turns: deque[TenantId] = field(factory=deque)
    _waiting: int = 0
    _running: int = 0

    @property
    def waiting(self) -> int:
        """How many jobs wait, of all tenants."""
        return self._waiting

    def put(self, job: Job) -> bool:
        """Add a job; False if too many are waiting already."""
        if self._waiting >= self.limit:
            return False
        if job.tenant_id not in self._tenants:
            self._tenants[job.tenant_id] = _Tenant()
            self._turns.append(job.tenant_id)
        self._tenants[job.tenant_id].waiting.append(job)
        self._waiting += 1
        return True

    def take(self) -> Job | None:
        """Return the next job that may run now, or None; ``done`` must follow."""
        if self._running >= self.concurrency:
            return None
        for _ in range(len(self._turns)):
            tenant_id = self._turns[0]
            self._turns.rotate(-1)
            job = self._next_of(self._tenants[tenant_id])
            if job is not None:
                return job
        return None

    def _next_of(self, tenant: _Tenant) -> Job | None:
        if tenant.running >= self.tenant_concurrency:
            return None
        for position, job in enumerate(tenant.waiting):
            if job.key not in tenant.busy_keys:
                del tenant.waiting[position]
                tenant.busy_keys.add(job.key)
                tenant.running += 1
                self._waiting -= 1
                self._running += 1
                return job
        return None

    def done(self, job: Job) -> None:
        """A job that was taken has ended."""
        tenant = self._tenants[job.tenant_id]
        tenant.busy_keys.discard(job.key)
        tenant.running -= 1
        self._running -= 1
        if not tenant.running and not tenant.waiting:
            del self._tenants[job.tenant_id]
            self._turns.remove(job.tenant_id)
