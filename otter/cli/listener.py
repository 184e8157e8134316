"""A customer's own webhook: hears what Otter tells it and checks every signature."""

import base64
import hashlib
import hmac
from collections import Counter
from typing import Any

import simplejson
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import Resource
from twisted.web.server import Request, Site


class Listener(Resource):
    """
    Counts messages by event.

    :ivar key: what they must be signed with, ``whsec_`` and base64.
    :ivar forged: messages whose signature was wrong.
    """

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.key = ""
        self.url = ""
        self.forged = 0
        self._heard: dict[str, str] = {}
        self._port: IListeningPort | None = None

    def listen(self, reactor: Any) -> None:
        """Listen on a free port of loopback."""
        port = reactor.listenTCP(0, Site(self), interface="127.0.0.1")
        self._port = port
        self.url = f"http://127.0.0.1:{port.getHost().port}/"

    async def stop(self) -> None:
        """Stop listening."""
        if self._port is not None:
            stopped = self._port.stopListening()
            if stopped is not None:
                await stopped

    def count(self, event: str) -> int:
        """Return how many different messages of this event came."""
        return Counter(self._heard.values())[event]

    def render_POST(self, request: Request) -> bytes:
        """Take a message; one that comes twice counts once."""
        assert request.content is not None  # noqa: S101 - twisted.web sets it before rendering
        body = request.content.read()
        message_id = request.getHeader(b"webhook-id") or b""
        timestamp = request.getHeader(b"webhook-timestamp") or b""
        signed = request.getHeader(b"webhook-signature") or b""
        key = base64.b64decode(self.key.removeprefix("whsec_"))
        content = b".".join([message_id, timestamp, body])
        digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
        if hmac.compare_digest(signed, b"v1," + digest):
            self._heard[message_id.decode()] = _event_of(body)
        else:
            self.forged += 1
        request.setResponseCode(204)
        return b""


def _event_of(body: bytes) -> str:
    event: str = simplejson.loads(body)["event"]
    return event
