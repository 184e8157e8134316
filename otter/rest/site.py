"""
The HTTP server below the resources: what holds for every request and every response.

Bodies that are too large are refused as soon as that is known, from the announced length or while
chunks arrive; see Note [Closing after a refusal] in ``channel``.
"""

from datetime import timedelta
from io import BytesIO
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.http import HTTPChannel, datetimeToString
from twisted.web.resource import IResource

from otter.models.ids import new_uuid
from otter.rest.admission import Admission
from otter.rest.answers import JSON, Answer
from otter.rest.calls import Call
from otter.rest.channel import SERVER, ApiChannel
from otter.rest.config import Bounds
from otter.rest.connections import Connections
from otter.rest.errors import ApiError, BodyTooLargeError, UnavailableError, UriTooLongError
from otter.rest.metering import RequestMeter
from otter.rest.paths import Path, loggable, read_path
from otter.rest.responding import Responder, prepare


class ApiRequest(server.Request):
    """
    A request with a bounded body, whose response always has the headers of rest-api.md 1.4.

    :ivar gone: whether the client hung up.
    :ivar call: what handlers get to see, once the caller was let in.
    :ivar working: ends when the work of the request has, whether or not its client still waits.
    """

    log = Logger()
    defaultContentType = JSON.encode("ascii")
    gone = False
    call: Call | None = None
    working: Deferred[None] | None = None
    where: Path

    _held = 0
    _refused = False

    def __init__(self, channel: HTTPChannel, *args: Any, **settings: Any) -> None:
        super().__init__(channel, *args, **settings)
        self._api_site: ApiSite = cast("Any", channel).site

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
        if length is not None and length > self._api_site.bounds.body_bytes:
            self._refuse(self._too_large())

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body, unless there is too much of it, or of all bodies together."""
        if self._refused:
            return
        self._held += len(data)
        self._api_site.held_bytes += len(data)
        if self._held > self._api_site.bounds.body_bytes:
            self._refuse(self._too_large())
        elif self._api_site.held_bytes > self._api_site.bounds.bodies_bytes:
            self._refuse(UnavailableError("too many bodies are arriving"))
        else:
            cast("BytesIO", self.content).write(data)

    def _too_large(self) -> ApiError:
        return BodyTooLargeError(f"bodies have at most {self._api_site.bounds.body_bytes} bytes")

    def _refuse(self, error: ApiError) -> None:
        self._refused = True
        self.content = BytesIO()
        self._let_go()
        self.requestHeaders.removeHeader(b"Expect")
        cast("ApiChannel", self.channel).refuse(error)

    def _let_go_after_work(self) -> None:
        """Count the body until whoever works with it has ended, gone as its client may be."""
        if self.working is None:
            self._let_go()
        else:
            _ = self.working.addBoth(lambda _: self._let_go())

    def _let_go(self) -> None:
        """Count the body no longer."""
        self._api_site.held_bytes -= self._held
        self._held = 0

    # --- from the first byte to the last ------------------------------------------------------

    def process(self) -> None:
        """Give the response the headers every response has, and pass the request on."""
        response_id = new_uuid()
        self.setHeader(b"Date", datetimeToString())
        self.setHeader(b"X-Response-Id", response_id.encode("ascii"))
        self.setHeader(b"Content-Type", self.defaultContentType)
        self.where = read_path(self.path)
        clock = self._api_site.reactor
        started = clock.seconds()

        def done(_: Failure | None) -> None:
            self._let_go_after_work()
            took = timedelta(seconds=clock.seconds() - started)
            method = self.method.decode("ascii", "replace")
            self._api_site.meter.record(method, self.where.segments, self.code, took)
            self.log.info(
                "request.done {method} {path} {status} {duration:.3f} {response_id}",
                method=method,
                path=loggable(self.where),
                status=self.code,
                duration=took.total_seconds(),
                response_id=response_id,
                gone=self.gone,
            )

        _ = self.notifyFinish().addBoth(done)
        longest = self._api_site.bounds.uri_bytes
        if len(self.uri) > longest:
            error = UriTooLongError(f"path and query have at most {longest} bytes")
            self.answer(self._api_site.responder.refusal(error))
            return
        super().process()

    @property
    def body(self) -> bytes:
        """The whole body."""
        return cast("BytesIO", self.content).getvalue()

    def answer(self, answer: Answer) -> None:
        """Send the whole answer, if anybody is left to read it."""
        if not self.gone and not self.startedWriting:
            self.write(prepare(self, answer))
            self.finish()

    def write(self, data: bytes) -> None:
        """Write, under our own name."""
        if not self.startedWriting:
            self.setHeader(b"Server", SERVER)
        super().write(data)

    def connectionLost(self, reason: Failure) -> None:
        """Remember that there is nobody to answer any more."""
        self.gone = True
        self._let_go_after_work()
        super().connectionLost(reason)


class ApiSite(server.Site):
    """
    Serves one resource with bounded requests; logs through ``twisted.logger`` only.

    :param responder: words what this server itself has to refuse.
    :param admission: counts what is at work, for whoever wants to know.
    :param meter: is told of every answered request.
    :ivar held_bytes: of bodies that are arriving or at work.
    """

    protocol: Any = ApiChannel

    def __init__(
        self,
        resource: IResource,
        *,
        bounds: Bounds,
        responder: Responder,
        admission: Admission,
        reactor: IReactorTime,
        meter: RequestMeter,
    ) -> None:
        super().__init__(
            resource,
            requestFactory=ApiRequest,
            parsePOSTFormSubmission=False,
            reactor=reactor,
            timeout=bounds.idle.total_seconds(),
        )
        self.bounds = bounds
        self.responder = responder
        self.admission = admission
        self.meter = meter
        self.connections = Connections(bounds.connections)
        self.held_bytes = 0

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return a connection, or None when there are too many."""
        return super().buildProtocol(addr) if self.connections.make_room() else None

    def startFactory(self) -> None:
        """Start without an access log: ``request.done`` says more."""

    def stopFactory(self) -> None:
        """Stop; nothing was opened."""
