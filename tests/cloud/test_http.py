"""Tests of one HTTP exchange: always an end, always a name for it, never too much."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from treq.testing import StubTreq
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import RequestTransmissionFailed, ResponseFailed, ResponseNeverReceived
from twisted.web.error import SchemeNotSupported
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from otter.cloud.errors import InvalidRequestError, NotSentError, TransientError
from otter.cloud.guard import ForbiddenAddressError
from otter.cloud.http import Answer, HttpClient, reading

SECRET_URL = "http://cloud.invalid/tokens/very-secret"
LIMIT_BYTES = 1000


class Scripted(Resource):
    """A resource that does what it is told and says nothing by itself."""

    isLeaf = True

    def __init__(self, act: Callable[[Any], None]) -> None:
        super().__init__()
        self._act = act
        self.request: Any = None
        self.content = b""
        self.gone: list[Failure] = []

    def _finished(self, result: object) -> None:
        if isinstance(result, Failure):
            self.gone.append(result)

    def render(self, request: Request) -> Any:
        """Act."""
        self.request = request
        self.content = cast("Any", request).content.read()
        finished: Deferred[Any] = request.notifyFinish()
        self.finished = finished.addBoth(self._finished)
        self._act(request)
        return NOT_DONE_YET


class Broken:
    """Requests that fail in one way."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def request(self, method: str, url: str, **keywords: Any) -> "Deferred[Any]":
        """Fail."""
        return fail(self._failure)


class Unreachable:
    """Requests that raise at once, as treq does for a URL it cannot read."""

    def request(self, method: str, url: str, **keywords: Any) -> "Deferred[Any]":
        """Raise."""
        raise ValueError(f"Invalid URI {url}")


class ExchangeTests(SynchronousTestCase):
    """An exchange over a connection in memory."""

    def setUp(self) -> None:
        """Make a clock."""
        self.clock = Clock()

    def exchange(self, act: Callable[[Any], None], *, discard: bool = False) -> "Deferred[Answer]":
        """Start an exchange with a server that acts so."""
        self.server = Scripted(act)
        self.treq = StubTreq(self.server)
        treq: Any = self.treq
        client = HttpClient(
            treq, self.clock, timeout=timedelta(seconds=30), body_limit_bytes=LIMIT_BYTES
        )
        work = client.exchange(
            "POST",
            "http://cloud.invalid/a%2Fb",
            headers={"x-one": "1"},
            params=[("id", "1"), ("id", "2")],
            body=b"hello",
            discard=discard,
        )
        return Deferred.fromCoroutine(work)

    def test_answer_of_any_status_is_an_answer(self) -> None:
        """What a status means is decided elsewhere."""

        def act(request: Any) -> None:
            request.setResponseCode(418)
            request.setHeader("X-Two", "2")
            request.write(b'{"a": 1.10}')
            request.finish()

        answer = self.successResultOf(self.exchange(act))

        self.assertEqual((418, "2"), (answer.status, answer.headers["x-two"]))
        self.assertEqual({"a": Decimal("1.10")}, answer.json())

    def test_request_arrives_as_given(self) -> None:
        """Quoted paths, repeated parameters, headers and body survive the way."""
        self.successResultOf(self.exchange(lambda request: request.finish()))

        request = self.server.request
        self.assertEqual(b"/a%2Fb?id=1&id=2", request.uri)
        self.assertEqual(("1", b"hello"), (request.getHeader("x-one"), self.server.content))

    def test_redirects_are_not_followed(self) -> None:
        """Our token is sent to nobody but the endpoint it is meant for."""

        def act(request: Any) -> None:
            request.setResponseCode(302)
            request.setHeader("location", "http://elsewhere.invalid/")
            request.finish()

        self.assertEqual(302, self.successResultOf(self.exchange(act)).status)

    def test_silent_peer_times_out(self) -> None:
        """A peer that accepts and says nothing leaves the outcome open, after a bounded time."""
        answer = self.exchange(lambda _request: None)
        self.clock.advance(29.9)
        self.assertNoResult(answer)
        self.clock.advance(0.2)

        reason = self.failureResultOf(answer, TransientError).value
        self.assertFalse(reason.definite)
        self.treq.flush()
        self.assertEqual(1, len(self.server.gone))

    def test_peer_that_stalls_in_the_body_times_out(self) -> None:
        """The timeout of treq ends with the headers; ours does not, and closes the connection."""

        def act(request: Any) -> None:
            request.setHeader("content-length", "100")
            request.write(b"begun")

        answer = self.exchange(act)
        self.clock.advance(29.9)
        self.assertNoResult(answer)
        self.clock.advance(0.2)

        self.failureResultOf(answer, TransientError)
        self.treq.flush()
        self.assertEqual(1, len(self.server.gone))

    def test_no_timer_is_left_behind(self) -> None:
        """A timer per finished call would add up."""
        self.successResultOf(self.exchange(lambda request: request.finish()))

        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancellation_from_outside_passes_through(self) -> None:
        """Whoever gives up must not be told that the cloud failed, headers seen or not."""

        def begin(request: Any) -> None:
            request.setHeader("content-length", "100")
            request.write(b"begun")

        for act in (lambda _request: None, begin):
            answer = self.exchange(act)
            answer.cancel()

            self.failureResultOf(answer, CancelledError)
            self.treq.flush()
            self.assertEqual(1, len(self.server.gone))

    def test_body_beyond_the_limit_is_refused(self) -> None:
        """A body without end cannot fill our memory; its connection is closed at once."""

        def act(request: Any) -> None:
            request.write(b"x" * (LIMIT_BYTES + 1))

        answer = self.exchange(act)

        self.assertIn("too large", str(self.failureResultOf(answer, TransientError).value))
        self.treq.flush()
        self.assertEqual(1, len(self.server.gone))

    def test_body_at_the_limit_is_taken(self) -> None:
        """The limit itself is allowed."""

        def act(request: Any) -> None:
            request.write(b"x" * LIMIT_BYTES)
            request.finish()

        self.assertEqual(LIMIT_BYTES, len(self.successResultOf(self.exchange(act)).body))

    def test_truncated_body_is_no_answer(self) -> None:
        """Half a listing would look like missing servers."""

        def act(request: Any) -> None:
            request.setHeader("content-length", "100")
            request.write(b"begun")
            request.transport.loseConnection()

        self.failureResultOf(self.exchange(act), TransientError)

    def test_unwanted_body_is_not_waited_for(self) -> None:
        """The status is the whole answer; a slow sender cannot turn it into a failure."""

        def act(request: Any) -> None:
            request.setHeader("content-length", "100")
            request.write(b"")

        answer = self.successResultOf(self.exchange(act, discard=True))

        self.assertEqual((200, b""), (answer.status, answer.body))
        self.treq.flush()
        self.assertEqual(1, len(self.server.gone))


