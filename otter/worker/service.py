"""The worker as a service: takes jobs from the bus, performs them, sends their results back."""

from random import Random

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from otter.bus.interface import Bus, Job, JobResult, Outcome
from otter.cloud.interface import CloudProvider
from otter.metrics import Metrics, Watched
from otter.timing import utc_now
from otter.worker.budget import Budget
from otter.worker.performing import Performer
from otter.worker.queue import FairQueue
from otter.worker.settings import WorkerSettings


class WorkerService(Service):
    """Performs jobs, as many at once as the settings allow."""

    log = Logger()

    def __init__(
        self,
        bus: Bus,
        provider: CloudProvider,
        clock: IReactorTime,
        settings: WorkerSettings,
        random: Random,
        metrics: Metrics | None = None,
    ) -> None:
        self._bus = bus
        self._clock = clock
        budget = Budget(clock, rate=settings.creates_per_second, size=settings.create_burst)
        self._performer = Performer(provider, clock, budget, settings, random)
        self._queue = FairQueue(
            settings.queue_limit, settings.concurrency, settings.tenant_concurrency
        )
        self._under_way: set[Deferred[None]] = set()
        self._starting = False
        self._metrics = metrics or Metrics()
        self._metrics.watch(Watched.JOBS_WAITING, lambda: self._queue.waiting)

    def startService(self) -> None:
        """Take jobs from now on."""
        super().startService()
        self._bus.on_job(self._accept)

    def stopService(self) -> Deferred[list[tuple[bool, None]]]:
        """Cut short what is under way; fires when all of it has ended."""
        super().stopService()
        waiting = list(self._under_way)
        for deferred in waiting:
            deferred.cancel()
        return DeferredList(waiting, consumeErrors=True)

    async def _accept(self, job: Job) -> None:
        if not self._queue.put(job):
            await self._bus.send_result(JobResult(job, Outcome.TRANSIENT, "too many jobs waiting"))
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Start what there is room for; a job, a late one say, may end before its start returns."""
        if self._starting:
            return
        self._starting = True
        while self.running and (job := self._queue.take()) is not None:
            self._start(job)
        self._starting = False

    def _start(self, job: Job) -> None:
        performing = Deferred.fromCoroutine(self._perform(job))
        self._under_way.add(performing)

        def ended(_: object) -> None:
            self._under_way.discard(performing)
            self._queue.done(job)
            self._start_waiting()

        _ = performing.addErrback(self._failed).addBoth(ended)

    async def _perform(self, job: Job) -> None:
        started = utc_now(self._clock)
        try:
            result = await self._performer.perform(job)
        except Exception as error:  # noqa: BLE001 - the supervisor must hear of the job's end
            if isinstance(error, CancelledError) and not self.running:
                return
            self.log.failure("job.crashed {job_id}", job_id=job.job_id)
            result = JobResult(job, Outcome.UNKNOWN, "internal error")
        took = utc_now(self._clock) - started
        self._metrics.job(type(job.step).__name__, result.outcome, took)
        await self._bus.send_result(result)

    def _failed(self, failure: Failure) -> None:
        self.log.failure("result.lost", failure)
