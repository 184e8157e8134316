"""One client's connection: slow clients, and what is no HTTP or too much of it."""

from datetime import timedelta

from attrs import evolve
from twisted.internet.defer import Deferred

from otter.rest.channel import CUT_OFF_SECONDS, LINGER_SECONDS
from otter.rest.config import Bounds
from tests.rest.wire import Connection, Reply, parse_reply, request_bytes
from tests.rest.world import GROUPS, TOKEN, RestCase, a_group

GET = request_bytes("GET", "/")
BODY = b'{"groupConfiguration": 1}'
POST = request_bytes("POST", GROUPS, BODY, {"X-Auth-Token": TOKEN})


class ChannelCase(RestCase):
    """Short times and small sizes."""

    bounds = Bounds(
        idle=timedelta(seconds=60),
        receive=timedelta(seconds=30),
        uri_bytes=200,
        header_bytes=1000,
        headers=10,
        body_bytes=1000,
    )

    def setUp(self) -> None:
        """Build the site."""
        self.config = evolve(self.config, bounds=self.bounds)
        super().setUp()

    def begin(self, data: bytes) -> Connection:
        """Send something on a connection of its own."""
        connection = Connection(self.site)
        connection.send(data)
        return connection

    def reply(self, connection: Connection, method: str = "GET", path: str = "/") -> Reply:
        """Return what came back to a request, in the shape of every other reply."""
        reply = parse_reply(connection.received(), "GET")
        self._check_headers(reply)
        self._check_body(method, path, reply)
        return reply

    def drip(self, connection: Connection, data: bytes, *, every: float) -> None:
        """Send byte by byte."""
        for start in range(len(data)):
            connection.send(data[start : start + 1])
            self.clock.advance(every)

    def closes(self, connection: Connection) -> bool:
        """Return whether the connection is closed after the moment that is left to read it."""
        self.clock.advance(LINGER_SECONDS)
        return connection.transport.disconnecting


class SlowTests(ChannelCase):
    """Clients that take their time."""

    def test_idle_connection(self) -> None:
        """It is closed, without a word, when nothing was asked for long enough."""
        connection = self.begin(b"")
        self.clock.advance(59)
        early = connection.transport.disconnecting

        self.clock.advance(1)

        self.assertEqual((early, connection.transport.disconnecting), (False, True))
        self.assertEqual(connection.received(), b"")

    def test_idle_again(self) -> None:
        """After an answer the time begins anew."""
        connection = self.begin(GET)
        self.clock.advance(59)
        connection.send(GET)
        self.clock.advance(59)

        self.assertFalse(connection.transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(connection.transport.disconnecting)

    def test_dripping(self) -> None:
        """However steadily the bytes come, the whole request has a bounded time."""
        for data in (POST, POST[:-1], b"GET /" + b"x" * 100, b"POST / HTTP/1.1\r\n" + b"X" * 20):
            connection = self.begin(b"")
            self.drip(connection, data[:31], every=1)
            reply = self.reply(connection)

            self.assertEqual(reply.error, "408 RequestTimeout", data)
            self.assertEqual(reply.headers["Connection"], "close")
            connection.send(data[31:])
            self.assertTrue(self.closes(connection))
            self.assertEqual(connection.received(), b"")

    def test_silence_in_the_middle(self) -> None:
        """A body that never comes, a chunk that never ends, a head that stops."""
        chunked = request_bytes("POST", GROUPS, headers={"Transfer-Encoding": "chunked"})
        for data in (
            POST[:-1],
            POST[:40],
            chunked + b"5\r\nab",
            chunked + b"0\r\n",
            GET + POST[:9],
        ):
            connection = self.begin(data)
            self.clock.advance(29)
            connection.received()
            early = connection.transport.disconnecting

            self.clock.advance(1)

            self.assertFalse(early)
            self.assertEqual(self.reply(connection).error, "408 RequestTimeout", data)
            self.assertTrue(self.closes(connection))

    def test_slow_but_in_time(self) -> None:
        """Each request has its own time, and the time that its answer takes does not count."""
        connection = self.begin(b"")
        for _ in range(3):
            self.drip(connection, POST[:20], every=1.4)
            connection.send(POST[20:])
            reply = self.reply(connection, "POST", GROUPS)
            self.assertEqual(reply.error, "400 ValidationError")

    def test_slow_answer(self) -> None:
        """Whoever waits for us is not sent away."""
        asked = Deferred[None]()

        async def validate(_: str) -> None:
            await asked

        self.patch(self.tokens, "validate", validate)
        connection = self.begin(POST + POST[:9])
        self.clock.advance(1000)

        self.assertFalse(connection.transport.disconnecting)
        asked.errback(ZeroDivisionError())
        self.assertEqual(self.reply(connection).status, 500)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.clock.advance(30)
        self.assertEqual(self.reply(connection).error, "408 RequestTimeout")

    def test_client_that_does_not_read(self) -> None:
        """It is asked to go, and then cut off; nothing waits for it for ever."""
        bad = self.begin(b"nonsense\r\n")
        old = self.begin(b"GET / HTTP/1.0\r\n\r\n")
        idle = self.begin(b"")

        self.clock.advance(LINGER_SECONDS)
        self.clock.advance(60)
        self.clock.advance(CUT_OFF_SECONDS)

        self.assertEqual([one.transport.disconnected for one in (bad, old, idle)], [True] * 3)

    def test_nothing_is_left(self) -> None:
        """Connections that are lost take their timers with them, wherever they stopped."""
        for data in (b"", b"GET", POST[:-1], POST, b"bad\r\n", b"GET / HTTP/1.0\r\n\r\n"):
            self.begin(data).hang_up()

        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.site.connections), 0)


