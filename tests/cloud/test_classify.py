"""Tests of the classification: total, and right for what each service is known to say."""

from datetime import UTC, datetime, timedelta

import simplejson
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.classify import (
    MESSAGE_SIZE_MAX,
    RETRY_AFTER_MAX,
    Service,
    classify,
    message_of,
    retry_after,
)
from otter.cloud.errors import (
    AccessDeniedError,
    AuthenticationError,
    CloudError,
    ConflictingRequestError,
    InvalidRequestError,
    NodeLimitError,
    NotFoundError,
    QuotaError,
    ThrottledError,
    TransientError,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COMPUTE, BALANCER, IDENTITY = Service.COMPUTE, Service.LOAD_BALANCER, Service.IDENTITY


def kind_of(
    service: Service, status: int, message: str = "", **headers: str
) -> type[CloudError] | None:
    """Return the class of what an answer means."""
    body = simplejson.dumps({"message": message}).encode() if message else b""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    error = classify(service, status, names, body, now=NOW)
    return None if error is None else type(error)


class ClassifyTests(SynchronousTestCase):
    """What an answer means."""

    @given(
        st.sampled_from(Service),
        st.integers(min_value=100, max_value=999),
        st.dictionaries(st.just("retry-after"), st.text(max_size=30)),
        st.binary(max_size=50) | st.just(b'{"message": "immutable node limit quota"}'),
    )
    def test_every_answer_means_one_thing(
        self, service: Service, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        """Success is exactly 2xx; anything else is one error of ours that knows its status."""
        error = classify(service, status, headers, body, now=NOW)

        self.assertEqual(200 <= status <= 299, error is None)
        if error is not None:
            self.assertIn(type(error), CloudError.__subclasses__())
            self.assertEqual(status, error.status)
            self.assertTrue(error.message)

    @given(st.sampled_from(Service), st.integers(min_value=500, max_value=599))
    def test_server_errors_leave_the_outcome_open(self, service: Service, status: int) -> None:
        """A server that erred may have done what it was asked."""
        self.assertIs(TransientError, kind_of(service, status))

    def test_common_statuses(self) -> None:
        """What a status means to every service."""
        expected = {
            200: None,
            202: None,
            204: None,
            302: TransientError,
            400: InvalidRequestError,
            401: AuthenticationError,
            403: AccessDeniedError,
            404: NotFoundError,
            405: InvalidRequestError,
            408: TransientError,
            409: ConflictingRequestError,
            410: NotFoundError,
            415: InvalidRequestError,
            429: ThrottledError,
            503: TransientError,
        }
        for service in Service:
            self.assertEqual(expected, {one: kind_of(service, one) for one in expected})

    def test_quota_is_told_by_prose(self) -> None:
        """Nova says 403 both for quota and for "you may not"."""
        quotas = (
            "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances",
            "Quota exceeded, too many servers in group.",
            "Maximum number of ports exceeded",
        )
        for message in quotas:
            self.assertIs(QuotaError, kind_of(COMPUTE, 403, message))
        denied = kind_of(COMPUTE, 403, "Policy doesn't allow os_compute_api to be performed.")
        self.assertIs(AccessDeniedError, denied)

    def test_over_limit_of_compute(self) -> None:
        """413 with a time to wait is throttling, without one it is quota."""
        self.assertIs(ThrottledError, kind_of(COMPUTE, 413, "slow", retry_after="5"))
        self.assertIs(QuotaError, kind_of(COMPUTE, 413, "Quota exceeded"))

    def test_over_limit_of_load_balancers(self) -> None:
        """413 is both rate and node limit, told apart by words; waiting helps only with one."""
        for message in ("Nodes must not exceed 25 per load balancer.", "Node limit reached"):
            self.assertIs(NodeLimitError, kind_of(BALANCER, 413, message))
        self.assertIs(ThrottledError, kind_of(BALANCER, 413, "OverLimit Retry..."))

    def test_unprocessable_of_load_balancers(self) -> None:
        """422 is busy, duplicate, gone or wrong, by words."""
        busy = "Load Balancer '4' has a status of '{}' and is considered immutable."
        expected = {
            busy.format("PENDING_UPDATE"): ConflictingRequestError,
            busy.format("ERROR"): ConflictingRequestError,
            "LoadBalancer is not ACTIVE": ConflictingRequestError,
            "Duplicate nodes detected. One or more nodes already configured on load balancer.": (
                ConflictingRequestError
            ),
            busy.format("PENDING_DELETE"): NotFoundError,
            "The load balancer is deleted and considered immutable.": NotFoundError,
            "The port is wrong": InvalidRequestError,
        }
        self.assertEqual(expected, {one: kind_of(BALANCER, 422, one) for one in expected})

    def test_proxy_page_is_not_the_service_speaking(self) -> None:
        """A 404 in HTML comes from something in front, and must not read as "server gone"."""
        page = b"<html><body>404 Not Found</body></html>"
        for service in (COMPUTE, BALANCER):
            error = classify(service, 404, {}, page, now=NOW)

            self.assertIsInstance(error, TransientError)

    def test_throttling_carries_the_time_to_wait(self) -> None:
        """The budget waits as long as the provider asks."""
        error = classify(COMPUTE, 429, {"retry-after": "30"}, b"", now=NOW)

        assert isinstance(error, ThrottledError)
        self.assertEqual(timedelta(seconds=30), error.retry_after)


class RetryAfterTests(SynchronousTestCase):
    """How long a header asks us to wait."""

    def test_seconds_and_dates(self) -> None:
        """Both spellings of the standard, and nothing unintelligible."""
        expected = {
            "0": timedelta(0),
            " 90 ": timedelta(seconds=90),
            "999999999": RETRY_AFTER_MAX,
            "Sun, 01 Mar 2026 12:00:30 GMT": timedelta(seconds=30),
            "Sun, 01 Mar 2026 11:00:00 GMT": timedelta(0),
            "Sun, 01 Mar 2099 11:00:00 GMT": RETRY_AFTER_MAX,
            "": None,
            "soon": None,
            "-5": None,
            "1.5": None,
        }
        self.assertEqual(expected, {one: retry_after(one, now=NOW) for one in expected})

    @given(st.text(max_size=60))
    def test_wait_is_bounded_whatever_the_header(self, value: str) -> None:
        """No provider can make us wait for ever, or fail."""
        wait = retry_after(value, now=NOW)

        self.assertTrue(wait is None or timedelta(0) <= wait <= RETRY_AFTER_MAX)


class MessageTests(SynchronousTestCase):
    """The provider's own words."""

    def test_words_are_found_where_services_put_them(self) -> None:
        """Below one key, at the top, in the details, and where Heat has them."""
        expected = {
            b'{"badRequest": {"message": "no", "code": 400}}': "no",
            b'{"message": "no", "code": 400}': "no",
            b'{"message": "bad", "validationErrors": {"messages": ["a", "b"]}}': "bad; a; b",
            b'{"error": "text"}': "",
            b'{"title": "Bad", "code": 400, "error": {"message": "no", "type": "X"}}': "no",
            b'{"message": "no", "code": 400, "error": "Bad"}': "no",
            b"<html>": "",
            b"[]": "",
            b"\xff": "",
            b"[" * 100_000: "",
        }
        self.assertEqual(expected, {one: message_of(one) for one in expected})

    def test_words_are_one_bounded_line(self) -> None:
        """They are shown to owners and logged, so they can neither forge lines nor flood."""
        body = simplejson.dumps({"message": "a\n\x1b[31mb" + "x" * 10_000}).encode()
        message = message_of(body)

        self.assertTrue(message.startswith("a [31mb"))
        self.assertEqual(MESSAGE_SIZE_MAX, len(message))
