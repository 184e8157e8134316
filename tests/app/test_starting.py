"""What a process does when it cannot start, or is stopped before it has."""

import os
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from otter.app.service import OtterService, Reactor, make_service
from otter.models.interface import Store
from tests.app.test_listeners import a_config


class SlowToOpen(OtterService):
    """A process whose store takes its time."""

    opening: Deferred[Store]

    async def _open_store(self) -> Store:
        self.opening = Deferred()
        return await self.opening


class StartingTests(SynchronousTestCase):
    """A process ends by itself with status 1 only when it failed."""

    def setUp(self) -> None:
        """Make a reactor that does not run yet, as when twistd starts a service."""
        self.reactor = MemoryReactorClock()

    def ends_with(self) -> list[object]:
        """Return the statuses that the process is going to end with, should it stop."""
        after = self.reactor.triggers.get("after", {}).get("shutdown", [])
        return [arguments for call, arguments, _ in after if call is os._exit]

    def test_failure_before_the_reactor_runs(self) -> None:
        """It stops the reactor as soon as that can be: a process without work must not stay."""
        config = a_config(api={"listen": "tcp:nonsense"})
        make_service(config, cast("Reactor", self.reactor)).startService()

        self.assertFalse(self.reactor.hasStopped)
        self.reactor.run()
        self.assertTrue(self.reactor.hasStopped)
        self.assertEqual(self.ends_with(), [(1,)])

    def test_failure_while_the_reactor_runs(self) -> None:
        """The same, at once."""
        service = SlowToOpen(a_config(), cast("Reactor", self.reactor))
        service.startService()
        self.reactor.run()
        self.reactor.hasStopped = False
        service.opening.errback(OSError("no space left"))

        self.assertTrue(self.reactor.hasStopped)
        self.assertEqual(self.ends_with(), [(1,)])

    def test_stopped_before_it_has_started(self) -> None:
        """An operator who changes his mind is no failure: the start is cut short, in silence."""
        service = SlowToOpen(a_config(), cast("Reactor", self.reactor))
        service.startService()

        self.assertIsNone(self.successResultOf(service.stopService()))
        self.assertEqual(self.ends_with(), [])
        self.assertFalse(self.reactor.hasStopped)

    def test_stopped_twice(self) -> None:
        """The second time there is nothing left to do."""
        service = make_service(a_config(), cast("Reactor", self.reactor))
        service.startService()
        self.successResultOf(service.stopService())

        self.assertIsNone(self.successResultOf(service.stopService()))

    def test_calls_that_were_taken_are_answered(self) -> None:
        """The store stays open for them; one that never ends is not waited for for ever."""
        service = make_service(a_config(), cast("Reactor", self.reactor))
        service.startService()
        assert service._api is not None
        for patience in (0.1, 60):
            with service._api.admission.place(operational=False):
                stopping = service.stopService()
                self.reactor.advance(0.05)
                self.assertNoResult(stopping)
                if patience > 1:
                    self.reactor.pump([0.1] * 60)
            self.reactor.advance(0.05)

            self.successResultOf(stopping)
