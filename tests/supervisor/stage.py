"""A supervisor on a simulated clock: memory store, local bus, a fake cloud for each tenant."""

from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from attrs import evolve, frozen
from pyrsistent import freeze
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from otter.bus.interface import CreateServerJob, DeleteServerJob, Job, JobResult, Notice, Outcome
from otter.bus.local import LocalBus
from otter.cloud.errors import NotFoundError
from otter.cloud.fake import FakeCloud, FakeProvider
from otter.models.errors import ConflictError, StoreUnavailableError
from otter.models.group import DirtyMark, Group, GroupConfig, LaunchConfig, LaunchType
from otter.models.ids import GroupId, ServerId, TenantId
from otter.models.interface import LedgerWrite, Store
from otter.models.ledger import Convergence, Ledger, LedgerEntry
from otter.models.memory.store import MemoryStore
from otter.supervisor.marks import marks_for, metadata_for
from otter.supervisor.service import SupervisorService
from otter.supervisor.settings import SupervisorSettings
from otter.timing import utc_now
from tests.supervisor.world import DEPLOYMENT, TENANT

T = TypeVar("T")
START = 1_900_000_000.0
QUIET = SupervisorSettings(
    sweep=timedelta(hours=5), mark_poll=timedelta(hours=5), retention=timedelta(days=99)
)
"""Nothing is found but what an event announces."""
UNAVAILABLE = StoreUnavailableError("the store is being restarted")
OVERTAKEN = ConflictError("somebody else wrote first")


def quiet(**changes: Any) -> SupervisorSettings:
    """Return settings under which nothing happens by itself but what ``changes`` says."""
    return evolve(QUIET, **changes)


def result_of(work: Awaitable[T]) -> T:
    """Return what a coroutine of the memory store returns at once, or raise what it raises."""
    found: list[T] = []
    failures: list[Any] = []

    async def run() -> None:
        found.append(await work)

    _ = Deferred.fromCoroutine(run()).addErrback(failures.append)
    if failures:
        failures[0].raiseException()
    return found[0]


@frozen
class Answer:
    """How the worker that is not there answers creates: with this outcome, or not at all."""

    outcome: Outcome | None = Outcome.DONE
    reason: str = ""


