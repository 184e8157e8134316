"""Requests over a keystoneauth session, with a transport in memory."""

import io
from collections.abc import Callable
from typing import Any

import requests
from keystoneauth1 import exceptions as refused
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from requests.adapters import BaseAdapter
from twisted.trial.unittest import SynchronousTestCase

from otter.cli.exits import NotAllowedError, UnavailableError, UsageError
from otter.cli.remote import wire
from otter.cli.remote.interface import Reply
from otter.cli.remote.wire import SessionWire, translate
from tests.cli.scene import CAPABILITY, HASH

URL = "http://otter.test/v1.0/7042/groups"
TOKEN = "gAAAAA-secret-token"

Answer = Callable[[requests.PreparedRequest], tuple[int, dict[str, str], bytes | io.BytesIO]]


class MemoryAdapter(BaseAdapter):
    """
    Answers instead of a network.

    :param answer: decides what, or raises.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self.seen: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        """Answer a request."""
        self.seen.append(request)
        status, headers, body = self.answer(request)
        response = requests.Response()
        response.status_code = status
        response.headers.update(headers)
        response.raw = io.BytesIO(body) if isinstance(body, bytes) else body
        response.url = str(request.url)
        response.request = request
        return response

    def close(self) -> None:
        """Have nothing to close."""


def session_with(adapter: MemoryAdapter, auth: Any = None) -> Session:
    """Return a session whose requests all go to the adapter."""
    below = requests.Session()
    below.mount("http://", adapter)
    return Session(auth, session=below)


class SendTests(SynchronousTestCase):
    """One request and its answer."""

    def wire_that(self, answer: Answer) -> SessionWire:
        """Return a wire whose other end does this."""
        self.adapter = MemoryAdapter(answer)
        self.traced: list[str] = []
        return SessionWire(session_with(self.adapter, Token(URL, TOKEN)), self.traced.append)

    def test_token_and_body(self) -> None:
        """The token goes along, the body is JSON, and what is answered comes back as it is."""
        sent = self.wire_that(lambda _: (201, {}, '{"a": "ü"}'.encode()))
        reply = sent.send("POST", URL, {"n": 1})
        [seen] = self.adapter.seen

        self.assertEqual(Reply(201, '{"a": "ü"}'), reply)
        self.assertEqual(TOKEN, seen.headers["X-Auth-Token"])
        self.assertEqual("application/json", seen.headers["Content-Type"])
        self.assertEqual('{"n": 1}', seen.body)

    def test_anonymous(self) -> None:
        """A capability is all that its URL needs; the token is nobody's business there."""
        self.wire_that(lambda _: (202, {}, b"")).send("POST", CAPABILITY, anonymous=True)

        self.assertNotIn("X-Auth-Token", self.adapter.seen[0].headers)

    def test_errors_come_back(self) -> None:
        """What an error means is decided elsewhere; here it is an answer like any other."""
        self.assertEqual(
            Reply(503, "later"), self.wire_that(lambda _: (503, {}, b"later")).send("GET", URL)
        )

    def test_redirects_are_not_followed(self) -> None:
        """The token would go to wherever the answer says."""
        elsewhere = {"Location": "http://elsewhere.test/"}
        reply = self.wire_that(lambda _: (302, elsewhere, b"")).send("GET", URL)

        self.assertEqual(302, reply.status)
        self.assertEqual([URL], [request.url for request in self.adapter.seen])

    def test_endless_answer(self) -> None:
        """An answer that does not end does not fill the memory."""
        self.patch(wire, "BODY_MAX_BYTES", 1000)
        with self.assertRaisesRegex(UnavailableError, "too large"):
            self.wire_that(lambda _: (200, {}, b"x" * 1001)).send("GET", URL)

    def test_nobody_answers(self) -> None:
        """The reason is told, without the story of three libraries."""

        def refuse(_: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
            cause = ConnectionRefusedError(111, "Connection refused")
            raise requests.exceptions.ConnectionError("HTTPConnectionPool(host=…)") from cause

        with self.assertRaises(UnavailableError) as caught:
            self.wire_that(refuse).send("GET", URL)

        self.assertEqual(
            f"Unable to establish connection to {URL}: Connection refused", str(caught.exception)
        )

    def test_cut_off(self) -> None:
        """A connection that ends in the middle of an answer is no success."""

        class Broken(io.BytesIO):
            def read(self, *_: Any) -> bytes:
                raise requests.exceptions.ChunkedEncodingError("cut off")

        with self.assertRaises(UnavailableError):
            self.wire_that(lambda _: (200, {}, Broken())).send("GET", URL)

    def test_trace(self) -> None:
        """Whoever debugs sees what goes over the wire but nothing that would let them act."""
        body = f'{{"url": "{CAPABILITY}", "notifySecret": "whsec_abc="}}'
        headers = {"X-Subject-Token": TOKEN, "Content-Type": "application/json"}
        self.wire_that(lambda _: (200, headers, body.encode())).send(
            "POST", CAPABILITY, {"h": HASH}
        )
        shown = "\n".join(self.traced)

        for secret in (TOKEN, HASH, "whsec_abc"):
            self.assertNotIn(secret, shown)
        self.assertEqual(
            [
                "> POST http://otter.test/v1.0/execute/1/***/",
                "> Accept: application/json",
                "> Content-Type: application/json",
                "> X-Auth-Token: ***",
                '> {"h": "***"}',
                "< 200",
                "< X-Subject-Token: ***",
                "< Content-Type: application/json",
                '< {"url": "http://otter.test/v1.0/execute/1/***/", "notifySecret": "whsec_***="}',
            ],
            [line.replace('whsec_***"', 'whsec_***="') for line in self.traced],
        )


class TranslateTests(SynchronousTestCase):
    """What keystoneauth raises, in our words."""

    def test_kinds(self) -> None:
        """A wrong password, a missing option and a dead identity end a command differently."""
        rows = (
            (refused.Unauthorized(), NotAllowedError),
            (refused.Forbidden(), NotAllowedError),
            (refused.NotFound(), NotAllowedError),
            (refused.ServiceUnavailable(), UnavailableError),
            (refused.AuthorizationFailure(), NotAllowedError),
            (refused.NoMatchingPlugin("nonsense"), UsageError),
            (refused.DiscoveryFailure("x"), UnavailableError),
            (refused.ConnectTimeout("x"), UnavailableError),
            (refused.SSLError("x"), UnavailableError),
        )

        self.assertEqual([kind for _, kind in rows], [type(translate(error)) for error, _ in rows])

    def test_identitys_own_words(self) -> None:
        """What identity says about it is passed on, marked as identity's."""
        response = requests.Response()
        response.status_code = 401
        response.raw = io.BytesIO(b'{"error": {"code": 401, "message": "who?", "title": "T"}}')
        found = translate(refused.Unauthorized(response=response, http_status=401))

        self.assertEqual("identity: Unauthorized: who? (HTTP 401)", str(found))
