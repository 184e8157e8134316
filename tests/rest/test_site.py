"""The server below the resources: large bodies, clients that hang up, the log, faults."""

from typing import Any, cast

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from otter.controller.interface import Controller, GroupView, Limits
from otter.models.errors import ConflictError, StoreUnavailableError
from otter.models.ids import GroupId, TenantId
from otter.rest.config import Bounds
from tests.rest.wire import Connection, Reply, parse_reply, request_bytes
from tests.rest.world import GROUPS, TOKEN, RestCase, a_config, a_group


class LargeBodyTests(RestCase):
    """Bodies above the limit are refused early."""

    def setUp(self) -> None:
        """Take at most a thousand bytes."""
        self.config = evolve(self.config, bounds=Bounds(body_bytes=1000))
        super().setUp()

    def refusal(self, connection: Connection) -> Reply:
        """Return the reply that came although the request is not complete."""
        reply = parse_reply(connection.received(), "POST")
        self._check_headers(reply)
        self.assertEqual(reply.error, "413 RequestEntityTooLarge")
        self.assertEqual(reply.headers["Connection"], "close")
        return reply

    def test_announced_length(self) -> None:
        """The announcement is enough; nobody is invited to send the rest."""
        connection = Connection(self.site)
        expect = {"Content-Length": "1001", "Expect": "100-continue"}

        connection.send(request_bytes("POST", GROUPS, headers=expect))

        self.refusal(connection)
        self.assertFalse(connection.transport.disconnecting)

    def test_rest_is_thrown_away_for_a_moment(self) -> None:
        """So that the answer arrives; then the connection is closed."""
        connection = Connection(self.site)
        connection.send(request_bytes("POST", GROUPS, headers={"Content-Length": "9999999"}))
        self.refusal(connection)

        connection.send(b"x" * 100_000)
        self.clock.advance(2)

        self.assertEqual(connection.received(), b"")
        self.assertTrue(connection.transport.disconnecting)

    def test_whole_request_at_once(self) -> None:
        """It is answered once, and the connection is closed without waiting."""
        connection = Connection(self.site)

        connection.send(request_bytes("POST", GROUPS, b"x" * 1001))

        self.refusal(connection)
        self.assertTrue(connection.transport.disconnecting)

    def test_chunks(self) -> None:
        """What was not announced is counted."""
        connection = Connection(self.site)
        connection.send(request_bytes("POST", GROUPS, headers={"Transfer-Encoding": "chunked"}))
        connection.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        early = connection.received()

        connection.send(b"1\r\nx\r\n")
        reply = self.refusal(connection)
        connection.send(b"5\r\nxxxxx\r\n0\r\n\r\n")

        self.assertEqual(early, b"")
        self.assertIn("1000 bytes", reply.message)
        self.assertEqual(connection.received(), b"")
        self.assertTrue(connection.transport.disconnecting)

    def test_client_that_hangs_up(self) -> None:
        """Nothing is left behind."""
        connection = Connection(self.site)
        connection.send(request_bytes("POST", GROUPS, headers={"Content-Length": "9999999"}))

        connection.hang_up()

        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_largest_allowed(self) -> None:
        """Exactly the limit is read, in one piece or in chunks."""
        body = b"[" + b" " * 998 + b"]"
        chunked = request_bytes(
            "POST", GROUPS, headers={"Transfer-Encoding": "chunked", "X-Auth-Token": TOKEN}
        )
        connection = Connection(self.site)
        connection.send(chunked + b"3e8\r\n" + body + b"\r\n0\r\n\r\n")

        reply = parse_reply(connection.received(), "POST")

        self.assertEqual(self.ask("POST", GROUPS, body).error, "400 ValidationError")
        self.assertEqual(reply.error, "400 ValidationError")


class SlowController:
    """Takes its time over one call and remembers whether it got to the end."""

    limits = Limits()

    def __init__(self) -> None:
        self.going = Deferred[Any]()
        self.done = False

    async def pause(self, *_: object, **__: object) -> None:
        """Wait for whatever comes."""
        await self.going
        self.done = True

    async def get_group(self, tenant_id: TenantId, group_id: GroupId) -> GroupView:
        """Return or raise whatever comes."""
        return cast("GroupView", await self.going)


