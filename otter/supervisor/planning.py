"""
Decide what one converge cycle does to a scaling group.

Pure: the group, its observed entries, the world and the time go in; changed entries and steps come
out.

Note [Never above max]
    A place is taken from the moment an intent is recorded until the cloud confirms that the server
    is no more. Creates are bounded by what is left of ``max`` after all taken places, those of
    leaving servers and of unknown outcomes included, so a replacement at ``max`` waits for the
    deletion it replaces (promise S1).

Note [Who goes first]
    Not yet asked for, then being built, then joining, then put aside, then in service; the oldest
    first within each. The newest servers stay, so a new launch config spreads by ordinary scaling.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from attrs import evolve, frozen
from pyrsistent import thaw

from otter.bus.interface import (
    CreateServerJob,
    DeleteServerJob,
    ReleaseServerJob,
    SetMembersJob,
    Step,
)
from otter.models.group import Group, LaunchType, LoadBalancerKind, LoadBalancerTarget
from otter.models.ids import DeploymentId, InstanceId, LoadBalancerId
from otter.models.ledger import Convergence, EntryState, LedgerEntry, Removal
from otter.supervisor.balancing import drain, drained, join, leave, merge
from otter.supervisor.destiny import Destiny, destiny_of
from otter.supervisor.marks import marks_for, metadata_for, server_name
from otter.supervisor.observing import close, see_off
from otter.supervisor.pacing import creates_allowed
from otter.supervisor.settings import SupervisorSettings
from otter.supervisor.world import World


@frozen
class Plan:
    """
    What one cycle does to a group.

    :ivar entries: all entries of the group as they are to be recorded before any step is taken.
    :ivar steps: at most one per server and one per load balancer.
    :ivar look_in: when to look again though no event may come; None when the group is at rest.
    """

    convergence: Convergence
    entries: tuple[LedgerEntry, ...]
    steps: tuple[Step, ...] = ()
    look_in: timedelta | None = None


@frozen
class Planner:
    """Plans for one group at one moment."""

    group: Group
    world: World
    deployment_id: DeploymentId
    settings: SupervisorSettings
    now: datetime
    new_instance_id: Callable[[], InstanceId]
    changing: frozenset[LoadBalancerId] = frozenset()
    """Load balancers with a job of ours under way since before the world was looked at."""
    creating: frozenset[InstanceId] = frozenset()
    """Instances whose create job is under way in this process."""

    def plan(
        self,
        convergence: Convergence,
        entries: Iterable[LedgerEntry],
        refusals: Mapping[LoadBalancerId, str],
    ) -> Plan:
        """
        Return the plan.

        :param refusals: load balancers that refused our members last time, and why.
        """
        shrunk = self._shrink(list(entries))
        grown = self._grow(shrunk, convergence)
        planned: list[LedgerEntry] = []
        steps: list[Step] = []
        work: list[SetMembersJob] = []
        reasons: set[str] = set(self._unservable())
        asked = {e.instance_id for e in grown if e.state is EntryState.REQUESTED}
        for entry in self._hand_out(grown, convergence):
            if entry.state is EntryState.REQUESTED and entry.instance_id not in asked:
                steps.append(self._create(entry))
            after, own_steps, own_work, own_reasons = self._one(entry)
            planned.append(after)
            steps.extend(own_steps)
            work.extend(own_work)
            reasons.update(own_reasons)
        members = merge(work)
        refused = {
            refusals[job.load_balancer_id]
            for job in members
            if job.add and job.load_balancer_id in refusals
        }
        result = self._settled(
            evolve(convergence, balancer_reasons=tuple(sorted(reasons | refused))), planned
        )
        look_in = self._look_in(result, planned, waiting=bool(members or reasons))
        return Plan(result, tuple(planned), (*steps, *members), look_in)

    # --- how many -----------------------------------------------------------------------------

    @property
    def wanted(self) -> int:
        """How many servers are to stay."""
        return 0 if self.group.deleting else self.group.desired

    def _shrink(self, entries: list[LedgerEntry]) -> list[LedgerEntry]:
        """Send surplus servers away."""
        staying = sorted((e for e in entries if not e.leaving), key=self._victim_order)
        victims = {e.instance_id for e in staying[: max(0, len(staying) - self.wanted)]}
        return [
            self._send_away(e) if e.instance_id in victims or self._asked_to_go(e) else e
            for e in entries
        ]

    @staticmethod
    def _asked_to_go(entry: LedgerEntry) -> bool:
        """Whether a call asked for this server's removal and nothing was done about it yet."""
        return entry.removal is not None and entry.state not in {
            EntryState.DRAINING,
            EntryState.DELETING,
            EntryState.GONE,
            EntryState.LOST,
        }

    def _victim_order(self, entry: LedgerEntry) -> tuple[int, datetime, str]:
        rank = {
            EntryState.INTENDED: 0,
            EntryState.REQUESTED: 1,
            EntryState.BUILDING: 1,
            EntryState.JOINING: 2,
        }.get(entry.state, 4)
        if rank == 4 and self._destiny(entry) is not Destiny.SERVE:
            rank = 3
        return rank, entry.created, entry.instance_id

    def _send_away(self, entry: LedgerEntry) -> LedgerEntry:
        if entry.state is EntryState.INTENDED:
            return close(entry, "not needed any more, never asked for", self.now)
        serving = entry.state in {EntryState.JOINING, EntryState.IN_SERVICE}
        if serving and entry.memberships and self._draining_timeout():
            return evolve(
                entry,
                state=EntryState.DRAINING,
                removal=entry.removal or Removal.DELETE,
                changed=self.now,
            )
        return see_off(entry, "", self.now)

    def _grow(self, entries: list[LedgerEntry], convergence: Convergence) -> list[LedgerEntry]:
        """Record intents for missing servers, as far as ``max`` and the pace of retries allow."""
        staying = sum(1 for e in entries if not e.leaving)
        room = self.group.config.max_entities - sum(1 for e in entries if e.occupies)
        missing = min(self.wanted - staying, room)
        if not self._creates_allowed(entries, convergence):
            return entries
        return entries + [self.intent() for _ in range(missing)]

    def _creates_allowed(self, entries: list[LedgerEntry], convergence: Convergence) -> int:
        """Return how many creates may be handed out; a stack's arguments describe no server."""
        if self.group.launch.type is not LaunchType.SERVER:
            return 0
        requested = sum(1 for e in entries if self._under_way(e))
        return creates_allowed(convergence, requested, now=self.now, settings=self.settings)

    def _under_way(self, entry: LedgerEntry) -> bool:
        """
        Whether a create keeps the cloud busy, or its outcome is still awaited.

        One that a dead process had handed out keeps its place in the group, but not its turn:
        nobody is waiting for an answer to it.
        """
        asked = entry.instance_id in self.creating or bool(entry.reason)
        return entry.state is EntryState.REQUESTED and asked

    def intent(self) -> LedgerEntry:
        """Return a new entry for a server of the current launch config."""
        instance_id = self.new_instance_id()
        server = launch_document(self.group).get("server", {})
        return LedgerEntry(
            self.group.tenant_id,
            self.group.group_id,
            instance_id,
            launch_version=self.group.launch.version,
            created=self.now,
            changed=self.now,
            name=server_name(server.get("name"), instance_id),
            targets=targets_of(self.group),
        )

    def _hand_out(
        self, entries: list[LedgerEntry], convergence: Convergence
    ) -> Iterable[LedgerEntry]:
        """Turn as many intents into requests as may be under way at once, the oldest first."""
        allowed = self._creates_allowed(entries, convergence)
        for entry in entries:
            if entry.state is EntryState.INTENDED and allowed > 0:
                allowed -= 1
                # A new request always uses the newest launch config: nothing was asked for yet.
                yield evolve(
                    entry,
                    state=EntryState.REQUESTED,
                    changed=self.now,
                    launch_version=self.group.launch.version,
                    targets=targets_of(self.group),
                )
            else:
                yield entry

    # --- each server --------------------------------------------------------------------------

    def _one(
        self, entry: LedgerEntry
    ) -> tuple[LedgerEntry, list[Step], tuple[SetMembersJob, ...], tuple[str, ...]]:
        match entry.state:
            case EntryState.JOINING | EntryState.IN_SERVICE:
                return self._serve(entry)
            case EntryState.DRAINING:
                return self._drain(entry)
            case EntryState.DELETING:
                return self._delete(entry)
            case _:
                return entry, [], (), ()

    def _create(self, entry: LedgerEntry) -> CreateServerJob:
        body = launch_document(self.group).get("server", {})
        marks = metadata_for(marks_for(entry, self.deployment_id))
        return CreateServerJob(entry.instance_id, entry.name, body, marks)

    def _serve(
        self, entry: LedgerEntry
    ) -> tuple[LedgerEntry, list[Step], tuple[SetMembersJob, ...], tuple[str, ...]]:
        if self._destiny(entry) is not Destiny.SERVE:
            return entry, [], (), ()
        members = join(entry, self.world)
        state = EntryState.IN_SERVICE if members.settled else EntryState.JOINING
        after = members.entry
        if state is not after.state:
            first = self.now if state is EntryState.IN_SERVICE else None
            after = evolve(after, state=state, changed=self.now, served=after.served or first)
        return after, [], members.work, members.reasons

    def _drain(
        self, entry: LedgerEntry
    ) -> tuple[LedgerEntry, list[Step], tuple[SetMembersJob, ...], tuple[str, ...]]:
        members = drain(entry, self.world)
        after = members.entry
        if members.settled and after.draining_since is None:
            after = evolve(after, draining_since=self.now)
        timeout = self._draining_timeout()
        impatient = self.now - entry.changed >= timeout + self.settings.drain_patience
        if impatient or (members.settled and drained(after, self.world, self.now, timeout)):
            return self._delete(see_off(after, "", self.now))
        return after, [], members.work, ()

    def _delete(
        self, entry: LedgerEntry
    ) -> tuple[LedgerEntry, list[Step], tuple[SetMembersJob, ...], tuple[str, ...]]:
        """Members go first, so that no client is sent to a server that is being deleted; a server
        that does not answer anyway, or whose load balancer cannot be changed, does not wait.
        """
        members = leave(entry, self.world, self._doubtful(entry))
        after = members.entry
        if after.absent:
            if not after.memberships:
                after = close(after, after.reason or "deleted", self.now)
            return after, [], members.work, ()
        if after.server_id is None:
            return after, [], members.work, ()
        stuck = self.now - after.changed >= self.settings.drain_patience
        broken = self._destiny(after) is not Destiny.SERVE
        if after.removal is Removal.RELEASE:
            ready = members.settled
            step: Step = ReleaseServerJob(after.instance_id, after.server_id)
        else:
            ready = members.settled or broken or stuck
            step = DeleteServerJob(after.instance_id, after.server_id)
        return after, [step] if ready else [], members.work, ()

    def _doubtful(self, entry: LedgerEntry) -> Container[LoadBalancerId]:
        """
        Return the load balancers on which a member of this server may yet appear.

        Those of a server that never served, or was being put back, may have been asked for by a
        process that died; they are given as long as a create with an unknown outcome.
        """
        young = self.now - entry.changed < self.settings.settle
        if young and (entry.served is None or entry.unsettled):
            return {m.load_balancer_id for m in entry.memberships}
        return self.changing

    # --- the rest -----------------------------------------------------------------------------

    def _destiny(self, entry: LedgerEntry) -> Destiny:
        server = None if entry.server_id is None else self.world.servers.get(entry.server_id)
        return Destiny.WAIT if server is None else destiny_of(server)

    def _draining_timeout(self) -> timedelta:
        value = self.group.launch.args.get("draining_timeout", 0)
        return timedelta(seconds=float(value) if isinstance(value, int | Decimal) else 0)

    def _unservable(self) -> Iterable[str]:
        if self.group.launch.type is LaunchType.STACK and self.wanted:
            yield "launch_stack needs an orchestration service, which this deployment does not use"

    def _settled(self, convergence: Convergence, entries: Iterable[LedgerEntry]) -> Convergence:
        """
        Forget failures once every wanted server is up: nothing is being attempted any more.

        So is a spent replacement budget; it is worked out anew as soon as a server is missing.
        """
        staying = [e for e in entries if not e.leaving]
        up = all(e.state in {EntryState.JOINING, EntryState.IN_SERVICE} for e in staying)
        if not up or len(staying) < self.wanted:
            return convergence
        return evolve(convergence, failures=0, failing=None, retry_at=None, create_reasons=())

    def _look_in(
        self, convergence: Convergence, entries: Iterable[LedgerEntry], *, waiting: bool
    ) -> timedelta | None:
        looks = [self.settings.look_max] if waiting else []
        staying = 0
        for entry in entries:
            staying += not entry.leaving
            settled = {EntryState.IN_SERVICE, EntryState.GONE, EntryState.LOST}
            if entry.state not in settled:
                age = self.now - entry.changed
                look = max(self.settings.look_first, age / 4)
                looks.append(min(look, self.settings.look_max))
        if staying < self.wanted:
            retry = (convergence.retry_at or self.now) - self.now
            looks.append(max(retry, self.settings.look_first))
        return min(looks, default=None)


def launch_document(group: Group) -> dict[str, Any]:
    """Return the arguments of the group's launch config as plain JSON."""
    return cast(dict[str, Any], thaw(group.launch.args))


def targets_of(group: Group) -> tuple[LoadBalancerTarget, ...]:
    """Return the places on load balancers that the current launch config asks for."""
    items = launch_document(group).get("loadBalancers", [])
    return tuple(
        LoadBalancerTarget(
            LoadBalancerId(str(item["loadBalancerId"])),
            item.get("port"),
            LoadBalancerKind(item.get("type", LoadBalancerKind.CLOUD)),
        )
        for item in items
    )
