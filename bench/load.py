"""
A load generator that costs little: raw HTTP/1.1 over kept connections, one request at a time each.
"""

from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure


@define
class Result:
    """What came of a run: ``seconds`` for each request in the order of completion."""

    elapsed: float = 0.0
    seconds: list[float] = field(factory=list)
    statuses: dict[int, int] = field(factory=dict)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.seconds) / self.elapsed

    def percentile(self, share: float) -> float:
        """Return the time, in seconds, that this share of requests did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection(Protocol):
    """Sends the next request as soon as the last one was answered."""

    def __init__(self, reactor: Any, requests: Iterator[bytes], result: Result) -> None:
        self._reactor = reactor
        self._requests = requests
        self._result = result
        self._received = b""
        self._sent_at = 0.0
        self.finished: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        """Begin."""
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.transport.loseConnection()  # type: ignore[union-attr]
            return
        self._sent_at = self._reactor.seconds()
        self.transport.write(request)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """Take answers with a length, or without a body."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        if len(body) < length:
            return
        self._received = body[length:]
        status = int(head[9:12])
        self._result.seconds.append(self._reactor.seconds() - self._sent_at)
        self._result.statuses[status] = self._result.statuses.get(status, 0) + 1
        self._next()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Done, or cut off."""
        self.finished.callback(None)


async def run_load(
    reactor: Any, port: int, connections: int, requests: Callable[[], Iterator[bytes]]
) -> Result:
    """Send all requests over so many connections; return what came of it."""
    result = Result()
    shared = requests()
    started = reactor.seconds()
    protocols = [_Connection(reactor, shared, result) for _ in range(connections)]
    endpoint = HostnameEndpoint(reactor, "127.0.0.1", port)
    await gatherResults([connectProtocol(endpoint, protocol) for protocol in protocols])
    await gatherResults([protocol.finished for protocol in protocols])
    result.elapsed = reactor.seconds() - started
    return result


def post(path: str) -> bytes:
    """Return a request without a body, as a monitoring system would send it."""
    return f"POST {path} HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\n\r\n".encode()