class HangUpTests(RestCase):
    """Klein cancels handlers of clients that hang up; our work goes on."""

    def test_change_that_was_begun_ends(self) -> None:
        """Half of it may be written already."""
        controller = SlowController()
        self.serve(cast("Controller", controller))
        connection = Connection(self.site)
        pause = request_bytes("POST", f"{GROUPS}/g/pause", headers={"X-Auth-Token": TOKEN})
        connection.send(pause)
        connection.hang_up()

        controller.going.callback(None)

        self.assertTrue(controller.done)
        self.assertEqual(connection.received(), b"")

    def test_fault_after_hanging_up_is_still_logged(self) -> None:
        """The fault is ours even if nobody hears of it."""
        controller = SlowController()
        self.serve(cast("Controller", controller))
        connection = Connection(self.site)
        connection.send(request_bytes("POST", f"{GROUPS}/g/pause", headers={"X-Auth-Token": TOKEN}))
        connection.hang_up()

        controller.going.errback(ZeroDivisionError())

        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class FaultTests(RestCase):
    """What the caller is told when something breaks."""

    def error_of(self, error: Exception) -> Reply:
        """Return the reply to a call that failed with ``error``."""
        controller = SlowController()
        self.serve(cast("Controller", controller))
        controller.going.errback(error)
        return self.ask("GET", f"{GROUPS}/g")

    def test_unexpected_error(self) -> None:
        """A generic 500 that leaks nothing; the log has the rest."""
        reply = self.error_of(ZeroDivisionError("secret detail"))

        self.assertEqual(reply.error, "500 InternalError")
        self.assertNotIn(b"secret", reply.body)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_store_that_is_away(self) -> None:
        """Come again later."""
        for error in (StoreUnavailableError("secret host"), ConflictError("again")):
            reply = self.error_of(error)

            self.assertEqual(reply.error, "503 ServiceUnavailable")
            self.assertEqual(reply.headers["Retry-After"], "5")
            self.assertNotIn(b"secret", reply.body)


class LogTests(RestCase):
    """One line per request."""

    def logged(self) -> list[LogEvent]:
        """Return the requests logged from now on."""
        events: list[LogEvent] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            if str(event.get("log_format")).startswith("request.done"):
                events.append(event)

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        return events

    def test_request_done(self) -> None:
        """Method, path, status and the id the caller can quote."""
        events = self.logged()

        reply = self.ask("GET", f"{GROUPS}?limit=5")

        self.assertEqual(len(events), 1)
        wanted = {name: events[0][name] for name in ("method", "path", "status", "gone")}
        self.assertEqual(wanted, {"method": "GET", "path": GROUPS, "status": 200, "gone": False})
        self.assertEqual(events[0]["response_id"], reply.headers["X-Response-Id"])
        self.assertEqual(events[0]["duration"], 0)

    def test_secrets_stay_out_of_the_log(self) -> None:
        """Neither token nor capability is in any part of any event."""
        policy = self.make_policy(self.make_group())
        _, capability = self.make_webhook(policy)
        events = self.logged()

        self.ask("POST", capability)
        self.ask("GET", capability)
        self.ask("POST", f"/x{capability}")

        told = repr(events)
        self.assertEqual(len(events), 3)
        self.assertNotIn(capability.rstrip("/").rpartition("/")[2], told)
        self.assertNotIn(TOKEN, told)

    def test_client_that_hangs_up(self) -> None:
        """It is logged too, as gone."""
        controller = SlowController()
        self.serve(cast("Controller", controller))
        events = self.logged()
        connection = Connection(self.site)
        connection.send(request_bytes("POST", f"{GROUPS}/g/pause", headers={"X-Auth-Token": TOKEN}))
        self.clock.advance(1.5)

        connection.hang_up()

        self.assertEqual([(one["gone"], one["duration"]) for one in events], [(True, 1.5)])


class ConnectionTests(RestCase):
    """Several requests on one connection."""

    def test_pipelined_requests(self) -> None:
        """They are answered in order, each as if it were alone."""
        connection = Connection(self.site)
        auth = {"X-Auth-Token": TOKEN}
        body = b'{"groupConfiguration": 1}'
        connection.send(
            request_bytes("GET", GROUPS, headers=auth)
            + request_bytes("POST", GROUPS, body, auth)
            + request_bytes("GET", "/nowhere")
        )

        data = connection.received()
        statuses = [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]

        self.assertEqual(statuses, [200, 400, 404])

    def test_listening_starts_no_timers(self) -> None:
        """The site keeps no access log of its own, so it needs no clock for one."""
        self.site.startFactory()
        self.site.stopFactory()

        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bodies_arrive_whole(self) -> None:
        """However they are cut on the way."""
        connection = Connection(self.site)
        auth = {"X-Auth-Token": TOKEN}
        group = a_group(groupConfiguration=a_config(name="é" * 200))
        raw = request_bytes("POST", GROUPS, str(group).replace("'", '"').encode(), auth)
        for start in range(0, len(raw), 7):
            connection.send(raw[start : start + 7])

        self.assertEqual(parse_reply(connection.received(), "POST").status, 201)
