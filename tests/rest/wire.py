"""Speak HTTP to a site in memory, byte by byte."""

from collections.abc import Mapping
from http.client import HTTPMessage, HTTPResponse
from io import BytesIO
from typing import Any, cast

import simplejson
from attrs import frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site


@frozen
class Reply:
    """A response as it came over the wire."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON, with every number as written."""
        return simplejson.loads(self.body, use_decimal=True)

    @property
    def error(self) -> str:
        """The status and, for an error, its type: what tables of expectations compare."""
        if self.status < 400 or not self.body:
            return str(self.status)
        return f"{self.status} {self.document['error']['type']}"

    @property
    def message(self) -> str:
        """The message of an error."""
        return str(self.document["error"]["message"])


class _Bytes:
    """Just enough of a socket for ``http.client``."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> BytesIO:
        """Return what was received."""
        assert mode == "rb"

        return BytesIO(self._data)


def parse_reply(data: bytes, method: str) -> Reply:
    """Return the first response in ``data``."""
    response = HTTPResponse(cast("Any", _Bytes(data)), method=method)
    response.begin()
    return Reply(response.status, response.msg, response.read())


class Connection:
    """One client's connection to a site."""

    def __init__(self, site: Site) -> None:
        protocol = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 40000))
        assert protocol is not None
        self._protocol = cast("Protocol", protocol)
        self.transport = StringTransport()
        self._protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        """Let bytes arrive at the site."""
        self._protocol.dataReceived(data)

    def received(self) -> bytes:
        """Return what the site has sent since the last time."""
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def hang_up(self) -> None:
        """Lose the connection."""
        self._protocol.connectionLost(Failure(ConnectionDone()))


def request_bytes(
    method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """Return a request as it goes over the wire; ``path`` is not touched."""
    lines = [f"{method} {path} HTTP/1.1", "Host: api.example.com"]
    lines.extend(f"{name}: {value}" for name, value in (headers or {}).items())
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
