"""Leases, and the identity of the installation."""

from datetime import datetime

from attrs import evolve

from otter.models.activity import Deployment, Lease
from otter.models.errors import ConflictError
from otter.models.memory.tables import Tables


class LeaseTables(Tables):
    """The part of the store that is about who may act."""

    async def take_lease(self, name: str, owner: str, *, now: datetime, expires: datetime) -> Lease:
        """Take a lease that is free, expired or one's own."""
        known = self._leases.get(name, Lease(name, "", 0, now))
        if known.owner not in ("", owner) and known.expires > now:
            raise ConflictError(f"lease {name} is held by another")
        epoch = known.epoch if known.owner == owner else known.epoch + 1
        self._leases[name] = Lease(name, owner, epoch, expires)
        return self._leases[name]

    async def release_lease(self, lease: Lease) -> None:
        """Give the lease back; its epoch is remembered so that it only ever grows."""
        known = self._leases.get(lease.name)
        if known is not None and (known.owner, known.epoch) == (lease.owner, lease.epoch):
            self._leases[lease.name] = evolve(known, owner="")

    async def deployment(self, candidate: Deployment) -> Deployment:
        """Return the identity; the first candidate becomes it."""
        if self._deployment is None:
            self._deployment = candidate
        return self._deployment