class MalformedTests(ChannelCase):
    """What Twisted would answer with a bare line, or not at all."""

    def check_refused(self, error: str, *streams: bytes) -> None:
        """Hold streams to one refusal, however they arrive and whatever follows."""
        for stream in streams:
            for size in (1, 7, len(stream)):
                connection = self.begin(b"")
                for start in range(0, len(stream), size):
                    connection.send(stream[start : start + size])
                reply = self.reply(connection)
                connection.send(GET)

                self.assertEqual(reply.error, error, stream[:60])
                self.assertEqual(reply.headers["Connection"], "close")
                self.assertEqual(connection.received(), b"")
                self.assertFalse(connection.transport.disconnecting)
                self.assertTrue(self.closes(connection))

    def test_not_http(self) -> None:
        """Request lines, headers, lengths and chunks that mean nothing."""
        chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.check_refused(
            "400 BadRequest",
            b"nonsense\r\n\r\n",
            b"\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/2.0\r\n\r\n",
            b"GET / HTTP/1.1 x\r\n\r\n",
            b"G\xffT / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\n: no name\r\n\r\n",
            b"GET / HTTP/1.1\r\nbad name: x\r\nOther: y\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: nul \x00\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            chunked + b"x\r\n",
            chunked + b"-1\r\n",
            chunked + b"1\r\nabc\r\n",
            chunked + b"1;\x00\r\na\r\n",
        )

    def test_long_lines(self) -> None:
        """The line of a request is its URI; other lines, one or all together, are headers."""
        self.check_refused("414 RequestUriTooLong", b"GET /" + b"x" * 1100)
        many = b"".join(b"A%d: x\r\n" % number for number in range(11))
        self.check_refused(
            "431 RequestHeaderFieldsTooLarge",
            b"GET / HTTP/1.1\r\nA: " + b"x" * 1100 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 450 + b"\r\nB: " + b"x" * 600 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + many + b"\r\n",
            b"GET / HTTP/1.1\r\nA: x\r\n" + b" folded\r\n" * 200,
        )

    def test_long_uri(self) -> None:
        """Within what a head may be, the URI has a limit of its own, and the connection goes on."""
        fits, long = "/" + "x" * 199, "/?" + "x" * 199
        connection = self.begin(request_bytes("GET", fits))
        found = [self.reply(connection).error]
        connection.send(request_bytes("GET", long))
        found.append(self.reply(connection).error)
        connection.send(GET)

        self.assertEqual(found, ["404 NotFound", "414 RequestUriTooLong"])
        self.assertEqual(self.reply(connection).error, "200")

    def test_after_good_requests(self) -> None:
        """What was asked before is answered before."""
        connection = self.begin(GET + GET + b"nonsense\r\n\r\n")
        data = connection.received()

        self.assertEqual([int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]], [200, 200, 400])

    def test_broken_rest_of_a_refused_body(self) -> None:
        """One request has one answer."""
        chunked = {"Transfer-Encoding": "chunked"}
        connection = self.begin(request_bytes("POST", GROUPS, headers=chunked))
        connection.send(b"3e9\r\n" + b"x" * 1001 + b"\r\n")
        self.assertEqual(self.reply(connection).error, "413 RequestEntityTooLarge")

        connection.send(b"junk\r\n")

        self.assertEqual(connection.received(), b"")
        self.assertTrue(self.closes(connection))

    def test_largest_allowed(self) -> None:
        """Everything up to the limits is served."""
        headers = {f"A{number}": "x" for number in range(8)} | {"X-Auth-Token": TOKEN}
        self.config = evolve(self.config, bounds=evolve(self.bounds, headers=11))
        self.serve(self.controller)

        self.assertEqual(self.ask("POST", GROUPS, a_group(), headers=headers).status, 201)
