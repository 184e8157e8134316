"""
One tenant's converge loop: events in, one cycle at a time.

Note [One more cycle]
    The first event starts a cycle at once. Events that arrive while it runs are remembered by
    group, and cause exactly one more cycle afterwards however many they are. Cycles of a tenant
    start no sooner after each other than a gap that grows with what the last one took, so that a
    large tenant keeps itself busy and nobody else (promise S8).
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime, timedelta

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from otter.bus.interface import JobResult
from otter.cloud.errors import CloudError
from otter.metrics import Metrics
from otter.models.errors import StoreUnavailableError
from otter.models.ids import GroupId, TenantId
from otter.supervisor.cycle import Converger, Outlook, Subject
from otter.supervisor.flight import Flight
from otter.timing import utc_now

GROUPS_PER_CYCLE = 100
TROUBLE_MAX = timedelta(seconds=60)


@define
class Awaited:
    """What is known about one group between cycles."""

    due: datetime
    results: list[JobResult] = field(factory=list)
    marked: int = 0


@define
class TenantLoop:
    """Decides when the tenant's next cycle runs and over which groups."""

    tenant_id: TenantId
    converger: Converger
    clock: IReactorTime
    turns: DeferredSemaphore
    all_groups: Callable[[TenantId], Awaitable[Collection[GroupId]]]
    metrics: Metrics = field(factory=Metrics)
    flight: Flight = field(init=False)
    stopped: bool = False
    _awaited: dict[GroupId, Awaited] = field(factory=dict)
    _sweeping: bool = False
    _troubles: int = 0
    _not_before: datetime = field(init=False)
    _timer: IDelayedCall | None = None
    _cycle: Deferred[None] | None = None
    _log: Logger = field(factory=Logger)

    def __attrs_post_init__(self) -> None:
        self.flight = Flight(self.converger.settings.look_first)
        self._not_before = utc_now(self.clock)

    # --- events -------------------------------------------------------------------------------

    def look(self, group_id: GroupId, *, marked: int = 0) -> None:
        """
        Look at the group as soon as possible.

        :param marked: the generation of its dirty mark, 1 if there is one of unknown generation.
        """
        self._await(group_id, utc_now(self.clock), marked)
        self._schedule()

    def remind(self, group_id: GroupId, generation: int) -> None:
        """Look at a group whose mark was found in the store, unless its change is known already."""
        awaited = self._awaited.get(group_id)
        if awaited is None or awaited.marked < generation:
            self.look(group_id, marked=generation)

    def result(self, result: JobResult) -> None:
        """Take the result of a job, and look at its group."""
        now = utc_now(self.clock)
        self.flight.end(result, now)
        self._await(result.job.group_id, now).results.append(result)
        self._schedule()

    def sweep(self, group_ids: Iterable[GroupId]) -> None:
        """Look at all of these groups, and at servers whose group is gone."""
        self._sweeping = True
        now = utc_now(self.clock)
        for group_id in group_ids:
            self._await(group_id, now)
        self._schedule()

    def _await(self, group_id: GroupId, due: datetime, marked: int = 0) -> Awaited:
        found = self._awaited.setdefault(group_id, Awaited(due))
        found.due = min(found.due, due)
        found.marked = max(found.marked, marked)
        return found

    @property
    def idle(self) -> bool:
        """Whether the loop can be forgotten."""
        quiet = self._cycle is None and not self._awaited and not self._sweeping
        return quiet and self.flight.idle

    def stop(self) -> Deferred[None] | None:
        """Start no more cycles and cut the one under way short; fires when it has ended."""
        self.stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        cycle = self._cycle
        if cycle is None:
            return None
        ended: Deferred[None] = Deferred()
        _ = cycle.addBoth(lambda _: ended.callback(None))
        cycle.cancel()
        return ended

    # --- cycles -------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if self.stopped or self._cycle is not None:
            return
        dues = [a.due for a in self._awaited.values()]
        if self._sweeping:
            dues.append(self._not_before)
        if not dues:
            return
        wait = max(min(dues), self._not_before) - utc_now(self.clock)
        seconds = max(0.0, wait.total_seconds())
        if self._timer is None:
            self._timer = self.clock.callLater(seconds, self._start)
        else:
            self._timer.reset(seconds)

    def _start(self) -> None:
        self._timer = None
        cycle = self.turns.run(self._run)
        self._cycle = cycle
        _ = cycle.addErrback(self._failed).addBoth(self._ended)

    def _failed(self, failure: Failure) -> None:
        if not self.stopped:
            self._log.failure("cycle.failed {tenant_id}", failure, tenant_id=self.tenant_id)
            self.metrics.postponed("crash")
            self._in_trouble()

    def _ended(self, _: object) -> None:
        self._cycle = None
        self._schedule()

    async def _run(self) -> None:
        started = utc_now(self.clock)
        taken = self._take(started)
        sweeping, self._sweeping = self._sweeping, False
        outlooks: dict[GroupId, Outlook] = {}
        try:
            await self._cycle_over(taken, outlooks, sweeping=sweeping)
            self._troubles = 0
        except (CloudError, StoreUnavailableError) as error:
            self._log.warn(
                "cycle.postponed {tenant_id}: {kind}: {error}",
                tenant_id=self.tenant_id,
                kind=type(error).__name__,
                error=error,
            )
            self.metrics.postponed(type(error).__name__)
            self._in_trouble()
        except CancelledError:
            if not self.stopped:
                raise
        finally:
            self._put_back(taken, outlooks)
        took = utc_now(self.clock) - started
        self.metrics.cycle(took)
        gap = max(self.converger.settings.cycle_gap, took / 2)
        self._not_before = max(self._not_before, utc_now(self.clock) + gap)

    def _take(self, now: datetime) -> dict[GroupId, Awaited]:
        due = sorted(
            (g for g, a in self._awaited.items() if a.due <= now),
            key=lambda g: (self._awaited[g].due, g),
        )[:GROUPS_PER_CYCLE]
        return {g: self._awaited.pop(g) for g in due}

    async def _cycle_over(
        self, taken: dict[GroupId, Awaited], outlooks: dict[GroupId, Outlook], *, sweeping: bool
    ) -> None:
        subjects: list[Subject] = []
        for group_id, awaited in taken.items():
            subject = await self._load(group_id, awaited, outlooks)
            if subject is not None:
                subjects.append(subject)
        everything = await self.all_groups(self.tenant_id) if sweeping else None
        if subjects or everything is not None:
            await self.converger.converge(
                self.tenant_id, subjects, self.flight, outlooks, everything
            )

    async def _load(
        self, group_id: GroupId, awaited: Awaited, outlooks: dict[GroupId, Outlook]
    ) -> Subject | None:
        """Return the group, or leave its outlook; one that cannot be read stops no other."""
        try:
            subject = await self.converger.load(
                self.tenant_id, group_id, awaited.results, awaited.marked
            )
        except (StoreUnavailableError, CancelledError):
            raise
        except Exception:  # noqa: BLE001 - whatever it was, the other groups have their turn
            self._log.failure("load.failed {group_id}", group_id=group_id)
            later = self.converger.settings.look_max
            outlooks[group_id] = Outlook(look_in=later, recorded=False)
            return None
        if subject is None:
            outlooks[group_id] = Outlook(gone=True)
        return subject

    def _put_back(self, taken: dict[GroupId, Awaited], outlooks: dict[GroupId, Outlook]) -> None:
        """Remember what is still to be done for each group that took part."""
        now = utc_now(self.clock)
        for group_id, awaited in taken.items():
            outlook = outlooks.get(group_id)
            if outlook is None:  # the cycle failed before it came to this group
                again = self._await(group_id, now, awaited.marked)
                again.results[:0] = awaited.results
                continue
            if outlook.gone:
                self.flight.refusals.pop(group_id, None)
                continue
            known = max(awaited.marked, outlook.generation) if awaited.marked else 0
            marked = 0 if outlook.clean else known
            if not outlook.recorded:
                due = now + (outlook.look_in or timedelta(0))
                self._await(group_id, due, marked).results[:0] = awaited.results
            elif outlook.look_in is not None:
                self._await(group_id, now + outlook.look_in, marked)
            elif marked:  # somebody marked it again while we cleared
                self._await(group_id, now, marked)

    def _in_trouble(self) -> None:
        """Wait longer and longer while the cloud or the store do not answer."""
        self._troubles += 1
        wait = min(timedelta(seconds=0.5) * (2 ** min(self._troubles, 10)), TROUBLE_MAX)
        self._not_before = utc_now(self.clock) + wait
