"""Tests of ``minicloud.bus``."""

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from minicloud.bus import ComponentName, LocalBus, Message, UnreachableComponentError

ECHO = ComponentName("echo")


@frozen
class Say(Message[str]):
    """Say something back."""

    words: str


class LocalBusTests(SynchronousTestCase):
    """Messages within one process."""

    def test_reply(self) -> None:
        """A caller gets what the receiver returns."""
        bus = LocalBus()

        async def answer(message: Say) -> str:
            return message.words.upper()

        bus.attach(ECHO, {Say: answer})

        self.assertEqual(self.successResultOf(_started(bus)), "HELLO")

    def test_error(self) -> None:
        """A caller gets what the receiver raises, so components refuse by typed errors."""
        bus = LocalBus()

        async def refuse(_: Say) -> str:
            raise KeyError("no")

        bus.attach(ECHO, {Say: refuse})

        self.failureResultOf(_started(bus), KeyError)

    def test_nobody(self) -> None:
        """A message to a component that is not there fails instead of waiting for ever."""
        self.failureResultOf(_started(LocalBus()), UnreachableComponentError)

    def test_not_understood(self) -> None:
        """A message the component has no receiver for fails likewise."""
        bus = LocalBus()
        bus.attach(ECHO, {})

        self.failureResultOf(_started(bus), UnreachableComponentError)

    def test_same_name_twice(self) -> None:
        """Two components of one name would steal each other's messages."""
        bus = LocalBus()
        bus.attach(ECHO, {})

        self.assertRaises(ValueError, bus.attach, ECHO, {})

    def test_cancelled_caller(self) -> None:
        """
        A caller that goes away does not stop what it asked for: a client that hangs up must not
        leave half a server.
        """
        bus, gate, done = LocalBus(), Deferred[None](), []

        async def slow(message: Say) -> str:
            await gate
            done.append(message.words)
            return ""

        bus.attach(ECHO, {Say: slow})
        calling = _started(bus)
        calling.cancel()
        self.failureResultOf(calling, CancelledError)
        gate.callback(None)

        self.assertEqual(done, ["hello"])


def _started(bus: LocalBus) -> Deferred[str]:
    return Deferred.fromCoroutine(bus.call(ECHO, Say("hello")))
