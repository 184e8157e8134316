"""Taking servers out of a group."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from otter.bus.interface import Notice
from otter.controller.errors import (
    CannotDeleteServerBelowMinError,
    ServerNotFoundError,
    TenantSuspendedError,
)
from otter.models.activity import ActivityKind
from otter.models.errors import StoreUnavailableError
from otter.models.group import Group
from otter.models.ids import CapabilityHash, PolicyId, ServerId
from otter.models.interface import LedgerWrite
from otter.models.ledger import Removal
from otter.models.memory.store import MemoryStore
from tests.controller.world import (
    ACTOR,
    GROUP,
    TENANT,
    ControllerCase,
    a_group,
    a_policy,
    an_entry,
    hanging,
)

OTHER = PolicyId("other")
SHRINK = PolicyId("shrink")
UNKNOWN = CapabilityHash("5f0c" * 16)
Call = Coroutine[Any, Any, object]


class RemoveServerTests(ControllerCase):
    """Taking a server out."""

    def remove(self, server_id: str = "s1", *, replace: bool = True, purge: bool = True) -> Call:
        """Return the call that takes the server out."""
        return self.controller.remove_server(
            TENANT, GROUP, ServerId(server_id), replace=replace, purge=purge, actor=ACTOR
        )

    def test_removed(self) -> None:
        """One write records that the server is to leave, and wants one server less."""
        self.put_group()
        self.put_entries(an_entry("s1"), an_entry("s2"))

        self.ended(self.remove(replace=False, purge=False))

        self.assertEqual(self.group(), a_group(4, generation=2))
        entries = {e.server_id: e for e in self.ledger().entries.values()}
        self.assertEqual(
            entries,
            {"s1": an_entry("s1", removal=Removal.RELEASE), "s2": an_entry("s2")},
        )
        self.assertEqual((self.store.writes, self.marks()), (1, [2]))
        self.assertEqual(self.bus.notices, [Notice(TENANT, GROUP)])
        line = self.history()[0]
        self.assertEqual((line.kind, line.actor), (ActivityKind.SERVER_REMOVED, ACTOR))
        self.assertEqual(
            dict(line.details),
            {
                "server_id": "s1",
                "replace": False,
                "purge": False,
                "desired_before": 5,
                "desired_after": 4,
            },
        )

    def test_replaced_at_minimum(self) -> None:
        """By default it is replaced, which the minimum allows."""
        self.put_group(a_group(5, min_entities=5))
        self.put_entries(an_entry())

        self.ended(self.remove())

        self.assertEqual(self.group().desired, 5)
        self.assertEqual(
            [entry.removal for entry in self.ledger().entries.values()], [Removal.DELETE]
        )

    def test_refused(self) -> None:
        """Suspended, not a member, at the minimum: the first that applies is told."""
        cases: list[tuple[Group, str, type[Exception]]] = [
            (a_group(5, min_entities=5, suspended=True), "no", TenantSuspendedError),
            (a_group(5, min_entities=5), "no", ServerNotFoundError),
            (a_group(5, min_entities=5), "s1", CannotDeleteServerBelowMinError),
        ]
        for group, server_id, error in cases:
            self.setUp()
            self.put_group(group)
            self.put_entries(an_entry())

            self.refused(self.remove(server_id, replace=False), error)

            self.assertEqual((self.group(), self.kinds()), (group, []))

    def test_twice(self) -> None:
        """A second call on the same server finds no member, so the group shrinks once."""
        self.put_group()
        self.put_entries(an_entry())
        self.ended(self.remove(replace=False))

        self.refused(self.remove(replace=False), ServerNotFoundError)

        self.assertEqual(self.group().desired, 4)

    def test_paused(self) -> None:
        """While paused it is recorded, and done on resume."""
        self.put_group(a_group(paused=True))
        self.put_entries(an_entry())

        self.ended(self.remove(replace=False))

        self.assertEqual((self.group().desired, self.marks()), (4, []))

    def test_supervisor_writes_meanwhile(self) -> None:
        """If the supervisor moves the ledger in between, it is decided anew on what it wrote."""
        self.put_group()
        self.put_entries(an_entry())

        async def supervise() -> None:
            ledger = await self.store.read_ledger(TENANT, GROUP)
            entry = evolve(an_entry(), reason="seen")
            await self.store.write_ledger(LedgerWrite(ledger.convergence, (entry,)))

        self.store.before_write.append(supervise)
        call = Deferred.fromCoroutine(self.remove(replace=False))
        self.clock.advance(1)

        self.successResultOf(call)
        self.assertEqual(
            list(self.ledger().entries.values()),
            [an_entry(reason="seen", removal=Removal.DELETE)],
        )
        self.assertEqual((self.group().desired, self.store.writes), (4, 2))

    def test_gone_meanwhile(self) -> None:
        """If the supervisor finds the server gone in between, there is nothing to remove."""
        self.put_group()
        self.put_entries(an_entry())

        async def supervise() -> None:
            ledger = await self.store.read_ledger(TENANT, GROUP)
            entry = evolve(an_entry(), removal=Removal.DELETE)
            await self.store.write_ledger(LedgerWrite(ledger.convergence, (entry,)))

        self.store.before_write.append(supervise)
        call = Deferred.fromCoroutine(self.remove(replace=False))
        self.clock.advance(1)

        self.failureResultOf(call, ServerNotFoundError)
        self.assertEqual(self.group().desired, 5)

    def test_among_executions(self) -> None:
        """Executions and removals of one group are serialised; none is lost."""
        self.put_group(None, a_policy())
        self.put_entries(an_entry("s1"), an_entry("s2"))
        self.store.delay = timedelta(milliseconds=10)
        calls: list[Deferred[object]] = []
        for server_id in ("s1", "s2"):
            calls.append(Deferred.fromCoroutine(self.execute()))
            calls.append(Deferred.fromCoroutine(self.remove(server_id, replace=False)))
            calls.append(Deferred.fromCoroutine(self.execute()))
        for _ in range(100):
            self.clock.advance(0.01)

        for call in calls:
            self.successResultOf(call)
        self.assertEqual(self.group().desired, 5 + 4 - 2)

    def test_ledger_hangs(self) -> None:
        """A ledger that cannot be read in time is a store that is not available."""
        self.put_group()

        async def read_ledger(*_: object) -> None:
            await hanging()()

        self.patch(self.store, "read_ledger", read_ledger)
        call = Deferred.fromCoroutine(self.remove())
        self.clock.advance(30)

        self.failureResultOf(call, StoreUnavailableError)
        self.assertEqual(self.ended(MemoryStore.get_group(self.store, TENANT, GROUP)), a_group())
