"""
Bring ledger entries up to date with what jobs reported and what the cloud shows.

Pure. Nothing is decided here about how many servers there should be; an entry only learns what
became of its server. What went wrong comes back as ``Failure`` values, for the pace of retries.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby

from attrs import evolve, frozen

from otter.bus.interface import (
    CreateServerJob,
    JobResult,
    Outcome,
    ReleaseServerJob,
)
from otter.cloud.address import service_address
from otter.cloud.interface import Server
from otter.models.ids import DeploymentId, InstanceId
from otter.models.ledger import TERMINAL, EntryState, Failing, LedgerEntry, Removal
from otter.supervisor.destiny import Destiny, destiny_of
from otter.supervisor.marks import Marks, marks_for, marks_of
from otter.supervisor.settings import SupervisorSettings
from otter.supervisor.world import World

LASTING = frozenset({Outcome.INVALID, Outcome.QUOTA, Outcome.DENIED, Outcome.MISSING})
"""Outcomes of a create that only somebody outside can repair."""


@frozen
class Failure:
    """An attempt to get a server failed; ``lasting`` ones are shown to the owner at once."""

    failing: Failing
    reason: str
    lasting: bool = False


@frozen
class Observation:
    """The entries as they now are, what failed, and what shows that things work again."""

    entries: tuple[LedgerEntry, ...]
    failures: tuple[Failure, ...] = ()
    recovered: frozenset[Failing] = frozenset()


def close(entry: LedgerEntry, reason: str, now: datetime) -> LedgerEntry:
    """Return the entry closed: nothing of it is left in the cloud, or none of our business."""
    return evolve(entry, state=EntryState.GONE, changed=now, reason=reason)


def see_off(entry: LedgerEntry, reason: str, now: datetime) -> LedgerEntry:
    """Return the entry on its way to deletion (or release, if that was asked for)."""
    return evolve(
        entry,
        state=EntryState.DELETING,
        removal=entry.removal or Removal.DELETE,
        reason=reason or entry.reason,
        changed=now,
        unsettled=entry.unsettled or entry.state is EntryState.JOINING,
    )


def resurfaced(closed: LedgerEntry, server: Server) -> bool:
    """
    Return whether a server with the marks of a closed entry must be seen off after all.

    It must if the ledger gave it up, or if the cloud had said that this very server is no more. One
    that was released or disowned is not ours, and neither is a copy of our marks.
    """
    if closed.state not in TERMINAL:
        return False
    if closed.server_id is None:
        return True
    back = closed.absent and closed.server_id == server.server_id
    return back and destiny_of(server) not in {Destiny.GOING, Destiny.GONE}


def apply_results(
    entries: Mapping[InstanceId, LedgerEntry], results: Iterable[JobResult], now: datetime
) -> Observation:
    """Return the entries after the jobs that ended; a result nobody waits for changes nothing."""
    found = dict(entries)
    failures: list[Failure] = []
    recovered: set[Failing] = set()
    for result in results:
        step = result.job.step
        if isinstance(step, CreateServerJob) and step.instance_id in found:
            entry = found[step.instance_id]
            found[step.instance_id] = _after_create(entry, result, now)
            if result.outcome is Outcome.DONE:
                recovered.add(Failing.CREATE)
            elif result.outcome is not Outcome.UNKNOWN and not entry.leaving:
                lasting = result.outcome in LASTING
                failures.append(Failure(Failing.CREATE, result.reason, lasting))
        elif isinstance(step, ReleaseServerJob) and step.instance_id in found:
            entry = found[step.instance_id]
            done = result.outcome in {Outcome.DONE, Outcome.MISSING}
            found[step.instance_id] = close(entry, "released", now) if done else entry
    return Observation(tuple(found.values()), tuple(failures), frozenset(recovered))


def _after_create(entry: LedgerEntry, result: JobResult, now: datetime) -> LedgerEntry:
    if entry.server_id is not None:
        return entry
    if result.outcome is Outcome.DONE:
        building = EntryState.BUILDING if entry.state is EntryState.REQUESTED else entry.state
        return evolve(
            entry, state=building, server_id=result.server_id, links=result.links, changed=now
        )
    if result.outcome is Outcome.UNKNOWN:
        return evolve(entry, reason=result.reason or "no answer to the create request", changed=now)
    return close(entry, result.reason, now)


@frozen
class Observer:
    """Compares entries with one ``World``."""

    world: World
    deployment_id: DeploymentId
    settings: SupervisorSettings
    now: datetime
    creating: frozenset[InstanceId] = frozenset()
    """Instances whose create job is still under way in this process."""

    def observe(self, entries: Iterable[LedgerEntry]) -> Observation:
        """Return the entries as the world shows them."""
        by_marks = self._servers_by_marks()
        failures: list[Failure] = []
        recovered: set[Failing] = set()
        seen: list[LedgerEntry] = []
        for before in entries:
            entry = self._identify(before, by_marks)
            after = self._look(entry)
            seen.append(after)
            if entry.state is EntryState.BUILDING and after.state is EntryState.JOINING:
                recovered.add(Failing.BUILD)
            failures.extend(self._failure(entry, after))
        return Observation(tuple(seen), tuple(failures), frozenset(recovered))

    def adopted(self, entries: Iterable[LedgerEntry], template: LedgerEntry) -> list[LedgerEntry]:
        """
        Return entries for servers that bear our group's marks and have no live entry.

        One the ledger gave up as lost, whose create was refused, or that was gone and is back, is
        deleted; one it never heard of is adopted as a new member; one it released, or that names
        another server, is left alone.
        """
        live = {e.instance_id for e in entries}
        found: list[LedgerEntry] = []
        for stranger in self.world.strangers_of(template.group_id):
            if stranger.marks.instance_id in live:
                continue
            live.add(stranger.marks.instance_id)
            server, closed = stranger.server, stranger.entry
            if closed is None:
                found.append(
                    evolve(
                        template,
                        instance_id=stranger.marks.instance_id,
                        state=EntryState.BUILDING,
                        server_id=server.server_id,
                        name=server.name,
                        links=server.links,
                        created=min(server.created, self.now),
                        reason="adopted: it bears our marks and the ledger had no entry",
                    )
                )
            elif resurfaced(closed, server):
                late = evolve(closed, server_id=server.server_id, links=server.links, absent=False)
                found.append(see_off(late, "appeared after it was given up", self.now))
        return found

    def _servers_by_marks(self) -> dict[Marks, Server]:
        marked = [(m, s) for s in self.world.servers.values() if (m := marks_of(s)) is not None]
        marked.sort(key=lambda pair: (pair[0].instance_id, pair[1].created, pair[1].server_id))
        grouped = groupby(marked, key=lambda pair: pair[0])
        return {marks: next(pairs)[1] for marks, pairs in grouped}

    def _identify(self, entry: LedgerEntry, by_marks: Mapping[Marks, Server]) -> LedgerEntry:
        """Return the entry with its server's id, if the marks reveal it."""
        if entry.server_id is not None:
            return entry
        server = by_marks.get(marks_for(entry, self.deployment_id))
        if server is None:
            return entry
        state = EntryState.DELETING if entry.leaving else EntryState.BUILDING
        return evolve(
            entry, server_id=server.server_id, links=server.links, state=state, changed=self.now
        )

    def _look(self, entry: LedgerEntry) -> LedgerEntry:
        if entry.absent or entry.state is EntryState.INTENDED:
            return entry
        if entry.server_id is None:
            return self._unanswered(entry)
        if entry.server_id in self.world.absent:
            return self._vanished(entry)
        server = self.world.servers.get(entry.server_id)
        if server is None:  # neither listed nor confirmed absent: half a view decides nothing (S7)
            return entry
        if marks_of(server) != marks_for(entry, self.deployment_id):
            released = entry.removal is Removal.RELEASE and not entry.memberships
            return close(entry, "released" if released else "disowned: marks removed", self.now)
        return self._present(entry, server)

    def _unanswered(self, entry: LedgerEntry) -> LedgerEntry:
        """A create whose outcome is unknown and that no listing shows is given up in the end."""
        patience = self.settings.settle if entry.reason else self.settings.abandon
        if entry.instance_id in self.creating or self.world.at - entry.changed < patience:
            return entry
        reason = entry.reason or "no answer to the create request"
        return evolve(entry, state=EntryState.LOST, changed=self.now, reason=reason)

    def _vanished(self, entry: LedgerEntry) -> LedgerEntry:
        young = entry.state is EntryState.BUILDING
        if young and self.now - entry.changed < self.settings.settle:
            return entry  # the cloud may not know its own new server everywhere yet
        return self._without_server(entry)

    def _without_server(self, entry: LedgerEntry) -> LedgerEntry:
        expected = entry.state is EntryState.DELETING
        reason = entry.reason if expected else "deleted by somebody else"
        if not entry.memberships:
            return evolve(close(entry, reason or "deleted", self.now), absent=True)
        return evolve(see_off(entry, reason, self.now), absent=True)

    def _present(self, entry: LedgerEntry, server: Server) -> LedgerEntry:
        destiny = destiny_of(server)
        if destiny is Destiny.GONE:
            return self._without_server(entry)
        if entry.state is EntryState.DELETING or entry.removal is Removal.RELEASE:
            return entry
        if destiny in {Destiny.GOING, Destiny.REPLACE}:
            fault = f": {server.fault}" if server.fault else ""
            broken = f"the cloud reports {server.status}{fault}"
            going = destiny is Destiny.GOING
            reason = "being deleted by somebody else" if going else broken
            return see_off(entry, reason, self.now)
        if entry.state is EntryState.BUILDING:
            return self._building(entry, server, destiny)
        if entry.address is None:  # some clouds tell the address later than the status
            return evolve(entry, address=service_address(server.addresses))
        return entry

    def _building(self, entry: LedgerEntry, server: Server, destiny: Destiny) -> LedgerEntry:
        if destiny is Destiny.SERVE:
            return evolve(
                entry,
                state=EntryState.DELETING if entry.leaving else EntryState.JOINING,
                address=service_address(server.addresses),
                links=server.links or entry.links,
                changed=self.now,
                reason="",
            )
        timeout = self.settings.build_timeout
        if destiny is Destiny.BUILD and self.now - entry.changed >= timeout:
            return see_off(entry, f"still in BUILD after {timeout.total_seconds():g} s", self.now)
        return entry

    def _failure(self, before: LedgerEntry, after: LedgerEntry) -> Iterable[Failure]:
        if before.leaving or before.state is after.state:
            return
        if after.state is EntryState.LOST:
            # Without a recorded answer it was our own death, which says nothing about the cloud.
            if before.reason:
                yield Failure(Failing.CREATE, after.reason)
        elif before.state is EntryState.BUILDING and after.state is EntryState.DELETING:
            yield Failure(Failing.BUILD, after.reason)
