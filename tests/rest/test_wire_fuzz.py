"""Whatever arrives on a connection: no fault, no hang, and nothing left behind."""

import re
from datetime import timedelta

from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from otter.rest.channel import CUT_OFF_SECONDS, LINGER_SECONDS
from otter.rest.config import Bounds, Rates
from tests.fuzzing import bounded
from tests.rest.streams import pieces, streams
from tests.rest.wire import Connection, request_bytes
from tests.rest.world import GROUPS, TOKEN, RestCase

STATUS = re.compile(rb"^HTTP/1\.[01] ([0-9]{3}) ", re.MULTILINE)
EXPECTED = {100, 200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 413, 414, 422, 431, 501}
"""501 is what reading servers always gets."""


class WireFuzzTests(RestCase):
    """Bytes of every kind against the whole site, over transports in memory."""

    def setUp(self) -> None:
        """Build a site with short times and small sizes, so that all of them are reached."""
        bounds = Bounds(
            receive=timedelta(seconds=30),
            body_bytes=500,
            uri_bytes=200,
            header_bytes=600,
            headers=6,
        )
        self.config = evolve(self.config, bounds=bounds, rates=Rates(enabled=False))
        super().setUp()

    def hold(self, parts: list[bytes], *, hangs_up: bool = False) -> None:
        """Send, and wait until the connection has ended by itself."""
        connection = Connection(self.site)
        for part in parts:
            if connection.transport.disconnecting:
                break
            connection.send(part)
        bounds = self.config.bounds
        if not hangs_up:
            for wait in (bounds.receive, bounds.idle):
                self.clock.advance(wait.total_seconds())
                self.clock.advance(LINGER_SECONDS)
            self.assertTrue(connection.transport.disconnecting)
            self.clock.advance(CUT_OFF_SECONDS)
            self.assertTrue(connection.transport.disconnected)
        connection.hang_up()

        self.assertLessEqual(set(map(int, STATUS.findall(connection.received()))), EXPECTED)
        self.assert_nothing_left()

    def assert_nothing_left(self) -> None:
        """Check every table that grows while somebody is connected."""
        site = self.site
        left = (
            len(site.connections),
            site.held_bytes,
            site.admission.at_work,
            site.admission.tenants_at_work,
            self.clock.getDelayedCalls(),
        )

        self.assertEqual(left, (0, 0, 0, 0, []))

    @bounded(150)
    @given(streams(), st.lists(st.integers(1, 50), max_size=3), st.booleans())
    @example(b"\r\n", [], False)
    @example(b"\r", [], False)
    @example(request_bytes("GET", GROUPS, b"x" * 501, {"Expect": "100-continue"}), [1], False)
    @example(b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\n\r\n", [3], False)
    @example(
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: x\r\n" * 30, [], False
    )
    def test_any_stream(self, data: bytes, cuts: list[int], hangs_up: bool) -> None:
        """Requests with something wrong, after each other, in pieces, cut off or not."""
        self.hold(pieces(data, cuts), hangs_up=hangs_up)

    @bounded(60)
    @given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=3))
    def test_any_bytes(self, data: bytes, cuts: list[int]) -> None:
        """What was never meant to be HTTP."""
        self.hold(pieces(data, cuts))

    @bounded(40)
    @given(st.lists(st.tuples(streams(), st.booleans()), min_size=2, max_size=5))
    def test_connections_side_by_side(self, clients: list[tuple[bytes, bool]]) -> None:
        """Several clients at once, byte by byte in turn: none learns of the others."""
        connections = [Connection(self.site) for _ in clients]
        for at in range(max(len(data) for data, _ in clients)):
            for connection, (data, _) in zip(connections, clients, strict=True):
                if not connection.transport.disconnecting:
                    connection.send(data[at : at + 1])
        for connection in connections:
            connection.hang_up()

        self.assert_nothing_left()

    @bounded(40)
    @given(streams())
    def test_a_good_request_is_served_whatever_others_do(self, data: bytes) -> None:
        """One client's nonsense, half sent, holds nobody up."""
        connection = Connection(self.site)
        connection.send(data)

        good = self.ask("GET", GROUPS, token=TOKEN)

        self.assertEqual(good.status, 200)
        connection.hang_up()
        self.assert_nothing_left()
