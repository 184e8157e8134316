"""
One converge cycle of a tenant: load, gather, observe, plan, record, dispatch.

Level-triggered: whatever the reason for the cycle, it looks at the world as it is. Everything that
must survive is written once, before the first step is handed out; a conflict with another writer
throws the plan away (see the notes in ``otter.models.interface``).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from otter.bus.interface import Bus, Job, JobResult, Step
from otter.cloud.errors import AccessDeniedError, CloudError, EndpointMissingError
from otter.cloud.interface import CloudProvider
from otter.models.errors import ConflictError, NoSuchGroupError, StoreUnavailableError
from otter.models.group import DirtyMark, Group
from otter.models.ids import GroupId, InstanceId, LoadBalancerId, NotificationId, TenantId, new_uuid
from otter.models.interface import LedgerWrite, Store
from otter.models.ledger import TERMINAL, Convergence, Failing, Ledger, LedgerEntry
from otter.supervisor.balancing import balancers_used
from otter.supervisor.flight import Flight, key_of
from otter.supervisor.gathering import Gatherer
from otter.supervisor.narrating import Narrator
from otter.supervisor.observing import Failure, Observer, apply_results
from otter.supervisor.orphans import Orphans
from otter.supervisor.pacing import after_attempts, after_replacements
from otter.supervisor.planning import Plan, Planner
from otter.supervisor.settings import SupervisorSettings
from otter.supervisor.world import World
from otter.timing import utc_now


@frozen
class Subject:
    """
    A group as loaded at the start of a cycle.

    :ivar marked: the generation of its dirty mark as far as we heard, 0 for none.
    """

    group: Group
    ledger: Ledger
    results: tuple[JobResult, ...] = ()
    marked: int = 0

    @property
    def asleep(self) -> bool:
        """A paused or suspended group performs no step at all, unless it is being deleted."""
        return (self.group.paused or self.group.suspended) and not self.group.deleting


@frozen
class Outlook:
    """
    What a cycle leaves behind for one group.

    :ivar generation: the generation of the group that the cycle looked at.
    :ivar look_in: when to look again; None when an event or the sweep will do.
    :ivar clean: no dirty mark is left.
    :ivar gone: the group no longer exists.
    :ivar recorded: the results of jobs that came with it are in the ledger.
    """

    generation: int = 0
    look_in: timedelta | None = None
    clean: bool = False
    gone: bool = False
    recorded: bool = True


@frozen
class Converger:
    """Performs cycles."""

    store: Store
    bus: Bus
    provider: CloudProvider
    clock: IReactorTime
    settings: SupervisorSettings
    gatherer: Gatherer
    orphans: Orphans
    log = Logger()

    async def load(
        self, tenant_id: TenantId, group_id: GroupId, results: Sequence[JobResult], marked: int
    ) -> Subject | None:
        """
        Return the group ready for a cycle, or None if it no longer exists.

        A mark that is ahead of the group means that its writer died or is late; raising the
        generation ourselves settles which (see Note [Dirty marks]).
        """
        try:
            group = await self.store.get_group(tenant_id, group_id)
            while group.generation < marked:
                try:
                    group = await self.store.update_group(group, mark=False)
                except ConflictError:
                    group = await self.store.get_group(tenant_id, group_id)
            ledger = await self.store.read_ledger(tenant_id, group_id)
        except NoSuchGroupError:
            return None
        return Subject(group, ledger, tuple(results), marked)

    async def converge(
        self,
        tenant_id: TenantId,
        subjects: Sequence[Subject],
        flight: Flight,
        outlooks: dict[GroupId, Outlook],
        all_groups: Collection[GroupId] | None = None,
    ) -> None:
        """
        Perform one cycle over loaded groups of one tenant.

        :param outlooks: is given what the cycle leaves behind for each group it got to, so that a
            failure half-way does not repeat the rest.
        :param all_groups: the ids of all groups of the tenant when this is a sweep, which also sees
            to servers whose group is gone.
        :raises CloudError: the cloud could not be looked at; nothing was done.
        """
        flight.expire(utc_now(self.clock), self.settings.abandon)
        awake = [s for s in subjects if not s.asleep]
        for subject in subjects:
            if subject.asleep:
                outlooks[subject.group.group_id] = await self._rest(subject)
        if not awake and all_groups is None:
            return
        changing = flight.changing()
        try:
            world = await self._gather(tenant_id, awake, all_groups)
        except (EndpointMissingError, AccessDeniedError) as error:
            await self._locked_out(awake, error)
            raise
        flight.saw(world.balancers, world.unread, utc_now(self.clock))
        for subject in awake:
            outlook = await self._contained(subject, world, flight, changing)
            outlooks[subject.group.group_id] = outlook
        if all_groups is not None:
            for orphan, step in await self.orphans.plan(tenant_id, world, frozenset(all_groups)):
                await self._dispatch(orphan.tenant_id, orphan.group_id, [step], flight)

    async def _gather(
        self,
        tenant_id: TenantId,
        subjects: Sequence[Subject],
        all_groups: Collection[GroupId] | None,
    ) -> World:
        entries = [e for s in subjects for e in s.ledger.entries.values()]
        mine = {s.group.group_id for s in subjects}
        if all_groups is not None:
            entries.extend(await self.orphans.entries(tenant_id))
        return await self.gatherer.gather(
            self.provider.cloud_for(tenant_id),
            tenant_id,
            entries,
            sorted(balancers_used(entries)),
            lambda g: g in mine or (all_groups is not None and g not in all_groups),
        )

    async def _contained(
        self,
        subject: Subject,
        world: World,
        flight: Flight,
        changing: frozenset[LoadBalancerId],
    ) -> Outlook:
        """Converge one group; a failure of ours that it provokes stops none of its neighbours."""
        try:
            return await self._one(subject, world, flight, changing)
        except (StoreUnavailableError, CancelledError):
            raise
        except Exception:  # noqa: BLE001 - whatever it was, the other groups have their turn
            group = subject.group
            self.log.failure("converge.failed {group_id}", group_id=group.group_id)
            return Outlook(group.generation, self.settings.look_max, recorded=False)

    async def _one(
        self,
        subject: Subject,
        world: World,
        flight: Flight,
        changing: frozenset[LoadBalancerId],
    ) -> Outlook:
        seen = subject.group.generation
        unread = world.unread & balancers_used(subject.ledger.entries.values())
        if unread:
            convergence, entries = self._reported(subject)
            names = flight.long_unread(unread, utc_now(self.clock))
            if names:
                reasons = tuple(f"Load Balancer {name} cannot be read" for name in names)
                convergence = evolve(convergence, balancer_reasons=reasons)
            recorded = await self._record(subject, convergence, entries)
            return Outlook(seen, self.settings.look_max, recorded=recorded)
        try:
            plan = self._plan(subject, world, flight, changing)
            if not await self._record(subject, plan.convergence, plan.entries):
                return Outlook(seen, timedelta(0), recorded=False)
            return await self._carry_out(subject, plan, flight)
        except NoSuchGroupError:
            return Outlook(seen, gone=True)

    async def _carry_out(self, subject: Subject, plan: Plan, flight: Flight) -> Outlook:
        group, seen = subject.group, subject.group.generation
        await self._dispatch(group.tenant_id, group.group_id, plan.steps, flight)
        if group.deleting and all(e.state in TERMINAL for e in plan.entries):
            try:
                await self.store.remove_group(group)
            except ConflictError:
                return Outlook(seen, timedelta(0))
            return Outlook(seen, gone=True)
        if plan.look_in is not None or plan.steps:
            return Outlook(seen, plan.look_in or self.settings.look_max)
        return Outlook(seen, clean=await self._clear(subject))

    def _plan(
        self,
        subject: Subject,
        world: World,
        flight: Flight,
        changing: frozenset[LoadBalancerId],
    ) -> Plan:
        now = utc_now(self.clock)
        group, deployment_id = subject.group, self.gatherer.deployment_id
        reported = apply_results(subject.ledger.entries, subject.results, now)
        creating = flight.creating()
        observer = Observer(world, deployment_id, self.settings, now, creating)
        planner = Planner(
            group,
            world,
            deployment_id,
            self.settings,
            now,
            new_instance_id,
            changing,
            creating,
        )
        seen = observer.observe(reported.entries)
        entries = [*seen.entries, *observer.adopted(seen.entries, planner.intent())]
        convergence = after_attempts(
            subject.ledger.convergence,
            group,
            (*reported.failures, *seen.failures),
            reported.recovered | seen.recovered,
            now=now,
            settings=self.settings,
        )
        convergence = after_replacements(
            convergence,
            subject.ledger.entries.values(),
            entries,
            desired=group.desired,
            now=now,
            settings=self.settings,
        )
        return planner.plan(convergence, entries, flight.refusals.get(group.group_id, {}))

    async def _rest(self, subject: Subject) -> Outlook:
        """Only remember what jobs reported that were under way when the group fell asleep."""
        if not await self._record(subject, *self._reported(subject)):
            return Outlook(subject.group.generation, timedelta(0), recorded=False)
        return Outlook(subject.group.generation, clean=await self._clear(subject))

    async def _locked_out(self, subjects: Sequence[Subject], error: CloudError) -> None:
        """Tell the owners that their account cannot be worked with."""
        for subject in subjects:
            now = utc_now(self.clock)
            convergence, entries = self._reported(subject)
            failure = Failure(Failing.CREATE, error.message, lasting=True)
            failed = after_attempts(
                convergence,
                subject.group,
                [failure],
                frozenset(),
                now=now,
                settings=self.settings,
            )
            await self._record(subject, failed, entries)

    def _reported(self, subject: Subject) -> tuple[Convergence, tuple[LedgerEntry, ...]]:
        """Return the record and the entries after what jobs reported, refusals counted too."""
        now = utc_now(self.clock)
        reported = apply_results(subject.ledger.entries, subject.results, now)
        convergence = subject.ledger.convergence
        if reported.failures or reported.recovered:
            convergence = after_attempts(
                convergence,
                subject.group,
                reported.failures,
                reported.recovered,
                now=now,
                settings=self.settings,
            )
        return convergence, reported.entries

    async def _record(
        self, subject: Subject, convergence: Convergence, entries: Sequence[LedgerEntry]
    ) -> bool:
        """Write what changed; False if somebody else wrote meanwhile."""
        old = subject.ledger
        changed = tuple(e for e in entries if old.entries.get(e.instance_id) != e)
        if not changed and convergence == old.convergence:
            return True
        narrator = Narrator(subject.group, utc_now(self.clock), new_notification_id)
        story = narrator.tell((old.convergence, old.entries), (convergence, changed))
        try:
            await self.store.write_ledger(
                LedgerWrite(convergence, changed, story.notifications), activities=story.activities
            )
        except ConflictError:
            return False
        return True

    async def _dispatch(
        self, tenant_id: TenantId, group_id: GroupId, steps: Iterable[Step], flight: Flight
    ) -> None:
        now = utc_now(self.clock)
        for step in steps:
            key = key_of(step)
            if flight.may_start(key, now):
                job = Job(
                    new_uuid(), tenant_id, group_id, key, step, now + self.settings.job_deadline
                )
                flight.start(job)
                await self.bus.send_job(job)

    async def _clear(self, subject: Subject) -> bool:
        if not subject.marked:
            return True
        group = subject.group
        return await self.store.clear_dirty(
            DirtyMark(group.tenant_id, group.group_id, group.generation)
        )


def new_instance_id() -> InstanceId:
    """Return a fresh id for a server we intend."""
    return InstanceId(new_uuid())


def new_notification_id() -> NotificationId:
    """Return a fresh id for a message to a customer."""
    return NotificationId(new_uuid())
