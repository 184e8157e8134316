"""The bus within one process."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import Bus
from otter.bus.local import LocalBus
from tests.contracts import bus


class LocalBusTests(bus.BusContract):
    """It keeps every promise of a bus."""

    async def make_bus(self) -> Bus:
        """Return a bus on a clock."""
        self.clock = Clock()
        return LocalBus(self.clock)

    async def settle(self) -> None:
        """Take a turn of the reactor."""
        self.clock.advance(0)


class BoundTests(SynchronousTestCase):
    """Messages under way."""

    def setUp(self) -> None:
        """Make a bus that carries two messages at a time."""
        self.clock = Clock()
        self.bus = LocalBus(self.clock, capacity=2)
        self.notices = bus.Listener()
        self.bus.on_notice(self.notices)

    def send(self, times: int = 1) -> None:
        """Send notices."""
        for _ in range(times):
            self.successResultOf(Deferred.fromCoroutine(self.bus.send_notice(bus.NOTICE)))

    def test_more_than_fit_are_dropped(self) -> None:
        """Memory is bounded; a sweep finds what got lost."""
        self.send(5)
        self.clock.advance(0)

        self.assertEqual(len(self.notices.heard), 2)

    def test_what_is_handled_makes_room(self) -> None:
        """Also when it was handled badly."""
        self.notices.failing = [ValueError("a bug")]
        for _ in range(4):
            self.send(2)
            self.clock.advance(0)

        self.assertEqual(len(self.notices.heard), 8)
        self.flushLoggedErrors(ValueError)

    def test_what_is_being_handled_counts(self) -> None:
        """A handler that never ends does not let messages pile up behind it."""
        slow: Deferred[None] = Deferred()
        self.notices.waiting = [slow, slow]
        self.send(2)
        self.clock.advance(0)
        self.send(2)
        self.clock.advance(0)

        self.assertEqual(len(self.notices.heard), 2)

    def test_nothing_is_left_behind(self) -> None:
        """A bus has no timers of its own."""
        self.send()
        self.clock.advance(0)

        self.assertEqual(self.clock.getDelayedCalls(), [])
