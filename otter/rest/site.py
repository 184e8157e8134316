"""
The HTTP server below the resources: what holds for every request and every response.

Note [Bodies that are too large]
    They are refused as soon as that is known, from the announced length or while chunks arrive. The
    answer is written at once, and then the rest is read and thrown away for a moment: closing while
    data is on its way would reset the connection and take the answer with it.
"""

from io import BytesIO
from typing import Any, cast

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.http import RESPONSES, datetimeToString
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource

from otter.models.ids import new_uuid
from otter.rest.answers import JSON
from otter.rest.calls import Call
from otter.rest.errors import BodyTooLargeError
from otter.rest.paths import Path, loggable, read_path
from otter.rest.responding import Responder

SERVER = b"otter"
LINGER_SECONDS = 2.0


class ApiRequest(server.Request):
    """
    A request with a bounded body, whose response always has the headers of rest-api.md 1.4.

    :ivar gone: whether the client hung up.
    :ivar call: what handlers get to see, once the caller was let in.
    """

    log = Logger()
    defaultContentType = JSON.encode("ascii")
    gone = False
    call: Call | None = None
    where: Path

    _received = 0
    _refused = False
    _lingering: IDelayedCall | None = None

    @property
    def _api_site(self) -> "ApiSite":
        site: ApiSite = cast("Any", self.channel).site
        return site

    def getRequestHostname(self) -> bytes:
        """
        Return a constant: links come from the configuration, and routing must not stumble over a
        malformed ``Host``.
        """
        return SERVER

    def __repr__(self) -> str:
        """Return what logs may say of the request: Twisted's own version tells the whole URL."""
        path = loggable(read_path(self.path or b""))
        return f"<ApiRequest {self.method.decode('ascii', 'replace')} {path}>"

    # --- the body ---------------------------------------------------------------------------

    def gotLength(self, length: int | None) -> None:
        """Prepare for a body in memory, or refuse it."""
        self.content = BytesIO()
        if length is not None and length > self._api_site.max_body_bytes:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body, unless there is too much of it."""
        self._received += len(data)
        if self._refused:
            return
        if self._received > self._api_site.max_body_bytes:
            self._refuse()
        else:
            cast("BytesIO", self.content).write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Go on with a request that is complete, unless it was answered already."""
        if self._refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        """Answer 413 right now; see Note [Bodies that are too large]."""
        self._refused = True
        self.content = BytesIO()
        self.requestHeaders.removeHeader(b"Expect")
        site = self._api_site
        error = BodyTooLargeError(f"bodies have at most {site.max_body_bytes} bytes")
        answer = site.responder.refusal(error)
        response_id = new_uuid()
        headers = Headers(
            {
                b"Server": [SERVER],
                b"Date": [datetimeToString()],
                b"Content-Type": [self.defaultContentType],
                b"X-Response-Id": [response_id.encode("ascii")],
                b"Content-Length": [b"%d" % len(answer.body)],
                b"Connection": [b"close"],
            }
        )
        status = answer.status
        self.channel.writeHeaders(b"HTTP/1.1", b"%d" % status, RESPONSES[status], headers)
        self.channel.write(answer.body)
        self._lingering = site.reactor.callLater(LINGER_SECONDS, self.channel.loseConnection)
        self.log.info(
            "request.refused {status} {response_id}", status=status, response_id=response_id
        )

    # --- from the first byte to the last ------------------------------------------------------

    def process(self) -> None:
        """Give the response the headers every response has, and pass the request on."""
        response_id = new_uuid()
        self.setHeader(b"X-Response-Id", response_id.encode("ascii"))
        self.setHeader(b"Content-Type", self.defaultContentType)
        self.where = read_path(self.path)
        clock = self._api_site.reactor
        started = clock.seconds()

        def done(_: Failure | None) -> None:
            self.log.info(
                "request.done {method} {path} {status} {duration:.3f} {response_id}",
                method=self.method.decode("ascii", "replace"),
                path=loggable(self.where),
                status=self.code,
                duration=clock.seconds() - started,
                response_id=response_id,
                gone=self.gone,
            )

        _ = self.notifyFinish().addBoth(done)
        super().process()

    def write(self, data: bytes) -> None:
        """Write, under our own name."""
        if not self.startedWriting:
            self.setHeader(b"Server", SERVER)
        super().write(data)

    def connectionLost(self, reason: Failure) -> None:
        """Remember that there is nobody to answer any more."""
        self.gone = True
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        super().connectionLost(reason)


class ApiSite(server.Site):
    """
    Serves one resource with bounded requests; logs through ``twisted.logger`` only.

    :param max_body_bytes: how large a body may be.
    :param responder: words what this server itself has to refuse.
    """

    def __init__(
        self,
        resource: IResource,
        *,
        max_body_bytes: int,
        responder: Responder,
        reactor: IReactorTime,
        **settings: Any,
    ) -> None:
        super().__init__(
            resource,
            requestFactory=ApiRequest,
            parsePOSTFormSubmission=False,
            reactor=reactor,
            **settings,
        )
        self.max_body_bytes = max_body_bytes
        self.responder = responder

    def startFactory(self) -> None:
        """Start without an access log: ``request.done`` says more."""

    def stopFactory(self) -> None:
        """Stop; nothing was opened."""
