"""
Whatever arrives on the socket, Otter answers 4xx or hangs up, goes on serving, and stores nothing.

Spoken over plain sockets, because no well-behaved client can send most of this.
"""

from datetime import timedelta

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from tests.acceptance import world

ANSWER_WITHIN = timedelta(seconds=15)
CONFIG = '"groupConfiguration": {"name": %s, "cooldown": 0, "minEntities": 0}'
LAUNCH = '"launchConfiguration": {"type": "launch_server", "args": {"server": %s}}'
GROUP = "{" + CONFIG + ", " + LAUNCH + "}"
SERVER = '{"flavorRef": "%s", "imageRef": "%s"}'


class Conversation(Protocol):
    """
    Says what it is told to, and listens for the first line that comes back.

    :ivar answered: fires with that line, empty if the other side hangs up without one.
    :ivar ended: fires when the connection is gone.
    """

    transport: ITCPTransport

    def __init__(self) -> None:
        self._received = b""
        self.answered: Deferred[bytes] = Deferred()
        self.ended: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        """Look for the end of the line."""
        self._received += data
        line, end, _ = self._received.partition(b"\r\n")
        if end and not self.answered.called:
            self.answered.callback(line)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Nothing more will come."""
        if not self.answered.called:
            self.answered.callback(b"")
        self.ended.callback(None)


class BadInputTests(world.AcceptanceTestCase):
    """Nasty requests."""

    timeout = 60

    @property
    def path(self) -> str:
        """Where groups are made."""
        return f"/v1.0/{self.tenant.project}/groups"

    async def connect(self) -> Conversation:
        """Open a connection to Otter."""
        port = int(self.tenant.stack.otter.base_url.rpartition(":")[2])
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port, timeout=5)
        conversation: Conversation = await connectProtocol(endpoint, Conversation())
        return conversation

    async def say(self, data: bytes) -> int:
        """Send this and return the status of the answer, 0 if there was none."""
        conversation = await self.connect()
        conversation.transport.write(data)
        answered = conversation.answered.addTimeout(ANSWER_WITHIN.total_seconds(), reactor)
        line = (await answered).split(b" ")
        conversation.transport.abortConnection()
        await conversation.ended
        return int(line[1]) if len(line) > 1 else 0

    def head(self, *headers: str, method: str = "POST", path: str = "") -> bytes:
        """Return the beginning of a request with a good token."""
        token = self.tenant.api.headers["X-Auth-Token"]
        lines = [
            f"{method} {path or self.path} HTTP/1.1",
            "Host: otter",
            f"X-Auth-Token: {token}",
            "Connection: close",
            *headers,
        ]
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"

    def a_group(self, name: str = '"g"', server: str | None = None) -> bytes:
        """Return a body that is good but for what is given, which is put in as it is."""
        known = self.tenant.stack.cloud.credentials
        good = SERVER % (known["flavors"][0]["id"], known["images"][0]["id"])
        return (GROUP % (name, good if server is None else server)).encode()

    async def post(self, body: bytes) -> int:
        """Post a body as it is."""
        return await self.say(self.head(f"Content-Length: {len(body)}") + body)

    async def _assert_unharmed(self) -> None:
        """Otter serves as before, and none of the bad requests left anything."""
        health = await self.tenant.api.call("GET", f"{self.tenant.stack.otter.base_url}/health")
        groups = await self.tenant.api.expect(200, "GET", "/groups")

        self.assertEqual(health.status, 200)
        self.assertEqual(groups["groups"], [])

    async def test_the_harness_speaks_well(self) -> None:
        """A good request by the same means is accepted, so refusals below mean something."""
        body = self.a_group()
        status = await self.post(body)
        [made] = (await self.tenant.api.expect(200, "GET", "/groups"))["groups"]
        self.tenant.groups.append(made["id"])

        self.assertEqual(status, 201)

    async def test_bodies(self) -> None:
        """No body makes Otter fail: neither odd JSON, nor odd text, nor numbers beyond reason."""
        bodies = (
            b"",
            b"\xff\xfe",
            b"\x00",
            b"null",
            b"[]",
            b'"group"',
            b"{" * 100_000,
            b"[" * 100_000 + b"]" * 100_000,
            b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
            b"1" * 100_000,
            b"1e999999999",
            b'{"groupConfiguration": NaN}',
            b'{"groupConfiguration": Infinity, "launchConfiguration": -Infinity}',
            self.a_group().decode().encode("utf-16"),
            self.a_group('"\xe9"').decode().encode("latin-1"),
            self.a_group("1e400"),
            self.a_group('"' + "g" * 300 + '"'),
            self.a_group('"g", "maxEntities": 1e999999999'),
            self.a_group('"g", "maxEntities": -1'),
            self.a_group('"g", "metadata": {"k": {"k": "v"}}'),
            self.a_group(server='{"flavorRef": {"a": 1}, "imageRef": []}'),
            self.a_group(server="[]"),
        )
        statuses = [await self.post(body) for body in bodies]
        judged = zip(bodies, statuses, strict=True)

        self.assertEqual([(body[:200], s) for body, s in judged if not 400 <= s < 500], [])
        await self._assert_unharmed()

    async def test_text_no_store_likes(self) -> None:
        """Lone surrogates and NULs in names and metadata are stored faithfully or refused."""
        for odd in (r"\ud800", r"a\u0000b", r"\udfff\ud800", r"\ufffe"):
            name = await self.post(self.a_group(f'"g{odd}"'))
            metadata = f'"g", "metadata": {{"k{odd}": "v{odd}"}}'
            stored = await self.post(self.a_group(metadata))
            self.assertIn(name, {201, 400}, odd)
            self.assertIn(stored, {201, 400}, odd)
        listed = await self.tenant.api.expect(200, "GET", "/groups")
        for made in listed["groups"]:
            self.tenant.groups.append(made["id"])
            await self.tenant.api.expect(200, "GET", f"/groups/{made['id']}")

    async def test_frames(self) -> None:
        """Broken and boastful framing is refused or cut off; a good chunked body is read."""
        good = self.a_group()
        chunked = self.head("Transfer-Encoding: chunked")
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (good[:9], good[9:]))
        accepted = await self.say(chunked + chunks + b"0\r\n\r\n")
        huge = await self.say(self.head("Content-Length: 99999999999999") + b"{")
        endless = await self.say(chunked + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 40)
        broken = {
            "chunk size": await self.say(chunked + b"zz\r\n{}\r\n0\r\n\r\n"),
            "negative chunk": await self.say(chunked + b"-1\r\n{}\r\n0\r\n\r\n"),
            "negative length": await self.say(self.head("Content-Length: -1")),
            "length in words": await self.say(self.head("Content-Length: many")),
            "two lengths": await self.say(
                self.head("Content-Length: 2", "Content-Length: 3") + b"{}"
            ),
            "both framings": await self.say(
                self.head("Content-Length: 2", "Transfer-Encoding: chunked") + b"0\r\n\r\n"
            ),
            "no request": await self.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
            "long header": await self.say(self.head("X: " + "x" * 200_000)),
        }
        [made] = (await self.tenant.api.expect(200, "GET", "/groups"))["groups"]
        await self.tenant.api.expect(204, "DELETE", f"/groups/{made['id']}")

        self.assertEqual(accepted, 201)
        self.assertEqual((huge, endless), (413, 413))
        fine = {what: s for what, s in broken.items() if s == 0 or 400 <= s < 500}
        self.assertEqual(fine, broken)
        await self._assert_unharmed()

    async def test_paths_and_methods(self) -> None:
        """Odd paths lead nowhere, quietly."""
        paths = (
            f"{self.path}/%00",
            f"{self.path}/%ff%fe",
            f"{self.path}/..%2f..%2f..%2fetc%2fpasswd",
            f"{self.path}/" + "x" * 8000,
            f"{self.path}//",
            f"{self.path}?limit=%ff",
            f"{self.path}?limit=99999999999999999999999x",
            "/v1.0/%ff/groups",
            "/v1.0/execute/1/%00%ff",
            "/%",
        )
        statuses = {p: await self.say(self.head(method="GET", path=p)) for p in paths}
        statuses["BREW"] = await self.say(self.head("Content-Length: 0", method="BREW"))
        statuses["PATCH"] = await self.say(self.head("Content-Length: 0", method="PATCH"))

        self.assertEqual({k: s for k, s in statuses.items() if not 400 <= s < 500}, {})
        await self._assert_unharmed()

    async def test_tokens(self) -> None:
        """Odd tokens are no tokens: 401, and identity is not bothered with what could break out."""
        tokens = ("", "x", "é" * 50, "a b", "../../etc", "x" * 9000, "-", "null")
        statuses = {}
        for token in tokens:
            lines = f"GET {self.path} HTTP/1.1\r\nHost: o\r\nX-Auth-Token: {token}\r\n"
            raw = lines.encode() + b"Connection: close\r\n\r\n"
            statuses[token] = await self.say(raw)

        self.assertEqual(statuses, dict.fromkeys(tokens, 401))
        await self._assert_unharmed()

    async def test_clients_that_vanish(self) -> None:
        """Clients that hang up in the middle leave nothing half done, and nobody else waits."""
        good = self.a_group()
        whole = self.head(f"Content-Length: {len(good)}") + good
        slow = [await self.connect() for _ in range(20)]
        for number, conversation in enumerate(slow):
            conversation.transport.write(whole[: 10 + number * (len(whole) - 20) // 20])
        meanwhile = await self.tenant.api.call("GET", "/groups", timeout=timedelta(seconds=5))
        for conversation in slow:
            conversation.transport.abortConnection()
        await gatherResults([conversation.ended for conversation in slow])

        self.assertEqual(meanwhile.status, 200)
        await self._assert_unharmed()
