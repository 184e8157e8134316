"""The worker as a service: jobs in, results out."""

from collections.abc import Awaitable
from random import Random

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import CreateServerJob, Job, JobResult, Outcome
from otter.bus.local import LocalBus
from otter.cloud.fake import FakeProvider
from otter.models.ids import ServerId
from otter.worker.service import WorkerService
from otter.worker.settings import WorkerSettings
from tests.worker.world import CREATE, START, TENANT, a_job, begin, delete, secs


class ServiceCase(SynchronousTestCase):
    """A worker between a bus and a cloud."""

    settings = WorkerSettings()

    def setUp(self) -> None:
        """Start a worker."""
        self.clock = Clock()
        self.clock.advance(START)
        self.bus = LocalBus(self.clock)
        self.provider = FakeProvider(self.clock)
        self.results: list[JobResult] = []
        self.bus.on_result(self.keep)
        self.worker = WorkerService(self.bus, self.provider, self.clock, self.settings, Random(1))
        self.worker.startService()

    async def keep(self, result: JobResult) -> None:
        """Keep a result."""
        self.results.append(result)

    def send(self, *jobs: Job) -> None:
        """Send jobs, and let everything happen that takes no time."""
        for job in jobs:
            _ = begin(lambda job=job: self.bus.send_job(job))  # type: ignore[misc]
        self.turn()

    def turn(self) -> None:
        """Take some turns of the reactor."""
        for _ in range(4):
            self.clock.advance(0)

    def outcomes(self) -> dict[str, Outcome]:
        """Return the outcomes by job."""
        return {result.job.job_id: result.outcome for result in self.results}

    def begun(self, tenant: str = TENANT) -> int:
        """Return how many creates a tenant's cloud was asked for."""
        return self.provider.cloud_for(type(TENANT)(tenant)).counts["create_server"]


class WorkTests(ServiceCase):
    """Performing."""

    def test_every_job_is_answered_once(self) -> None:
        """What failed like what worked."""
        self.provider.cloud_for(TENANT).servers.quota = 1
        self.send(*(a_job(name=str(n), key=str(n)) for n in range(3)))

        self.assertEqual(
            self.outcomes(), {"0": Outcome.DONE, "1": Outcome.QUOTA, "2": Outcome.QUOTA}
        )
        self.assertEqual(len(self.results), 3)

    def test_jobs_of_one_server_run_one_after_the_other(self) -> None:
        """Its deletion waits until its creation has been answered."""
        self.provider.cloud_for(TENANT).latency = secs(2)
        self.send(a_job(name="create"), a_job(delete(ServerId("s")), "delete"))
        self.clock.advance(1)

        self.assertEqual(self.begun(), 1)
        self.assertEqual(self.provider.cloud_for(TENANT).counts["delete_server"], 0)
        for _ in range(4):
            self.clock.advance(1)
        self.turn()
        self.assertEqual([r.job.job_id for r in self.results], ["create", "delete"])

    def test_a_crash_of_ours_answers_unknown(self) -> None:
        """Nobody knows what happened in the cloud, and the supervisor must not wait for ever."""

        async def crash(_: object) -> None:
            raise ZeroDivisionError("a bug")

        self.patch(self.provider.cloud_for(TENANT), "create_server", crash)
        self.send(a_job())

        self.assertEqual(self.outcomes(), {"job": Outcome.UNKNOWN})
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_a_wait_somebody_else_cancelled_answers_unknown(self) -> None:
        """A connection pool that is closed cancels calls; the worker goes on."""
        shared: Deferred[None] = Deferred()

        def wait(_: object) -> Awaitable[None]:
            return shared

        self.patch(self.provider.cloud_for(TENANT), "create_server", wait)
        self.send(a_job())
        shared.cancel()
        self.turn()

        self.assertEqual(self.outcomes(), {"job": Outcome.UNKNOWN})
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1)

    def test_a_crash_does_not_hold_its_place(self) -> None:
        """The next job of the same server runs."""

        async def crash(_: object) -> None:
            raise ZeroDivisionError("a bug")

        self.patch(self.provider.cloud_for(TENANT), "create_server", crash)
        self.send(a_job(name="a"), a_job(delete(ServerId("s")), "b"))

        self.assertEqual(self.outcomes(), {"a": Outcome.UNKNOWN, "b": Outcome.DONE})
        self.flushLoggedErrors(ZeroDivisionError)

    def test_a_result_that_cannot_be_sent_is_logged(self) -> None:
        """The supervisor finds out by looking; the worker goes on."""

        async def broken(_: object) -> None:
            raise ConnectionError("no bus")

        self.patch(self.bus, "send_result", broken)
        self.send(a_job(name="a"), a_job(name="b"))

        self.assertEqual(self.begun(), 2)
        self.assertEqual(len(self.flushLoggedErrors(ConnectionError)), 2)


