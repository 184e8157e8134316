"""Otter's moving parts on one simulated clock: memory store, local bus, fake cloud."""

from collections.abc import Awaitable, Coroutine
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

from attrs import evolve
from pyrsistent import freeze
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from otter.bus.interface import Notice
from otter.bus.local import LocalBus
from otter.cloud.fake import FakeCloud, FakeProvider
from otter.cloud.interface import Server
from otter.models.group import Group, GroupConfig, LaunchConfig, LaunchType
from otter.models.ids import DeploymentId, GroupId, TenantId, new_uuid
from otter.models.ledger import EntryState, Ledger, LedgerEntry
from otter.models.memory.store import MemoryStore
from otter.supervisor.service import SupervisorService
from otter.supervisor.settings import SupervisorSettings
from otter.timing import utc_now
from otter.worker.service import WorkerService
from otter.worker.settings import WorkerSettings

T = TypeVar("T")
TENANT = TenantId("7042")
DEPLOYMENT = DeploymentId("simulated")
START = 1_900_000_000.0
TICK = 0.25


def result_of(work: Awaitable[T]) -> T:
    """Return what a coroutine of the memory store returns at once."""
    found: list[T] = []

    async def run() -> None:
        found.append(await work)

    failures: list[Any] = []
    _ = Deferred.fromCoroutine(run()).addErrback(failures.append)
    if failures:
        failures[0].raiseException()
    return found[0]


class SimulatedOtter:
    """
    One process's supervisor and worker; ``crash`` and ``start`` stand for kill -9 and a restart.

    The store and the cloud survive a crash, everything else is made anew.
    """

    def __init__(
        self,
        seed: int = 0,
        settings: SupervisorSettings | None = None,
        worker: WorkerSettings | None = None,
    ) -> None:
        self.random = Random(seed)
        self.clock = Clock()
        self.clock.advance(START)
        # The cloud lives on a clock of its own: what was asked of it happens though we die.
        self.cloud_clock = Clock()
        self.cloud_clock.advance(START)
        self.store = MemoryStore()
        self.provider = FakeProvider(self.cloud_clock)
        self.cloud: FakeCloud = self.provider.cloud_for(TENANT)
        self.settings = settings or SupervisorSettings()
        self.worker_settings = worker or WorkerSettings()
        self.start()

    # --- processes ----------------------------------------------------------------------------

    def start(self) -> None:
        """Start a process."""
        self.bus = LocalBus(self.clock)
        self.supervisor = SupervisorService(
            self.store, self.bus, self.provider, self.clock, self.settings, DEPLOYMENT
        )
        self.worker = WorkerService(
            self.bus, self.provider, self.clock, self.worker_settings, self.random
        )
        self.worker.startService()
        self.supervisor.startService()

    def crash(self) -> None:
        """
        Kill the process: nothing of it acts any more, but what it asked the cloud for happens.
        """

        async def nobody(_: object) -> None:
            """Hear of nothing."""

        self.bus.on_notice(nobody)
        self.bus.on_job(nobody)
        self.bus.on_result(nobody)
        self.worker.running = self.supervisor.running = False
        for loop in self.supervisor._loops.values():
            loop.stopped = True
        for call in list(self.clock.getDelayedCalls()):
            call.cancel()

    def tick(self, seconds: float = TICK) -> None:
        """Let a moment pass for the cloud, then for us."""
        self.cloud_clock.advance(seconds)
        self.clock.advance(seconds)

    def stop(self) -> None:
        """End the process in an orderly way."""
        _ = self.supervisor.stopService()
        _ = self.worker.stopService()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(seconds / TICK)):
            self.tick()

    def run_until(self, condition: Any, seconds: float) -> None:
        """
        Let time pass until the condition holds.

        :raises AssertionError: it does not within so many seconds.
        """
        for _ in range(int(seconds / TICK)):
            if condition():
                return
            self.tick()
        raise AssertionError(f"not within {seconds} simulated seconds")

    # --- the owner's calls --------------------------------------------------------------------

    def create_group(
        self,
        desired: int = 0,
        *,
        max_entities: int = 1000,
        balancers: tuple[tuple[str, int], ...] = (),
        draining: int = 0,
        **server: object,
    ) -> GroupId:
        """Create a group that wants ``desired`` servers; return its id."""
        args: dict[str, object] = {"server": {"flavorRef": "1", "imageRef": "i", **server}}
        if balancers:
            args["loadBalancers"] = [{"loadBalancerId": lb, "port": p} for lb, p in balancers]
        if draining:
            args["draining_timeout"] = draining
        group = Group(
            TENANT,
            GroupId(new_uuid()),
            GroupConfig("web", 0, 0, max_entities),
            LaunchConfig(1, LaunchType.SERVER, freeze(args)),
            utc_now(self.clock),
            desired,
        )
        result_of(self.store.create_group(group, (), max_groups=1000))
        self._tell(group.group_id)
        return group.group_id

    def change(self, group_id: GroupId, **changes: object) -> Group:
        """Change the group as a call would: a conditional write, a mark, a notice."""
        stored = self.group(group_id)
        changed: Group = evolve(stored, **changes)  # type: ignore[arg-type]
        written = result_of(self.store.update_group(changed, mark=True))
        self._tell(group_id)
        return written

    def _tell(self, group_id: GroupId) -> None:
        result_of(self.bus.send_notice(Notice(TENANT, group_id)))

    # --- looking ------------------------------------------------------------------------------

    def group(self, group_id: GroupId) -> Group:
        """Return the group as stored."""
        return result_of(self.store.get_group(TENANT, group_id))

    def ledger(self, group_id: GroupId) -> Ledger:
        """Return the group's ledger."""
        return result_of(self.store.read_ledger(TENANT, group_id))

    def entries(self, group_id: GroupId, *states: EntryState) -> list[LedgerEntry]:
        """Return the group's live entries, of these states if any are named."""
        found = self.ledger(group_id).entries.values()
        return [e for e in found if not states or e.state in states]

    def servers(self, group_id: GroupId) -> tuple[Server, ...]:
        """Return the servers that exist with the group's mark."""
        return self.cloud.servers.of_group(group_id)

    def serving(self, group_id: GroupId) -> int:
        """Return how many servers are in service."""
        return len(self.entries(group_id, EntryState.IN_SERVICE))

    def settled(self, group_id: GroupId) -> bool:
        """Whether ledger and cloud agree on exactly what is desired, all of it in service."""
        entries, servers = self.entries(group_id), self.servers(group_id)
        return (
            len(servers) == self.group(group_id).desired
            and all(s.status == "ACTIVE" for s in servers)
            and all(e.state is EntryState.IN_SERVICE for e in entries)
            and {e.server_id for e in entries} == {s.server_id for s in servers}
        )


def spawn(work: Coroutine[Any, Any, object]) -> None:
    """Start a coroutine whose end nobody waits for."""
    _ = Deferred.fromCoroutine(work)


def seconds(value: float) -> timedelta:
    """Spell a short duration."""
    return timedelta(seconds=value)
