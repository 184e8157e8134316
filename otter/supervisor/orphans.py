"""
See to servers of ours whose group is gone.

A group is removed only after all of its servers are, so such a server was given up as lost and
appeared later, or the store was restored from an older copy. Its marks name this deployment and no
group of its tenant: it is written into the ledger first, then deleted (promises S2 and S3). What
was released, or names another server than the ledger does, is left alone.
"""

from collections.abc import Sequence

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from otter.bus.interface import DeleteServerJob
from otter.models.errors import ConflictError
from otter.models.ids import DeploymentId, GroupId, TenantId
from otter.models.interface import Store
from otter.models.ledger import EntryState, LedgerEntry, Removal
from otter.supervisor.marks import marks_for, marks_of
from otter.supervisor.observing import close, resurfaced, see_off
from otter.supervisor.world import Stranger, World
from otter.timing import utc_now

PAGE = 100


@frozen
class Orphans:
    """Adopts servers without a group in order to delete them."""

    store: Store
    clock: IReactorTime
    deployment_id: DeploymentId
    log = Logger()

    async def entries(self, tenant_id: TenantId) -> Sequence[LedgerEntry]:
        """Return the tenant's entries that are to be deleted and have no group."""
        found: list[LedgerEntry] = []
        page = await self.store.list_orphans(tenant_id, limit=PAGE)
        while page:
            found.extend(page)
            page = await self.store.list_orphans(tenant_id, after=page[-1].instance_id, limit=PAGE)
        return found

    async def plan(
        self, tenant_id: TenantId, world: World, all_groups: frozenset[GroupId]
    ) -> Sequence[tuple[LedgerEntry, DeleteServerJob]]:
        """Record what was found and return the deletions to hand out, each with its entry."""
        for stranger in world.strangers:
            if stranger.marks.group_id not in all_groups:
                await self._adopt(tenant_id, stranger)
        steps = []
        for entry in await self.entries(tenant_id):
            after = self._look(entry, world)
            if after != entry:
                await self._put(after)
            if after.state is EntryState.DELETING and after.server_id is not None:
                steps.append((after, DeleteServerJob(after.instance_id, after.server_id)))
        return steps

    async def _adopt(self, tenant_id: TenantId, stranger: Stranger) -> None:
        server, closed, now = stranger.server, stranger.entry, utc_now(self.clock)
        reason = "it bears our marks and its group is gone"
        if closed is None:
            entry = LedgerEntry(
                tenant_id,
                stranger.marks.group_id,
                stranger.marks.instance_id,
                launch_version=0,
                created=now,
                changed=now,
                state=EntryState.DELETING,
                name=server.name,
                server_id=server.server_id,
                removal=Removal.DELETE,
                reason=reason,
            )
            try:
                await self.store.adopt_orphan(entry)
            except ConflictError:
                return  # the group was created meanwhile; its own cycles see to the server
        elif closed.removal is not Removal.RELEASE and resurfaced(closed, server):
            late = evolve(closed, server_id=server.server_id, absent=False)
            await self._put(see_off(late, reason, now))
        else:
            return
        self.log.warn(
            "orphan.found {server_id} of group {group_id}",
            server_id=server.server_id,
            group_id=stranger.marks.group_id,
        )

    async def _put(self, entry: LedgerEntry) -> None:
        try:
            await self.store.put_orphan(entry)
        except ConflictError:
            return

    def _look(self, entry: LedgerEntry, world: World) -> LedgerEntry:
        now = utc_now(self.clock)
        if entry.server_id is None or entry.server_id in world.absent:
            return evolve(close(entry, entry.reason, now), absent=entry.server_id is not None)
        server = world.servers.get(entry.server_id)
        if server is not None and marks_of(server) != marks_for(entry, self.deployment_id):
            return close(entry, "disowned: marks removed", now)
        return entry
