"""
How one forwarded connection slows down, ends and is cut off, on transports without sockets.
"""

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from minicloud.balancer.session import LINGER, Session, Side


class _Transport(StringTransport):
    """A connection whose other end closes only when the test says so."""

    wrote_all = False

    def loseWriteConnection(self) -> None:
        """Take note that no more will be sent."""
        self.wrote_all = True

    def unregisterProducer(self) -> None:
        """Forget the producer, if there is one; real transports are as lenient."""
        self.producer = None

    def pauseProducing(self) -> None:
        """Pause, however often."""
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        """Go on."""
        self.producerState = "producing"


class SessionTests(SynchronousTestCase):
    """A session between a client (front) and a node (back)."""

    def setUp(self) -> None:
        """Start with both sides connected and traffic flowing."""
        self.clock = Clock()
        self.done: list[Session] = []
        self.accepted: list[Session] = []
        self.session = Session(self.clock, self.accepted.append, self.done.append)
        self.front, self.back = _Transport(), _Transport()
        self.session.front.makeConnection(self.front)
        self.back_side = Side(self.session)

    def start(self) -> None:
        """Connect the node."""
        self.back_side.makeConnection(self.back)
        self.session.start(self.back_side)

    def lose(self, side: Side) -> None:
        """The transport reports that it is gone."""
        side.connectionLost(Failure(ConnectionDone()))

    def test_waits_for_the_node(self) -> None:
        """Nothing is read from a client before there is somewhere to send it."""
        self.assertEqual([self.session], self.accepted)
        self.assertEqual("paused", self.front.producerState)
        self.start()

        self.assertEqual("producing", self.front.producerState)
        self.assertEqual("producing", self.back.producerState)

    def test_backpressure(self) -> None:
        """Each side is the other's producer, so whoever cannot take more slows the other down."""
        self.start()

        self.assertEqual((self.back, True), (self.front.producer, self.front.streaming))
        self.assertEqual((self.front, True), (self.back.producer, self.back.streaming))

    def test_flushes_before_closing(self) -> None:
        """When the node hangs up, the client still gets all it sent."""
        self.start()
        self.back_side.dataReceived(b"last words")
        self.lose(self.back_side)

        self.assertEqual(b"last words", self.front.value())
        self.assertTrue(self.front.disconnecting)
        self.assertIsNone(self.front.producer)
        self.lose(self.session.front)
        self.assertEqual([self.session], self.done)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_a_peer_that_never_closes(self) -> None:
        """A client that does not take its last bytes is cut off in the end."""
        self.start()
        self.lose(self.back_side)
        self.clock.advance(LINGER.total_seconds() - 1)
        self.assertFalse(self.front.disconnected)
        self.clock.advance(1)

        self.assertTrue(self.front.disconnected)

    def test_half_close_lingers_with_traffic(self) -> None:
        """An answer that takes long to send is not cut off while it moves."""
        self.start()
        self.session.front.readConnectionLost()
        self.assertTrue(self.back.wrote_all)
        for _ in range(3):
            self.clock.advance(LINGER.total_seconds() - 1)
            self.back_side.dataReceived(b"slowly")
        self.assertFalse(self.front.disconnected)
        self.clock.advance(LINGER.total_seconds())

        self.assertTrue(self.front.disconnected)
        self.assertTrue(self.back.disconnected)

    def test_both_said_all(self) -> None:
        """With both directions ended, both connections are closed."""
        self.start()
        self.session.front.readConnectionLost()
        self.back_side.readConnectionLost()

        self.assertTrue(self.front.disconnecting)
        self.assertTrue(self.back.disconnecting)

    def test_abort(self) -> None:
        """Cutting off does not wait for anything."""
        self.start()
        self.session.abort()

        self.assertTrue(self.front.disconnected)
        self.assertTrue(self.back.disconnected)
