"""Hints to the supervisor."""

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import Notice
from otter.controller import notifying
from otter.controller.notifying import Notifier
from tests.controller.world import GROUP, TENANT, RecordingBus


class NotifierTests(SynchronousTestCase):
    """A notice is a hint: it is sent if it can be, and nobody suffers if not."""

    def setUp(self) -> None:
        """Build a notifier and listen to what it logs."""
        self.clock = Clock()
        self.bus = RecordingBus()
        self.notifier = Notifier(self.bus, self.clock)
        self.events = self.enterContext(capturedLogs())

    def tell(self) -> None:
        """Send one notice."""
        self.notifier.tell(TENANT, GROUP)

    def logged(self) -> list[str]:
        """Return the names of what was logged."""
        return [str(event["log_format"]).split()[0] for event in self.events]

    def test_sent(self) -> None:
        """A notice names the group and leaves at once."""
        self.tell()

        self.assertEqual(self.bus.notices, [Notice(TENANT, GROUP)])
        self.assertEqual((self.events, self.clock.getDelayedCalls()), ([], []))

    def test_bus_fails(self) -> None:
        """A bus that fails is noted for the operator and stops nothing."""
        self.bus.answer = lambda: fail(ConnectionError("no broker"))

        self.tell()
        self.tell()

        self.assertEqual(len(self.bus.notices), 2)
        self.assertEqual(self.logged(), ["notice.failed", "notice.failed"])

    def test_bus_hangs(self) -> None:
        """A bus that never answers is given up after a while."""
        self.bus.answer = Deferred[None]

        self.tell()
        self.clock.advance(notifying.SEND_TIMEOUT.total_seconds())

        self.assertEqual(self.logged(), ["notice.failed"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounded(self) -> None:
        """With a bus that hangs only so many notices are kept, the rest dropped with a note."""
        self.patch(notifying, "MAX_SENDING", 2)
        self.bus.answer = Deferred[None]

        for _ in range(3):
            self.tell()

        self.assertEqual(len(self.bus.notices), 2)
        self.assertEqual(self.logged(), ["notice.dropped"])
        self.clock.advance(notifying.SEND_TIMEOUT.total_seconds())
        self.tell()
        self.assertEqual(len(self.bus.notices), 3)
        self.clock.advance(notifying.SEND_TIMEOUT.total_seconds())
