"""The customer's own webhook is told, signed and again if need be, and never holds up a group."""

from typing import Any

from twisted.internet import reactor
from twisted.web.server import Request

from otter.cli.listener import Listener
from otter.testing.processes import free_port
from tests.acceptance import world

EVENTS = ("server.in_service", "server.leaving", "server.gone")


class Grumpy(Listener):
    """
    A listener that fails at first.

    :ivar refusals: how many messages it still answers with 500.
    :ivar refused: ids of those it did.
    """

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals
        self.refused: list[bytes] = []

    def render_POST(self, request: Request) -> bytes:
        """Refuse a few, then take what comes."""
        if self.refusals:
            self.refusals -= 1
            self.refused.append(request.getHeader(b"webhook-id") or b"")
            request.setResponseCode(500)
            return b""
        return super().render_POST(request)


class NotifyTests(world.AcceptanceTestCase):
    """Messages about servers entering and leaving service."""

    timeout = 60

    async def a_group(self, listener: Listener, **target: Any) -> str:
        """Return an empty group that tells the listener, which knows the group's key."""
        notify = [{"url": listener.url, **target}]
        group = await self.tenant.create_group(0, 5, notify=notify)
        secret = await self.tenant.api.expect(200, "GET", f"/groups/{group}/notify-secret")
        listener.key = secret["notifySecret"]
        return group

    def a_listener(self, refusals: int = 0) -> Grumpy:
        """Return a listener that listens until the end of the test."""
        listener = Grumpy(refusals)
        listener.listen(reactor)
        self.addCleanup(listener.stop)
        return listener

    async def heard(self, listener: Listener, *counts: int) -> None:
        """Return when the listener has heard exactly so many messages of each event."""

        async def look() -> bool:
            return tuple(listener.count(event) for event in EVENTS) == counts

        await self.tenant.wait(f"messages {counts}", look)

    async def test_told_of_coming_and_going(self) -> None:
        """Every server is announced once when it serves, when it leaves and when it is gone."""
        listener = self.a_listener()
        group = await self.a_group(listener)
        await self.tenant.scale(group, change=2)
        await self.heard(listener, 2, 0, 0)
        await self.tenant.scale(group, change=-1)
        await self.heard(listener, 2, 1, 1)
        [lost] = await self.tenant.settled(group, 1)
        await self.tenant.delete_server(lost)
        await self.tenant.replaced(group, {lost})
        await self.tenant.settled(group, 1)

        async def loss_told() -> bool:
            return (listener.count(EVENTS[0]), listener.count(EVENTS[2])) == (3, 2)

        await self.tenant.wait("the loss and the replacement", loss_told)

        self.assertEqual(listener.forged, 0)

    async def test_told_again_after_failures(self) -> None:
        """A listener that answers 500 at first hears everything in the end, under the same id."""
        listener = self.a_listener(refusals=3)
        group = await self.a_group(listener)
        await self.tenant.scale(group, change=1)
        await self.heard(listener, 1, 0, 0)
        first = list(listener.refused)
        listener.refusals = 2
        await self.tenant.scale(group, change=-1)
        await self.heard(listener, 1, 1, 1)

        self.assertEqual(len(first), 3)
        self.assertEqual(len(set(first)), 1)
        self.assertEqual(len(listener.refused), 5)
        self.assertEqual(listener.forged, 0)

    async def test_told_only_what_was_asked_for(self) -> None:
        """A target that names events hears those and no others."""
        listener = self.a_listener()
        group = await self.a_group(listener, events=["server.gone"])
        await self.tenant.scale(group, change=1)
        await self.tenant.settled(group, 1)
        await self.tenant.scale(group, change=-1)
        await self.heard(listener, 0, 0, 1)

        self.assertEqual(listener.forged, 0)

    async def test_a_dead_listener_holds_up_nothing(self) -> None:
        """With nobody listening the group scales, heals and goes as ever."""
        notify = [{"url": f"http://127.0.0.1:{free_port()}/"}]
        group = await self.tenant.create_group(2, 5, notify=notify)
        [lost, _] = await self.tenant.settled(group, 2)
        await self.tenant.delete_server(lost)
        await self.tenant.replaced(group, {lost})
        await self.tenant.settled(group, 2)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")

        async def empty() -> bool:
            return not await self.tenant.existing()

        self.assertTrue(await self.tenant.wait("the servers to go", empty))
