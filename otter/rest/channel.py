"""
One client's connection: how long and how much it may send, and what it is told when it errs.

Twisted judges what HTTP is; here its bare "400 Bad Request" becomes an answer like every other one,
and a request that drips in byte by byte is ended when its time is over.

Note [Closing after a refusal]
    A refusal is written at once, and then what still arrives is read and thrown away for a moment:
    closing while data is on its way would reset the connection and take the answer with it. A
    client that does not read its answers is cut off in the end, whatever is left to send.
"""

from http import HTTPStatus
from typing import Any, cast

from twisted.internet.interfaces import IDelayedCall, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, datetimeToString
from twisted.web.http_headers import Headers

from otter.models.ids import new_uuid
from otter.rest.errors import (
    ApiError,
    HeadersTooLargeError,
    MalformedRequestError,
    RequestTimeoutError,
    UriTooLongError,
)

SERVER = b"otter"
LINGER_SECONDS = 2.0
CUT_OFF_SECONDS = 15.0


class ApiChannel(HTTPChannel):
    """
    A connection with bounded requests.

    :ivar site: the ``ApiSite`` it belongs to, set before the connection is made.
    """

    log = Logger()
    site: Any

    _arriving: IDelayedCall | None = None
    _lingering: IDelayedCall | None = None
    _cutting: IDelayedCall | None = None
    _busy = False
    _refused = False
    _broken = False

    def connectionMade(self) -> None:
        """Begin to wait for a request."""
        bounds = self.site.bounds
        self.MAX_LENGTH = self.totalHeadersSize = bounds.header_bytes
        self.maxHeaders = bounds.headers
        self.site.connections.rest(self)
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave nothing behind."""
        for call in (self._arriving, self._lingering, self._cutting):
            if call is not None and call.active():
                call.cancel()
        self.site.connections.forget(self)
        super().connectionLost(reason)

    # --- what arrives ---------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take what arrives; a request that is not complete then has so much time to be."""
        if self._broken:
            return
        super().dataReceived(data)
        begun = bool(self.requests or self._buffer)
        if begun and not self._busy and not self._refused and self._arriving is None:
            self.site.connections.work(self)
            seconds = self.site.bounds.receive.total_seconds()
            self._arriving = self.callLater(seconds, self._too_late)

    def lineReceived(self, line: bytes) -> None:
        """Take a line of a request's head."""
        if not self._refused:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is longer than a whole head may be."""
        self._break(_headers_too_large(self) if self.requests else _uri_too_long(self))

    def allContentReceived(self) -> None:
        """Give the complete request all the time it takes, unless it was answered already."""
        self._stop_waiting()
        if self._refused:
            self.loseConnection()
            return
        self._busy = True
        self.site.connections.work(self)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """Wait for the next request."""
        self._busy = False
        if self.persistent:
            self.site.connections.rest(self)
        super().requestDone(request)

    def _stop_waiting(self) -> None:
        if self._arriving is not None and self._arriving.active():
            self._arriving.cancel()
        self._arriving = None

    # --- what is refused ------------------------------------------------------------------------

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Say what is wrong with a head or a chunk, in place of Twisted's bare line."""
        bounds = self.site.bounds
        head = self._receivedHeaderSize > bounds.header_bytes
        if head or self._receivedHeaderCount > bounds.headers:
            self._break(_headers_too_large(self))
        else:
            self._break(MalformedRequestError("what was sent is not HTTP/1.1"))

    def _too_late(self) -> None:
        self._break(RequestTimeoutError("the rest of the request did not arrive in time"))

    def _break(self, error: ApiError) -> None:
        """Refuse what cannot be read any further."""
        self._broken = True
        self.clearLineBuffer()
        self.refuse(error)

    def refuse(self, error: ApiError) -> None:
        """Answer before the request is complete, once; see Note [Closing after a refusal]."""
        self._stop_waiting()
        if self._refused:
            return
        self._refused = True
        self.setTimeout(None)
        self.site.connections.work(self)
        answer = self.site.responder.refusal(error)
        response_id = new_uuid()
        given = {name.encode("ascii"): [value.encode("ascii")] for name, value in answer.headers}
        headers = Headers(
            {
                b"Server": [SERVER],
                b"Date": [datetimeToString()],
                b"Content-Type": [answer.content_type.encode("ascii")],
                b"X-Response-Id": [response_id.encode("ascii")],
                b"Content-Length": [b"%d" % len(answer.body)],
                b"Connection": [b"close"],
                **given,
            }
        )
        status = answer.status
        reason = HTTPStatus(status).phrase.encode("ascii")
        self.writeHeaders(b"HTTP/1.1", b"%d" % status, reason, headers)
        self.write(answer.body)
        self.site.meter.refused(status)
        self._lingering = self.callLater(LINGER_SECONDS, self.loseConnection)
        self.log.info(
            "request.refused {status} {response_id}", status=status, response_id=response_id
        )

    # --- how it ends ----------------------------------------------------------------------------

    def timeoutConnection(self) -> None:
        """Close a connection on which nothing happens."""
        self.loseConnection()

    def loseConnection(self) -> None:
        """Close when everything is sent, and after a while even if it is not."""
        if self._cutting is None:
            self.setTimeout(None)
            super().loseConnection()
            self._cutting = self.callLater(CUT_OFF_SECONDS, self.abort)

    def abort(self) -> None:
        """Close without another word."""
        cast("ITCPTransport", self.transport).abortConnection()


def _headers_too_large(channel: ApiChannel) -> ApiError:
    bounds = channel.site.bounds
    return HeadersTooLargeError(
        f"a request has at most {bounds.headers} headers of together {bounds.header_bytes} bytes"
    )


def _uri_too_long(channel: ApiChannel) -> ApiError:
    return UriTooLongError(f"path and query have at most {channel.site.bounds.uri_bytes} bytes")
