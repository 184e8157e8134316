"""A writer on a slow store, and simple decisions to submit to it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import evolve
from twisted.internet.defer import Deferred

from otter.controller.combining import GroupWriter
from otter.controller.errors import GroupPausedError
from otter.controller.folding import Decide, Proposal
from otter.controller.notifying import Notifier
from otter.models.group import Group
from otter.models.memory.store import MemoryStore
from tests.controller.world import (
    GROUP,
    TENANT,
    ControllerCase,
    Trouble,
    a_group,
)

TICK = timedelta(milliseconds=10)


def add_one(group: Group, _now: datetime) -> Proposal:
    """Decide to have one server more."""
    return Proposal(evolve(group, desired=group.desired + 1), mark=True)


def refuse(_group: Group, _now: datetime) -> Proposal:
    """Decide not to."""
    raise GroupPausedError("paused")


class WriterCase(ControllerCase):
    """A writer on a store with one group that wants nothing yet."""

    def setUp(self) -> None:
        """Build the world with a group."""
        super().setUp()
        self.notifier = Notifier(self.bus, self.clock)
        self.writer = self.make_writer()
        self.put_group(a_group(0, max_entities=1000))
        self.store.delay = TICK

    def make_writer(self) -> GroupWriter:
        """Return one more writer on the same store, as another process would have."""
        return GroupWriter(self.store, self.clock, self.notifier, lambda: 0.5)

    def submit(self, decide: Decide = add_one) -> Deferred[Group]:
        """Submit a decision."""
        return Deferred.fromCoroutine(self.writer.submit(TENANT, GROUP, decide))

    def settle(self, seconds: float = 10) -> None:
        """Let the clock run in small steps."""
        for _ in range(int(seconds / TICK.total_seconds())):
            self.clock.advance(TICK.total_seconds())

    def competing(self, change: Callable[[Group], Group] = lambda group: group) -> Trouble:
        """Return trouble that is another process writing the group."""

        async def write() -> None:
            group = await MemoryStore.get_group(self.store, TENANT, GROUP)
            await MemoryStore.update_group(self.store, change(group), mark=False)

        return write
