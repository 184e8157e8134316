"""Tests of the messenger: signed as customers can check, sent once, to web addresses only."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from treq.testing import StringStubbingResource, StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import (
    CloudError,
    InvalidRequestError,
    NotFoundError,
    ThrottledError,
    TransientError,
)
from otter.cloud.http import HttpClient
from otter.cloud.interface import Messenger
from otter.cloud.messenger import SignedMessenger, signature
from otter.models.ids import GroupId
from otter.models.signing import notify_key

Reply = tuple[int, dict[bytes, bytes], bytes]
GROUP = GroupId("g-1")


class SignedMessengerTests(SynchronousTestCase):
    """One delivery."""

    def setUp(self) -> None:
        """Make a clock that shows a plausible time."""
        self.clock = Clock()
        self.clock.advance(1_700_000_000.7)
        self.received: list[tuple[bytes, dict[bytes, list[bytes]], bytes]] = []

    def deliver(
        self,
        status: int = 200,
        headers: dict[bytes, bytes] | None = None,
        url: str = "https://hook.invalid/path?x=1",
    ) -> "Deferred[None]":
        """Deliver a message to a receiver that answers so."""

        def receive(
            method: bytes, _url: str, _params: Any, got: dict[bytes, list[bytes]], body: bytes
        ) -> Reply:
            self.received.append((method, got, body))
            return status, headers or {}, b"thanks"

        receiver: Callable[..., Reply] = receive
        requests: Any = StubTreq(StringStubbingResource(receiver))
        messenger: Messenger = SignedMessenger(
            HttpClient(requests, self.clock), "the deployment's secret", self.clock
        )
        return Deferred.fromCoroutine(
            messenger.deliver(
                url, message_id="m-1", event="scale.up", body=b'{"a":1}', group_id=GROUP
            )
        )

    def test_message_can_be_checked_by_the_receiver(self) -> None:
        """The scheme is standardwebhooks.com; libraries for it exist in every language."""
        self.successResultOf(self.deliver())

        ((method, headers, body),) = self.received
        key = base64.b64decode(notify_key("the deployment's secret", GROUP).removeprefix("whsec_"))
        digest = hmac.new(key, b"m-1.1700000000." + body, hashlib.sha256).digest()
        self.assertEqual((b"POST", b'{"a":1}'), (method, body))
        self.assertEqual([b"m-1"], headers[b"Webhook-Id"])
        self.assertEqual([b"1700000000"], headers[b"Webhook-Timestamp"])
        self.assertEqual([b"v1," + base64.b64encode(digest)], headers[b"Webhook-Signature"])
        self.assertEqual([b"application/json"], headers[b"Content-Type"])

    def test_any_success_will_do(self) -> None:
        """Receivers answer what their frameworks answer."""
        for status in (200, 201, 202, 204):
            self.assertIsNone(self.successResultOf(self.deliver(status)))

    def test_gone_receiver_is_not_found(self) -> None:
        """The owner has taken it away; no more messages are due."""
        for status in (404, 410):
            self.failureResultOf(self.deliver(status), NotFoundError)

    def test_other_refusals_may_pass(self) -> None:
        """A receiver that is being deployed answers anything, redirects included."""
        for status in (301, 400, 401, 500, 503):
            found = self.failureResultOf(self.deliver(status, {b"location": b"/"})).value

            self.assertIs(TransientError, type(found))
        self.assertEqual(5, len(self.received))

    def test_throttling_receiver_is_waited_for(self) -> None:
        """It says for how long."""
        found = self.failureResultOf(self.deliver(429, {b"retry-after": b"9"})).value

        assert isinstance(found, ThrottledError)
        self.assertEqual(timedelta(seconds=9), found.retry_after)

    def test_only_web_addresses(self) -> None:
        """Other schemes reach files and worse; names and passwords in URLs hide the host."""
        for url in (
            "ftp://hook.invalid/",
            "file:///etc/passwd",
            "hook.invalid",
            "http://",
            "http://:80/",
            "http://user:password@hook.invalid/",
            "http://hook.invalid:99999/",
            "http://[::1",
            "",
        ):
            found = self.failureResultOf(self.deliver(url=url)).value

            self.assertIs(InvalidRequestError, type(found))
            assert isinstance(found, CloudError)
            self.assertNotIn("password", found.message)
        self.assertEqual([], self.received)

    def test_signature_of_a_known_message(self) -> None:
        """The published example of the scheme."""
        self.assertEqual(
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            signature(
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1614265330,
                b'{"test": 2432232314}',
            ),
        )
