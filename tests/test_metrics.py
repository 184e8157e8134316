"""What is measured, by which bounded names, and how it is shown."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.metrics import Census, Metrics, Watched, status_class

SECOND = timedelta(seconds=1)


class MetricsTests(SynchronousTestCase):
    """Recording and showing."""

    def setUp(self) -> None:
        """Start with nothing."""
        self.metrics = Metrics()

    def test_what_happens(self) -> None:
        """Each thing that happened counts once, and durations add up in seconds."""
        m = self.metrics
        m.request("GET", "/v1.0/<tenant>/groups", 404, SECOND)
        m.execution("webhook", "cooldown")
        m.cycle(2 * SECOND)
        m.postponed("TransientError")
        m.job("CreateServerJob", "done", 3 * SECOND)
        m.cloud_call("compute", "5xx", 4 * SECOND)
        m.notification("failed")
        m.commit(17)
        route = {"method": "GET", "route": "/v1.0/<tenant>/groups"}

        self.assertEqual(
            [
                m.value("otter_requests_total", status="4xx", **route),
                m.value("otter_request_duration_seconds_sum", **route),
                m.value("otter_executions_total", source="webhook", outcome="cooldown"),
                m.value("otter_cycle_duration_seconds_sum"),
                m.value("otter_cycle_duration_seconds_count"),
                m.value("otter_cycles_postponed_total", reason="TransientError"),
                m.value("otter_jobs_total", step="CreateServerJob", outcome="done"),
                m.value("otter_job_duration_seconds_sum", step="CreateServerJob"),
                m.value("otter_cloud_calls_total", service="compute", outcome="5xx"),
                m.value("otter_cloud_call_duration_seconds_sum", service="compute"),
                m.value("otter_notifications_total", outcome="failed"),
                m.value("otter_store_commit_size_sum"),
            ],
            [1, 1, 1, 2, 1, 1, 1, 3, 1, 4, 1, 17],
        )

    def test_what_is_looked_up(self) -> None:
        """Gauges tell how it is when somebody asks, not how it was when they were made."""
        waiting = [1]
        self.metrics.watch(Watched.JOBS_WAITING, lambda: waiting[0])
        waiting[0] = 5

        self.assertEqual(self.metrics.value("otter_jobs_waiting"), 5)

    def test_census(self) -> None:
        """Zeros before the first census; afterwards what it found, and when."""
        found: list[Census] = []
        self.metrics.watch_census(lambda: found[-1] if found else None)
        names = ("groups", "policies", "webhooks", "census_timestamp_seconds")

        before = [self.metrics.value(f"otter_{name}") for name in names]
        found.append(Census(1, 2, 3, 1_900_000_000))
        after = [self.metrics.value(f"otter_{name}") for name in names]

        self.assertEqual((before, after), ([0, 0, 0, 0], [1, 2, 3, 1_900_000_000]))

    def test_of_their_own(self) -> None:
        """Two of them share nothing, so that services in one process, or test, do not mix."""
        self.metrics.notification("failed")

        self.assertEqual(Metrics().value("otter_notifications_total", outcome="failed"), 0)

    def test_exposition(self) -> None:
        """Prometheus's own format unless another is asked for; the process is measured too."""
        body, content_type = self.metrics.exposition("text/plain")

        self.assertTrue(content_type.startswith("text/plain; version="))
        self.assertIn(b"# TYPE otter_requests_total counter\n", body)
        self.assertIn(b"process_resident_memory_bytes", body)

    @given(st.integers())
    def test_status_class(self, status: int) -> None:
        """Whatever number somebody else's server calls a status, there are only six labels."""
        self.assertIn(status_class(status), {"1xx", "2xx", "3xx", "4xx", "5xx", "other"})
