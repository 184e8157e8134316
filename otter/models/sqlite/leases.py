"""Leases, and the identity of the installation."""

from datetime import datetime
from functools import partial
from sqlite3 import Connection

from otter.models.activity import Deployment, Lease
from otter.models.codec import time_text
from otter.models.errors import ConflictError
from otter.models.sqlite.base import SQLiteTables


class LeaseTables(SQLiteTables):
    """The part of the store that is about who may act."""

    async def take_lease(self, name: str, owner: str, *, now: datetime, expires: datetime) -> Lease:
        """Take a lease that is free, expired or one's own."""
        epoch = await self._write(partial(_take, name, owner, time_text(now), time_text(expires)))
        return Lease(name, owner, epoch, expires)

    async def release_lease(self, lease: Lease) -> None:
        """Give the lease back; its epoch is remembered so that it only ever grows."""
        await self._write(partial(_release, lease))

    async def deployment(self, candidate: Deployment) -> Deployment:
        """Return the identity; the first candidate becomes it."""
        body = await self._write(partial(_identify, self._codec.encode(candidate)))
        return self._codec.decode(body, Deployment)


def _take(name: str, owner: str, now: str, expires: str, connection: Connection) -> int:
    known = connection.execute(
        "SELECT owner, epoch, expires FROM leases WHERE name = ?", (name,)
    ).fetchone()
    holder, epoch, until = known or ("", 0, now)
    if holder not in ("", owner) and until > now:
        raise ConflictError(f"lease {name} is held by another")
    if holder != owner:
        epoch += 1
    connection.execute(
        "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", (name, owner, epoch, expires)
    )
    return int(epoch)


def _release(lease: Lease, connection: Connection) -> None:
    connection.execute(
        "UPDATE leases SET owner = '' WHERE name = ? AND owner = ? AND epoch = ?",
        (lease.name, lease.owner, lease.epoch),
    )


def _identify(candidate: str, connection: Connection) -> str:
    connection.execute("INSERT OR IGNORE INTO deployment VALUES (1, ?)", (candidate,))
    (body,) = connection.execute("SELECT body FROM deployment WHERE only = 1").fetchone()
    return str(body)
