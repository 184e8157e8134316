"""
The supervisor as a service: hears of groups from notices, marks, results and its own sweep.

No path depends on a message arriving: marks are read every few seconds, and every group is looked
at once per sweep whether or not anything announced a change.
"""

from collections.abc import Sequence
from datetime import timedelta

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime

from otter.bus.interface import Bus, JobResult, Notice
from otter.cloud.interface import CloudProvider
from otter.metrics import Metrics, Watched
from otter.models.ids import DeploymentId, GroupId, TenantId
from otter.models.interface import Store
from otter.supervisor.backlog import Backlog
from otter.supervisor.cycle import Converger
from otter.supervisor.gathering import Gatherer
from otter.supervisor.loop import TenantLoop
from otter.supervisor.orphans import Orphans
from otter.supervisor.settings import SupervisorSettings
from otter.timing import Periodic, utc_now

PAGE = 100
TENANTS_PER_STEP = 25
PRUNE_EVERY = timedelta(hours=1)
SHORTEST_REST = timedelta(milliseconds=1)


class SupervisorService(MultiService):
    """Converges the groups of all tenants."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        provider: CloudProvider,
        clock: IReactorTime,
        settings: SupervisorSettings,
        deployment_id: DeploymentId,
        metrics: Metrics | None = None,
    ) -> None:
        super().__init__()
        self._store = store
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._converger = Converger(
            store,
            bus,
            provider,
            clock,
            settings,
            Gatherer(store, clock, deployment_id, settings.confirm_limit),
            Orphans(store, clock, deployment_id),
        )
        self._turns = DeferredSemaphore(settings.cycles)
        self._metrics = metrics or Metrics()
        self._backlog = Backlog(clock)
        self._metrics.watch(Watched.DIRTY_MARKS, self._backlog.count)
        self._metrics.watch(Watched.OLDEST_MARK, self._backlog.oldest_seconds)
        self._loops: dict[TenantId, TenantLoop] = {}
        self._cursor = ""
        self._swept = 0
        self._last_round = 0
        self._round_began = utc_now(clock)
        for name, every, work in (
            ("marks", settings.mark_poll, self._read_marks),
            ("sweep", settings.sweep, self._sweep_step),
            ("prune", PRUNE_EVERY, self._prune),
        ):
            Periodic(name, clock, every, work).setServiceParent(self)

    def startService(self) -> None:
        """Listen to the bus, then read marks and sweep at once."""
        self._bus.on_notice(self._notice)
        self._bus.on_result(self._result)
        super().startService()

    def stopService(self) -> Deferred[list[tuple[bool, object]]]:
        """Stop listening and looking; fires when no cycle is under way any more."""
        waiting = [super().stopService()]
        loops, self._loops = self._loops, {}
        waiting.extend(stopping for loop in loops.values() if (stopping := loop.stop()))
        return DeferredList([w for w in waiting if w is not None])

    # --- events -------------------------------------------------------------------------------

    def _loop(self, tenant_id: TenantId) -> TenantLoop:
        loop = self._loops.get(tenant_id)
        if loop is None:
            loop = self._loops[tenant_id] = TenantLoop(
                tenant_id,
                self._converger,
                self._clock,
                self._turns,
                self._group_ids,
                self._metrics,
            )
        return loop

    async def _notice(self, notice: Notice) -> None:
        if self.running:
            self._loop(notice.tenant_id).look(notice.group_id, marked=1)

    async def _result(self, result: JobResult) -> None:
        if self.running:
            self._loop(result.job.tenant_id).result(result)

    # --- what no event announces --------------------------------------------------------------

    async def _read_marks(self) -> timedelta | None:
        page = await self._store.list_dirty(limit=PAGE)
        with self._backlog.reading() as found:
            while page:
                for mark in page:
                    found(mark.group_id)
                    self._loop(mark.tenant_id).remind(mark.group_id, mark.generation)
                page = await self._store.list_dirty(after=page[-1].group_id, limit=PAGE)
        return None

    async def _sweep_step(self) -> timedelta | None:
        """
        Sweep the next few tenants; return the wait that spreads all of them over the interval.

        A round begins one interval after the one before it began, so that each tenant is looked at
        once per interval however many there are.
        """
        if not self._cursor:
            self._round_began = utc_now(self._clock)
        tenants = await self._store.list_tenants(after=self._cursor, limit=TENANTS_PER_STEP)
        for tenant_id in tenants:
            self._loop(tenant_id).sweep(await self._group_ids(tenant_id))
        self._swept += len(tenants)
        if len(tenants) == TENANTS_PER_STEP:
            self._cursor = tenants[-1]
            expected = max(self._last_round, self._swept, 2 * TENANTS_PER_STEP)
            return self._settings.sweep * TENANTS_PER_STEP / expected
        self._cursor, self._swept, self._last_round = "", 0, self._swept
        self._forget_idle_loops()
        rest = self._round_began + self._settings.sweep - utc_now(self._clock)
        return max(rest, SHORTEST_REST)

    def _forget_idle_loops(self) -> None:
        for tenant_id in [t for t, loop in self._loops.items() if loop.idle]:
            del self._loops[tenant_id]

    async def _group_ids(self, tenant_id: TenantId) -> Sequence[GroupId]:
        found: list[GroupId] = []
        page = await self._store.list_group_ids(tenant_id, limit=PAGE)
        while page:
            found.extend(page)
            page = await self._store.list_group_ids(tenant_id, after=page[-1], limit=PAGE)
        return found

    async def _prune(self) -> timedelta | None:
        before = utc_now(self._clock) - self._settings.retention
        await self._store.prune(before=before, keep_activities=self._settings.keep_activities)
        return None
