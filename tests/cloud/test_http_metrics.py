"""Exchanges are counted by service and by how they ended, whatever the other side says."""

from datetime import timedelta
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import NotSentError, TransientError
from otter.cloud.http import Answer, HttpClient
from otter.metrics import Metrics
from tests.cloud import test_http

LIMIT = timedelta(seconds=30)


class HttpMetricsTests(SynchronousTestCase):
    """One exchange each."""

    def setUp(self) -> None:
        """Start counting."""
        self.clock = Clock()
        self.metrics = Metrics()

    def exchange(self, requests: Any) -> "Deferred[Answer]":
        """Begin an exchange with compute."""
        client = HttpClient(requests, self.clock, timeout=LIMIT, metrics=self.metrics)
        work = client.named("compute").exchange("GET", "http://cloud.invalid/", headers={})
        return Deferred.fromCoroutine(work)

    def server(self, act: Any) -> StubTreq:
        """Return requests that meet a server that acts so."""
        return StubTreq(test_http.Scripted(act))

    def counted(self) -> dict[str, float]:
        """Return how often each outcome was counted."""
        outcomes = ("2xx", "5xx", "NotSentError", "TransientError", "CancelledError")
        found = {
            outcome: self.metrics.value(
                "otter_cloud_calls_total", service="compute", outcome=outcome
            )
            for outcome in outcomes
        }
        return {outcome: count for outcome, count in found.items() if count}

    def test_answers(self) -> None:
        """An answer counts by the class of its status."""
        for status in (200, 204, 503):

            def act(request: Any, status: int = status) -> None:
                request.setResponseCode(status)
                request.finish()

            self.successResultOf(self.exchange(self.server(act)))

        self.assertEqual(self.counted(), {"2xx": 2, "5xx": 1})

    def test_no_answer(self) -> None:
        """No answer counts by what that means; its duration is the time that was lost."""
        self.failureResultOf(self.exchange(test_http.Broken(Refused())), NotSentError)
        silent = self.exchange(self.server(lambda _: None))
        self.clock.advance(LIMIT.total_seconds())
        self.failureResultOf(silent, TransientError)

        self.assertEqual(self.counted(), {"NotSentError": 1, "TransientError": 1})
        self.assertEqual(
            self.metrics.value("otter_cloud_call_duration_seconds_sum", service="compute"), 30
        )

    def test_cancelled(self) -> None:
        """A caller that gives up is no fault of the cloud's, and counted apart."""
        giving_up = self.exchange(self.server(lambda _: None))
        giving_up.cancel()
        self.failureResultOf(giving_up)

        self.assertEqual(self.counted(), {"CancelledError": 1})