class TrickyStore(MemoryStore):
    """
    A memory store that refuses ledger writes on command.

    :ivar refusals: raised by the next writes of a ledger, in order; None lets one pass.
    :ivar writes: how often a ledger was written.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[Exception | None] = []
        self.writes = 0

    async def write_ledger(self, write: LedgerWrite, **more: Any) -> Convergence:
        """Write the ledger unless it is to be refused."""
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        self.writes += 1
        return await super().write_ledger(write, **more)


class Stage:
    """
    The supervisor, and everything around it.

    Jobs are kept in ``jobs``; creates are carried out in the fake cloud and answered as ``answer``
    says, everything else is answered ``DONE`` after it was carried out.
    """

    def __init__(
        self, settings: SupervisorSettings = QUIET, *, answer: Answer | None = None
    ) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.store = TrickyStore()
        self.provider = FakeProvider(self.clock)
        self.bus = LocalBus(self.clock)
        self.answer = answer or Answer()
        self.jobs: list[Job] = []
        self.settings = settings
        self.supervisor = self.make_supervisor(self.store)

    def make_supervisor(self, store: Store) -> SupervisorService:
        """Return a supervisor over a store."""
        return SupervisorService(
            store, self.bus, self.provider, self.clock, self.settings, DEPLOYMENT
        )

    def start(self) -> None:
        """Start the supervisor and let it look around."""
        self.bus.on_job(self._perform)
        self.supervisor.startService()
        self.run(1)

    def stop(self) -> None:
        """Stop the supervisor."""
        _ = self.supervisor.stopService()

    def run(self, seconds: float, step: float = 0.05) -> None:
        """Let time pass."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)

    # --- the cloud and the worker -------------------------------------------------------------

    def cloud(self, tenant_id: TenantId = TENANT) -> FakeCloud:
        """Return a tenant's cloud."""
        return self.provider.cloud_for(tenant_id)

    def gathered(self, tenant_id: TenantId = TENANT) -> int:
        """Return how often a tenant's servers were listed."""
        return self.cloud(tenant_id).counts["list_servers"]

    async def _perform(self, job: Job) -> None:
        self.jobs.append(job)
        servers, step = self.cloud(job.tenant_id).servers, job.step
        server_id = None
        if isinstance(step, CreateServerJob) and self.answer.outcome is Outcome.DONE:
            server_id = servers.add(step.name, step.metadata)
        elif isinstance(step, DeleteServerJob):
            with suppress(NotFoundError):
                servers.delete(step.server_id)
        if not isinstance(step, CreateServerJob):
            await self.bus.send_result(JobResult(job, Outcome.DONE))
        elif self.answer.outcome is not None:
            await self.bus.send_result(
                JobResult(job, self.answer.outcome, self.answer.reason, server_id)
            )

    def created(self, group_id: GroupId | None = None) -> int:
        """Return how many creates were handed out."""
        creates = [j for j in self.jobs if isinstance(j.step, CreateServerJob)]
        return sum(1 for j in creates if group_id in {None, j.group_id})

    # --- groups -------------------------------------------------------------------------------

    def add_group(
        self,
        name: str = "group",
        desired: int = 1,
        *,
        tenant_id: TenantId = TENANT,
        args: dict[str, object] | None = None,
        **changes: Any,
    ) -> Group:
        """Store a group without telling anybody."""
        group = Group(
            tenant_id,
            GroupId(name),
            GroupConfig(name, 0, 0, 100),
            LaunchConfig(1, LaunchType.SERVER, freeze(args or {"server": {}})),
            utc_now(self.clock),
            desired,
        )
        group = evolve(group, **changes)
        result_of(self.store.create_group(group, (), max_groups=1000))
        return group

    def change(self, group: Group, *, mark: bool = True, **changes: Any) -> Group:
        """Change a group without telling anybody."""
        stored = self.group(group)
        return result_of(self.store.update_group(evolve(stored, **changes), mark=mark))

    def tell(self, group: Group, times: int = 1) -> None:
        """Send notices of a group."""
        for _ in range(times):
            result_of(self.bus.send_notice(Notice(group.tenant_id, group.group_id)))

    def group(self, group: Group) -> Group:
        """Return a group as stored."""
        return result_of(self.store.get_group(group.tenant_id, group.group_id))

    def ledger(self, group: Group) -> Ledger:
        """Return a group's ledger."""
        return result_of(self.store.read_ledger(group.tenant_id, group.group_id))

    def entries(self, group: Group) -> list[LedgerEntry]:
        """Return a group's live entries."""
        return list(self.ledger(group).entries.values())

    def reasons(self, group: Group) -> tuple[str, ...]:
        """Return why a group is in ERROR."""
        return self.ledger(group).convergence.reasons

    def marks(self) -> list[DirtyMark]:
        """Return the dirty marks."""
        return list(result_of(self.store.list_dirty()))

    def put_mark(self, group: Group, generation: int) -> None:
        """Leave a mark as a writer does that died before its write."""
        key = (group.tenant_id, group.group_id)
        self.store._marks[key] = DirtyMark(*key, generation)

    def put_entry(self, entry: LedgerEntry) -> None:
        """Write an entry into a group's ledger behind everybody's back."""
        ledger = result_of(self.store.read_ledger(entry.tenant_id, entry.group_id))
        result_of(self.store.write_ledger(LedgerWrite(ledger.convergence, (entry,))))

    def add_server(self, entry: LedgerEntry, status: str = "ACTIVE") -> ServerId:
        """Make a server with an entry's marks; return its id."""
        marks = metadata_for(marks_for(entry, DEPLOYMENT))
        return self.cloud(entry.tenant_id).servers.add(entry.name, marks, status=status)
