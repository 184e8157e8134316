"""Build groups, policies and ledgers; a store that can be slow or fail; a bus that remembers."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from attrs import evolve
from pyrsistent import freeze
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import (
    Bus,
    Job,
    JobHandler,
    JobResult,
    Notice,
    NoticeHandler,
    ResultHandler,
)
from otter.controller.interface import Limits, NewLaunch, NewPolicy
from otter.controller.service import OtterController
from otter.models.activity import Activity, ActivityKind, Deployment
from otter.models.group import Group, GroupConfig, LaunchConfig, LaunchType
from otter.models.ids import (
    DeploymentId,
    GroupId,
    InstanceId,
    PolicyId,
    ServerId,
    TenantId,
)
from otter.models.interface import LedgerWrite, Store
from otter.models.ledger import EntryState, Ledger, LedgerEntry
from otter.models.memory.store import MemoryStore
from otter.models.policy import Adjustment, ChangeBy, Policy

TENANT = TenantId("7042")
GROUP = GroupId("51d2c7be-5b7b-4d53-8b0a-3c1d6f9f7a10")
POLICY = PolicyId("6c0f9a34-0d1e-4f67-8a3c-5f2a4f1f9d55")
NOW = datetime(2031, 3, 1, 8, 0, tzinfo=UTC)
ACTOR = "user ada"
SERVER_ARGS: Any = freeze({"server": {"flavorRef": "3", "imageRef": "i"}})
LAUNCH = NewLaunch(LaunchType.SERVER, SERVER_ARGS)
DEPLOYMENT = Deployment(DeploymentId("d"), "a secret of the deployment")

T = TypeVar("T")


def a_config(
    min_entities: int = 0, max_entities: int = 10, cooldown: int = 0, name: str = "web"
) -> GroupConfig:
    """Return a config with the bounds given and no cooldown."""
    return GroupConfig(name, cooldown, min_entities, max_entities)


def a_group(
    desired: int = 5,
    min_entities: int = 0,
    max_entities: int = 10,
    cooldown: int = 0,
    **changes: Any,
) -> Group:
    """Return a group made long ago."""
    group = Group(
        TENANT,
        GROUP,
        a_config(min_entities, max_entities, cooldown),
        LaunchConfig(1, LaunchType.SERVER, SERVER_ARGS),
        NOW - timedelta(days=9),
        desired,
    )
    return evolve(group, **changes)


def a_launch(launch_type: LaunchType = LaunchType.SERVER, **args: object) -> NewLaunch:
    """Return a launch config as sent, with these arguments."""
    sent: Any = freeze(args)
    return NewLaunch(launch_type, sent)


def a_policy(
    adjustment: Adjustment | None = None, cooldown: Decimal | int = 0, **changes: Any
) -> Policy:
    """Return a policy that adds one server, unless told otherwise."""
    policy = Policy(TENANT, GROUP, POLICY, "grow", Decimal(cooldown), adjustment or ChangeBy(1))
    return evolve(policy, **changes)


def a_new_policy(
    adjustment: Adjustment | None = None, cooldown: Decimal | int = 0, **changes: Any
) -> NewPolicy:
    """Return such a policy as sent."""
    return evolve(NewPolicy("grow", Decimal(cooldown), adjustment or ChangeBy(1)), **changes)


def an_entry(
    server_id: str | None = "s1", state: EntryState = EntryState.IN_SERVICE, **changes: Any
) -> LedgerEntry:
    """Return the entry of a server made an hour ago."""
    entry = LedgerEntry(
        TENANT,
        GROUP,
        InstanceId(f"i-{server_id}"),
        launch_version=1,
        created=NOW - timedelta(hours=1),
        changed=NOW - timedelta(hours=1),
        state=state,
        server_id=None if server_id is None else ServerId(server_id),
    )
    return evolve(entry, **changes)


class RecordingBus:
    """Remembers notices; can fail or never answer."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.answer: Callable[[], Awaitable[None]] = lambda: succeed(None)

    async def send_notice(self, notice: Notice) -> None:
        """Remember the notice."""
        self.notices.append(notice)
        await self.answer()

    async def send_job(self, job: Job) -> None:
        """Not for the controller."""
        raise AssertionError(job)

    async def send_result(self, result: JobResult) -> None:
        """Not for the controller."""
        raise AssertionError(result)

    def on_notice(self, handler: NoticeHandler) -> None:
        """Not for the controller."""
        raise AssertionError(handler)

    def on_job(self, handler: JobHandler) -> None:
        """Not for the controller."""
        raise AssertionError(handler)

    def on_result(self, handler: ResultHandler) -> None:
        """Not for the controller."""
        raise AssertionError(handler)


Trouble = Callable[[], Awaitable[None]]


