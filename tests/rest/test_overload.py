"""Too much at once: requests at work, bodies, connections."""

from typing import Any, cast

from attrs import define, evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import TransientError
from otter.controller.interface import Controller, Limits
from otter.rest.admission import RESERVED, Admission
from otter.rest.config import Bounds
from otter.rest.connections import Connections
from otter.rest.errors import UnavailableError
from tests.rest.wire import Connection, Reply, parse_reply, request_bytes
from tests.rest.world import GROUPS, TOKEN, RestCase, a_group

PAUSE = request_bytes("POST", f"{GROUPS}/g/pause", headers={"X-Auth-Token": TOKEN})
HIT = request_bytes("POST", f"/v1.0/execute/1/{'5f' * 32}/")


class SlowController:
    """Ends no call before it is told to."""

    limits = Limits()

    def __init__(self) -> None:
        self.going: list[Deferred[Any]] = []

    async def pause(self, *_: object, **__: object) -> None:
        """Wait."""
        self.going.append(Deferred())
        await self.going[-1]

    async def execute_capability(self, *_: object) -> None:
        """Wait."""
        await self.pause()

    def end_all(self) -> None:
        """Let all calls end."""
        going, self.going = self.going, []
        for call in going:
            call.callback(None)


class AdmissionTests(SynchronousTestCase):
    """The counting."""

    def test_places(self) -> None:
        """As many as there are; watchers find some more."""
        admission = Admission(1, 1)
        with admission.place(operational=False):
            with self.assertRaises(UnavailableError), admission.place(operational=False):
                self.fail("there is no place")
            with admission.place(operational=True):
                self.assertEqual(admission.at_work, 2)
        with self.assertRaises(ZeroDivisionError), admission.place(operational=False):
            raise ZeroDivisionError

        self.assertEqual(admission.at_work, 0)

    def test_places_of_tenants(self) -> None:
        """Each tenant has its own; whoever has left is forgotten."""
        admission = Admission(9, 1)
        with admission.place_of("a"), admission.place_of("b"):
            with self.assertRaises(UnavailableError), admission.place_of("a"):
                self.fail("there is no place")
            self.assertEqual(admission.tenants_at_work, 2)

        self.assertEqual(admission.tenants_at_work, 0)


class OverloadCase(RestCase):
    """A site with little room, on a controller that takes its time."""

    bounds = Bounds(requests=3, tenant_requests=2)

    def setUp(self) -> None:
        """Build it."""
        self.config = evolve(self.config, bounds=self.bounds)
        super().setUp()
        self.slow = SlowController()
        self.serve(cast("Controller", self.slow))

    def begin(self, data: bytes) -> Connection:
        """Send a request on a connection of its own."""
        connection = Connection(self.site)
        connection.send(data)
        return connection

    def reply(self, connection: Connection) -> Reply:
        """Return what came back, like any other reply."""
        reply = parse_reply(connection.received(), "POST")
        self._check_headers(reply)
        return reply


class RequestTests(OverloadCase):
    """Requests at work."""

    def test_one_too_many(self) -> None:
        """It is told at once to come again; those at work are answered as ever."""
        working = [self.begin(HIT) for _ in range(3)]

        refused = self.reply(self.begin(HIT))

        self.assertEqual(refused.error, "503 ServiceUnavailable")
        self.assertEqual(refused.headers["Retry-After"], "5")
        self.slow.end_all()
        self.assertEqual([self.reply(one).status for one in working], [202] * 3)
        self.assertEqual(self.site.admission.at_work, 0)

    def test_recovery(self) -> None:
        """As soon as one has ended there is a place again."""
        for _ in range(3):
            self.begin(HIT)
        self.slow.end_all()

        taken = self.begin(HIT)
        self.slow.end_all()

        self.assertEqual(self.reply(taken).status, 202)

    def test_hanging_up_frees_nothing(self) -> None:
        """The work goes on, so it keeps its place: whoever hangs up and tries again gains none."""
        for data in (HIT, PAUSE, PAUSE):
            self.begin(data).hang_up()

        refused = self.reply(self.begin(HIT))
        self.slow.end_all()

        self.assertEqual(refused.error, "503 ServiceUnavailable")
        self.assertEqual((self.site.admission.at_work, self.site.admission.tenants_at_work), (0, 0))

    def test_one_tenant(self) -> None:
        """It leaves room for others, and for alarms."""
        working = [self.begin(PAUSE) for _ in range(2)]

        refused = self.reply(self.begin(PAUSE))
        hit = self.begin(HIT)
        self.slow.end_all()

        self.assertEqual(refused.error, "503 ServiceUnavailable")
        self.assertEqual([self.reply(one).status for one in (*working, hit)], [204, 204, 202])

    def test_watchers(self) -> None:
        """A process that is busy still says that it is alive."""
        for _ in range(3):
            self.begin(HIT)

        self.assertEqual(self.ask("GET", "/health", token=None).status, 200)
        self.assertEqual(self.ask("GET", "/", token=None).status, 200)
        self.assertGreater(RESERVED, 0)

    def test_slow_identity(self) -> None:
        """Callers whose token is being checked are at work too."""
        asked = Deferred[None]()

        async def validate(_: str) -> None:
            await asked
            raise TransientError("identity")

        self.patch(self.tokens, "validate", validate)
        self.serve(cast("Controller", self.slow))
        for _ in range(3):
            self.begin(PAUSE).hang_up()

        refused = self.reply(self.begin(HIT))
        asked.callback(None)

        self.assertEqual(refused.error, "503 ServiceUnavailable")
        self.assertEqual(self.site.admission.at_work, 0)