class BoundTests(ServiceCase):
    """Bounds and fairness."""

    settings = WorkerSettings(concurrency=3, tenant_concurrency=2, queue_limit=4)

    def test_what_does_not_fit_is_answered_at_once(self) -> None:
        """Nothing happened; the planner tries again later."""
        self.provider.cloud_for(TENANT).latency = secs(10)
        self.send(*(a_job(name=str(n), key=str(n)) for n in range(9)))

        self.assertEqual(self.outcomes(), dict.fromkeys(("6", "7", "8"), Outcome.TRANSIENT))

    def test_a_slow_tenant_leaves_places_for_others(self) -> None:
        """Its jobs hang; another tenant's are performed at once (S8)."""
        self.provider.cloud_for(TENANT).latency = secs(1000)
        self.send(*(a_job(name=str(n), key=str(n)) for n in range(4)))
        self.send(a_job(name="other", tenant="other"))

        self.assertEqual(self.outcomes(), {"other": Outcome.DONE})

    def test_waiting_jobs_follow_when_others_end(self) -> None:
        """All of them, in turn."""
        self.provider.cloud_for(TENANT).latency = secs(1)
        self.send(*(a_job(name=str(n), key=str(n)) for n in range(6)))
        for _ in range(20):
            self.clock.advance(0.5)

        self.assertEqual(self.outcomes(), dict.fromkeys("012345", Outcome.DONE))

    def test_jobs_that_became_late_while_waiting_keep_no_place(self) -> None:
        """However many end without a wait after a long outage, the worker takes the next one."""
        settings = WorkerSettings(concurrency=1)
        worker = WorkerService(self.bus, self.provider, self.clock, settings, Random(1))
        worker.startService()
        self.provider.cloud_for(TENANT).latency = secs(100)
        self.send(*(a_job(name=str(n), key=str(n)) for n in range(1000)))
        for _ in range(20):
            self.clock.advance(10)
        self.turn()
        self.provider.cloud_for(TENANT).latency = secs(0)
        self.send(a_job(name="next", seconds=1000))

        late = dict.fromkeys((str(n) for n in range(1, 1000)), Outcome.TRANSIENT)
        self.assertEqual(self.outcomes(), {"0": self.outcomes()["0"], **late, "next": Outcome.DONE})


class StopTests(ServiceCase):
    """Ending."""

    def test_stopping_cuts_short_what_is_under_way(self) -> None:
        """It ends when all of it has; no timer is left, nothing is reported."""
        self.provider.cloud_for(TENANT).latency = secs(10)
        self.send(*(a_job(name=str(n), key=str(n)) for n in range(3)))
        stopping = self.worker.stopService()

        self.successResultOf(stopping)
        self.turn()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.results, [])

    def test_a_stopped_worker_starts_nothing(self) -> None:
        """Neither what waited nor what still comes in."""
        self.successResultOf(self.worker.stopService())
        self.send(a_job())

        self.assertEqual(self.begun(), 0)

    def test_stopping_an_idle_worker_is_over_at_once(self) -> None:
        """There is nothing to wait for."""
        self.assertEqual(self.successResultOf(self.worker.stopService()), [])

    def test_jobs_are_taken_from_the_start_on(self) -> None:
        """Not before."""
        bus = LocalBus(self.clock)
        _ = WorkerService(bus, self.provider, self.clock, self.settings, Random(1))
        _ = begin(lambda: bus.send_job(a_job()))
        self.turn()

        self.assertEqual(self.begun(), 0)
        self.assertIsInstance(CREATE, CreateServerJob)