class NamingTests(SynchronousTestCase):
    """Every failure of a transport has one name of ours."""

    def failure_of(self, requests: Any) -> Exception:
        """Return the error of an exchange."""
        client = HttpClient(requests, Clock())
        work = client.exchange("GET", SECRET_URL, headers={"x-auth-token": "also-secret"})
        value = self.failureResultOf(Deferred.fromCoroutine(work)).value
        assert isinstance(value, Exception)
        return value

    def test_what_never_left_is_definite(self) -> None:
        """Nothing was sent, so a create that failed thus can be repeated without looking."""
        for why in (
            error.ConnectionRefusedError(),
            error.DNSLookupError(),
            error.NoRouteError(),
            error.TCPTimedOutError(),
            error.TimeoutError(),
            SchemeNotSupported(),
        ):
            found = self.failure_of(Broken(why))

            self.assertIs(NotSentError, type(found))
        self.assertIs(NotSentError, type(self.failure_of(Unreachable())))

    def test_what_broke_on_the_way_is_open(self) -> None:
        """Something may have arrived."""
        lost = Failure(error.ConnectionLost())
        for why in (
            ResponseNeverReceived([lost]),
            ResponseFailed([lost]),
            RequestTransmissionFailed([lost]),
            error.ConnectionLost(),
            error.ConnectionDone(),
        ):
            found = self.failure_of(Broken(why))

            self.assertIs(TransientError, type(found))

    def test_cancellation_in_disguise_is_unmasked(self) -> None:
        """What treq wraps is still a cancellation; taking it for a lost connection swallows it."""
        cancelled = Failure(CancelledError())
        for why in (
            ResponseNeverReceived([cancelled]),
            RequestTransmissionFailed([cancelled]),
            error.ConnectingCancelledError(None),
        ):
            found = self.failure_of(Broken(why))

            self.assertIs(CancelledError, type(found))

    def test_forbidden_address_is_not_worth_another_try(self) -> None:
        """The owner has to change the URL."""
        found = self.failure_of(Broken(ForbiddenAddressError()))

        self.assertIs(InvalidRequestError, type(found))

    def test_errors_of_ours_are_not_hidden(self) -> None:
        """A mistake in the program must not pass for a failing cloud."""
        self.assertIs(ZeroDivisionError, type(self.failure_of(Broken(ZeroDivisionError()))))

    def test_no_url_and_no_header_in_errors(self) -> None:
        """Identity v2.0 has tokens in its URLs."""
        lost = Failure(error.ConnectionLost())
        for requests in (Unreachable(), Broken(ResponseFailed([lost]))):
            found = self.failure_of(requests)

            self.assertNotIn("secret", f"{found} {found!r}")


class AnswerTests(SynchronousTestCase):
    """Documents in answers."""

    def test_what_is_not_json_is_unreadable(self) -> None:
        """An unreadable answer leaves open what the call did."""
        for body in (b"", b"<html>", b"\xff", b"[" * 100_000):
            self.assertRaises(TransientError, Answer(200, {}, body).json)

    def test_secrets_are_not_in_the_representation(self) -> None:
        """Headers and body of identity hold tokens."""
        answer = Answer(200, {"x-subject-token": "secret"}, b"secret")

        self.assertNotIn("secret", repr(answer))

    def test_unexpected_shape_is_unreadable(self) -> None:
        """Taking a document apart fails in one way; other errors are not touched."""
        with self.assertRaises(TransientError), reading("thing"):
            dict[str, str]()["absent"]
        with self.assertRaises(CancelledError), reading("thing"):
            raise CancelledError
