"""
One HTTP exchange with a provider: bounded in time and in size, every failure named.

Note [The whole exchange]
    treq's own timeout ends when the headers arrive, and what it cancels surfaces as
    ``ResponseNeverReceived`` around a ``CancelledError``. So the time is taken around the whole
    coroutine, body included, and a cancellation wrapped in a transport's error is unwrapped: our
    timeout becomes ``TransientError``, a cancellation from outside stays one.
"""

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

import simplejson
from attrs import field, frozen
from twisted.internet import defer, error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import RequestNotSent  # its public module does not re-export it
from twisted.web.client import (
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.error import SchemeNotSupported
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse

from otter.cloud.errors import CloudError, InvalidRequestError, NotSentError, TransientError
from otter.cloud.guard import ForbiddenAddressError
from otter.metrics import Metrics, status_class
from otter.timing import utc_now

BODY_LIMIT_BYTES = 8 * 1024 * 1024
EXCHANGE_TIMEOUT = timedelta(seconds=60)

# Nothing was sent: no connection, or no request that could be put on one.
_NOT_SENT = (
    error.ConnectError,
    error.DNSLookupError,
    RequestNotSent,
    SchemeNotSupported,
    ValueError,
)
# Something may have been sent; there is no whole answer.
_BROKEN = (
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    error.ConnectionClosed,
)


class Requests(Protocol):
    """What is used of treq: an ``HTTPClient``, or ``treq.testing.StubTreq``."""

    def request(self, *arguments: Any, **keywords: Any) -> "Deferred[Any]":
        """See ``treq.request``."""


@frozen
class Answer:
    """
    A whole answer.

    :ivar headers: names in lower case; of a repeated header the last one counts.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")

    def json(self) -> Any:
        """
        Return the document in the body; numbers with a fraction are Decimals.

        :raises TransientError: it is not JSON; what the call did is unknown.
        """
        try:
            return simplejson.loads(self.body, use_decimal=True)
        except (ValueError, RecursionError):
            raise TransientError("the answer is not JSON", status=self.status) from None


@contextmanager
def reading(what: str) -> Iterator[None]:
    """
    Name the failure of taking a document apart.

    :raises TransientError: the document is not shaped as expected.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as cause:
        raise TransientError(f"unreadable {what}") from cause


class HttpClient:
    """
    Performs exchanges.

    :param requests: treq's client; it must not retry by itself.
    :param timeout: for connecting, sending, headers and body together.
    :param service: what the metrics call whoever answers.
    """

    def __init__(
        self,
        requests: Requests,
        clock: IReactorTime,
        *,
        timeout: timedelta = EXCHANGE_TIMEOUT,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        metrics: Metrics | None = None,
        service: str = "other",
    ) -> None:
        self._requests = requests
        self._metrics = metrics or Metrics()
        self._service = service
        self._clock = clock
        self._timeout = timeout
        self._body_limit_bytes = body_limit_bytes

    def named(self, service: str) -> "HttpClient":
        """Return a client that differs only in what the metrics call whoever answers."""
        return HttpClient(
            self._requests,
            self._clock,
            timeout=self._timeout,
            body_limit_bytes=self._body_limit_bytes,
            metrics=self._metrics,
            service=service,
        )

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        discard: bool = False,
    ) -> Answer:
        """
        Send a request and return the answer, whatever its status; redirects are not followed.

        :param discard: whether the body is of no interest; the connection is then closed.
        :raises NotSentError: the request never left.
        :raises TransientError: there is no whole answer.
        :raises InvalidRequestError: the address is forbidden.
        """
        started, outcome = utc_now(self._clock), "CancelledError"
        try:
            work = self._exchange(method, url, headers, params, body, discard=discard)
            answer = await self._in_time(work)
            outcome = status_class(answer.status)
        except CloudError as why:
            outcome = type(why).__name__
            raise
        finally:
            self._metrics.cloud_call(self._service, outcome, utc_now(self._clock) - started)
        return answer

    async def _in_time(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        seconds = self._timeout.total_seconds()
        whole = Deferred.fromCoroutine(work).addTimeout(seconds, self._clock)
        try:
            return await whole
        except defer.TimeoutError:
            raise TransientError(f"no whole answer within {seconds:g} seconds") from None

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: Sequence[tuple[str, str]],
        body: bytes | None,
        *,
        discard: bool,
    ) -> Answer:
        try:
            response = await self._requests.request(
                method,
                url,
                headers={name: [value] for name, value in headers.items()},
                params=list(params) or None,
                data=body,
                allow_redirects=False,
                unbuffered=True,
                reactor=self._clock,
            )
        except (error.ConnectingCancelledError, *_NOT_SENT, *_BROKEN, ForbiddenAddressError) as why:
            raise _named(why) from None
        try:
            content = await _body(response, 0 if discard else self._body_limit_bytes)
        except (*_NOT_SENT, *_BROKEN) as why:
            named = _named(why)
            if isinstance(named, CancelledError):
                raise named from None
            # Whatever the transport calls it, the request was sent.
            raise TransientError(f"no whole answer: {type(why).__name__}") from None
        if content is None and not discard:
            raise TransientError("the answer is too large", status=response.code)
        return Answer(response.code, _headers(response), content or b"")


def _named(why: Exception) -> Exception:
    """Return the error that says what a transport's error means; its text holds no URL."""
    reasons = [failure.value for failure in getattr(why, "reasons", ())]
    cancelled = (CancelledError, error.ConnectingCancelledError)
    if isinstance(why, cancelled) or any(isinstance(reason, cancelled) for reason in reasons):
        return CancelledError()
    if isinstance(why, ForbiddenAddressError):
        return InvalidRequestError("the address is not on the public network")
    kind: type[CloudError] = NotSentError if isinstance(why, _NOT_SENT) else TransientError
    names = " ".join(type(reason).__name__ for reason in (why, *reasons))
    return kind(f"no answer: {names}")


def _headers(response: IResponse) -> dict[str, str]:
    pairs = response.headers.getAllRawHeaders()
    return {name.decode("latin-1").lower(): values[-1].decode("latin-1") for name, values in pairs}


def _body(response: IResponse, limit_bytes: int) -> "Deferred[bytes | None]":
    """Read a body; None if it is longer than the limit, and the connection is then closed."""
    collector = _Collector(limit_bytes)
    response.deliverBody(collector)
    return collector.finished


class _Collector(TwistedProtocol):
    """Collects a body up to a limit; closes the connection when cancelled or beyond the limit."""

    def __init__(self, limit_bytes: int) -> None:
        self._left_bytes = limit_bytes
        self._chunks: list[bytes] = []
        self.finished: Deferred[bytes | None] = Deferred(lambda _cancelled: self._close())

    def connectionMade(self) -> None:
        """Do not wait for a body that nobody wants: its sender could take all day."""
        if self._left_bytes == 0:
            self._finish_early()

    def dataReceived(self, data: bytes) -> None:
        """Keep a chunk."""
        if self.finished.called:
            return
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._chunks.clear()
            self._finish_early()
            return
        self._chunks.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand over the whole body; one that ends with the connection counts as whole."""
        if self.finished.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.finished.callback(b"".join(self._chunks))
        else:
            self.finished.errback(reason)

    def _finish_early(self) -> None:
        self.finished.callback(None)
        self._close()

    def _close(self) -> None:
        if self.transport is not None:
            abort = getattr(self.transport, "abortConnection", self.transport.loseConnection)
            abort()