class TroubledStore(MemoryStore):
    """
    A store that counts its writes of groups, takes its time, and gets into the trouble it is told.

    :ivar delay: how long each read of a group, and each write, takes; nothing by default.
    :ivar before_read, before_write, after_write: one thing to do at each of the next such calls.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.delay = timedelta()
        self.reads = 0
        self.writes = 0
        self.appends = 0
        self.before_read: list[Trouble] = []
        self.before_write: list[Trouble] = []
        self.after_write: list[Trouble] = []
        self.before_policy: list[Trouble] = []

    async def get_group(self, tenant_id: TenantId, group_id: GroupId) -> Group:
        """Return the group, after trouble and delay."""
        self.reads += 1
        await self._suffer(self.before_read)
        return await super().get_group(tenant_id, group_id)

    async def get_policy(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
    ) -> Policy:
        """Return the policy, after trouble."""
        if self.before_policy:
            await self.before_policy.pop(0)()
        return await super().get_policy(tenant_id, group_id, policy_id)

    async def update_group(
        self,
        group: Group,
        *,
        mark: bool,
        ledger: LedgerWrite | None = None,
        activities: Sequence[Activity] = (),
    ) -> Group:
        """Write the group, with trouble before or after."""
        self.writes += 1
        await self._suffer(self.before_write)
        stored = await super().update_group(group, mark=mark, ledger=ledger, activities=activities)
        if self.after_write:
            await self.after_write.pop(0)()
        return stored

    async def add_activities(self, activities: Sequence[Activity]) -> None:
        """Count the appends."""
        self.appends += 1
        await super().add_activities(activities)

    async def _suffer(self, troubles: list[Trouble]) -> None:
        if self.delay:
            await deferLater(self._clock, self.delay.total_seconds())
        if troubles:
            await troubles.pop(0)()


def failing(error: Exception) -> Trouble:
    """Return trouble that is this error."""

    async def fail() -> None:
        raise error

    return fail


def hanging() -> Trouble:
    """Return trouble that never ends."""

    async def hang() -> None:
        await Deferred[None]()

    return hang


class ControllerCase(SynchronousTestCase):
    """A controller on a troubled store, a recording bus and a clock that stands at ``NOW``."""

    limits = Limits(max_groups=3, max_policies_per_group=5, max_webhooks_per_policy=2)

    def setUp(self) -> None:
        """Build the world."""
        self.clock = Clock()
        self.clock.advance(NOW.timestamp())
        self.store = TroubledStore(self.clock)
        self.bus = RecordingBus()
        self.controller = self.make_controller()

    def make_controller(self) -> OtterController:
        """Return one more controller of the same world."""
        store: Store = self.store
        bus: Bus = self.bus
        return OtterController(store, bus, self.clock, self.limits, DEPLOYMENT)

    def ended(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what finishes without waiting."""
        return self.successResultOf(Deferred.fromCoroutine(work))

    def refused(self, work: Coroutine[Any, Any, Any], error: type[Exception]) -> str:
        """Return the text of the refusal that comes without waiting."""
        return str(self.failureResultOf(Deferred.fromCoroutine(work), error).value)

    def put_group(self, group: Group | None = None, *policies: Policy) -> None:
        """Store a group, clean and with no history, with its policies."""
        group = group or a_group()
        self.ended(self.store.create_group(group, policies, max_groups=99))
        mark = self.ended(self.store.list_dirty())[0]
        self.ended(self.store.clear_dirty(mark))

    def put_entries(self, *entries: LedgerEntry) -> None:
        """Write servers into the group's ledger."""
        ledger = self.ledger()
        self.ended(self.store.write_ledger(LedgerWrite(ledger.convergence, entries)))

    def group(self) -> Group:
        """Return the group as stored."""
        return self.ended(MemoryStore.get_group(self.store, TENANT, GROUP))

    def ledger(self) -> Ledger:
        """Return the group's ledger as stored."""
        return self.ended(self.store.read_ledger(TENANT, GROUP))

    def marks(self) -> list[int]:
        """Return the generations marked dirty."""
        return [mark.generation for mark in self.ended(self.store.list_dirty())]

    def history(self, group_id: GroupId = GROUP) -> list[Activity]:
        """Return the group's history, oldest first."""
        return list(reversed(self.ended(self.store.list_activities(TENANT, group_id))))

    def kinds(self) -> list[ActivityKind]:
        """Return what sort of things happened, oldest first."""
        return [activity.kind for activity in self.history()]

    def execute(self, policy_id: PolicyId = POLICY) -> Coroutine[Any, Any, Group]:
        """Return the call that executes the policy."""
        return self.controller.execute_policy(TENANT, GROUP, policy_id, actor=ACTOR)
