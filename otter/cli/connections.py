"""A client that stays connected: one HTTP/1.1 connection, several requests."""

from typing import Any
from urllib.parse import urlsplit

import simplejson
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

ANSWER_SECONDS = 10


class KeptConnection(Protocol):
    """Asks ``GET /`` again and again over one connection."""

    def __init__(self, reactor: Any, host: str) -> None:
        self._reactor = reactor
        self._host = host
        self._received = b""
        self._waiting: Deferred[dict[str, Any]] | None = None

    async def ask(self) -> dict[str, Any]:
        """
        Return the JSON object that is answered.

        :raises ConnectionDone: the connection was closed instead.
        """
        waiting: Deferred[dict[str, Any]] = Deferred()
        self._waiting = waiting
        request = f"GET / HTTP/1.1\r\nHost: {self._host}\r\n\r\n"
        self.transport.write(request.encode())  # type: ignore[union-attr]
        return await waiting.addTimeout(ANSWER_SECONDS, self._reactor)

    def close(self) -> None:
        """Close the connection."""
        self.transport.loseConnection()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """Collect an answer; complete ones are handed over."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        lengths = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        if lengths and len(body) >= lengths[0]:
            self._received = body[lengths[0] :]
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                waiting.callback(simplejson.loads(body[: lengths[0]]))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell whoever waits for an answer."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(reason)


async def keep_open(reactor: Any, url: str) -> KeptConnection:
    """Return a connection to the host and port of ``url``."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    protocol = KeptConnection(reactor, parts.netloc)
    await connectProtocol(HostnameEndpoint(reactor, host, port), protocol)
    return protocol