class BodiesTests(OverloadCase):
    """The memory that all bodies take together."""

    bounds = Bounds(body_bytes=1000, bodies_bytes=1500)

    def test_too_many_bodies(self) -> None:
        """The one that is too much is refused while it arrives; the others are not disturbed."""
        announced = {"Content-Length": "1000", "X-Auth-Token": TOKEN}
        head = request_bytes("POST", GROUPS, headers=announced)
        first, second = self.begin(head + b"[" * 800), self.begin(head + b"[" * 700)

        second.send(b"[")
        refused = self.reply(second)
        first.send(b"[" * 200)

        self.assertEqual(refused.error, "503 ServiceUnavailable")
        self.assertEqual(refused.headers["Connection"], "close")
        self.assertEqual(self.reply(first).error, "400 InvalidJsonError")
        self.assertEqual(self.site.held_bytes, 0)

    def test_bodies_that_come_to_nothing(self) -> None:
        """What hangs up half way is counted no longer."""
        body = b"x" * 900
        self.begin(
            request_bytes("POST", GROUPS, headers={"Content-Length": "999"}) + body
        ).hang_up()

        self.assertEqual(self.site.held_bytes, 0)
        self.assertEqual(self.ask("POST", GROUPS, a_group(), token=None).status, 401)

    def test_bodies_at_work(self) -> None:
        """Hanging up frees no memory: what works goes on with the body, and it is counted."""
        auth = {"X-Auth-Token": TOKEN}
        self.begin(request_bytes("POST", f"{GROUPS}/g/pause", b"x" * 900, auth)).hang_up()
        held = self.site.held_bytes
        self.slow.end_all()

        self.assertEqual(held, 900)
        self.assertEqual(self.site.held_bytes, 0)


@define(eq=False)
class Fake:
    """A connection that can be ended."""

    aborted: bool = False

    def abort(self) -> None:
        """Remember it."""
        self.aborted = True


class ConnectionsTests(SynchronousTestCase):
    """The counting of connections."""

    def test_room(self) -> None:
        """Below the limit there is room; above it the one idle for longest makes room."""
        connections = Connections(2)
        first, second, third = Fake(), Fake(), Fake()
        for one in (first, second):
            self.assertTrue(connections.make_room())
            connections.rest(one)
        connections.work(first)
        connections.rest(first)

        made = connections.make_room()
        connections.rest(third)

        self.assertEqual((made, first.aborted, second.aborted), (True, False, True))
        self.assertEqual(len(connections), 2)

    def test_no_room(self) -> None:
        """Whoever is at work is not disturbed for a newcomer."""
        connections = Connections(1)
        one = Fake()
        connections.rest(one)
        connections.work(one)

        self.assertFalse(connections.make_room())
        self.assertEqual((connections.refused, one.aborted), (1, False))
        connections.forget(one)
        self.assertTrue(connections.make_room())


class ConnectionBoundTests(OverloadCase):
    """Connections of a site."""

    bounds = Bounds(connections=2)

    def test_newcomers_replace_the_idle(self) -> None:
        """Also one that was of use before and now only stays open."""
        idle, working = self.begin(b""), self.begin(HIT)

        newcomer = self.begin(request_bytes("GET", "/"))

        self.assertTrue(idle.transport.disconnected)
        self.assertEqual(self.reply(newcomer).status, 200)
        self.assertFalse(working.transport.disconnecting)
        self.begin(b"")
        self.assertTrue(newcomer.transport.disconnected)

    def test_all_at_work(self) -> None:
        """There is no room, neither while a request arrives nor while it is at work."""
        self.begin(HIT)
        arriving = self.begin(HIT[:9])

        self.assertIsNone(self.site.buildProtocol(None))
        arriving.hang_up()
        self.assertIsNotNone(self.site.buildProtocol(None))
        self.assertEqual(len(self.site.connections), 1)
