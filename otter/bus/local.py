"""A bus within one process: messages are handed over on a later turn of the reactor."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from otter.bus.interface import (
    Job,
    JobHandler,
    JobResult,
    Notice,
    NoticeHandler,
    ResultHandler,
)

Message = TypeVar("Message")

CAPACITY = 100_000
"""Messages being handed over or handled at the same time; more are dropped, and logged."""


class LocalBus:
    """
    Keeps the promises of ``Bus`` for roles that share a process; ``clock`` gives the later turns.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._under_way = 0
        self._notices: NoticeHandler | None = None
        self._jobs: JobHandler | None = None
        self._results: ResultHandler | None = None

    def on_notice(self, handler: NoticeHandler) -> None:
        """Deliver notices to ``handler``."""
        self._notices = handler

    def on_job(self, handler: JobHandler) -> None:
        """Deliver jobs to ``handler``."""
        self._jobs = handler

    def on_result(self, handler: ResultHandler) -> None:
        """Deliver results to ``handler``."""
        self._results = handler

    async def send_notice(self, notice: Notice) -> None:
        """Hint that a group wants looking at."""
        self._hand_over(self._notices, notice)

    async def send_job(self, job: Job) -> None:
        """Hand a job to this process's worker."""
        self._hand_over(self._jobs, job)

    async def send_result(self, result: JobResult) -> None:
        """Tell this process's supervisor."""
        self._hand_over(self._results, result)

    def _hand_over(
        self, handler: Callable[[Message], Awaitable[None]] | None, message: Message
    ) -> None:
        if handler is None:  # no such role in this process
            return
        if self._under_way >= self._capacity:
            self.log.warn("message.dropped {kind}", kind=type(message).__name__)
            return
        self._under_way += 1
        self._clock.callLater(0, self._deliver, handler, message)

    def _deliver(self, handler: Callable[[Message], Awaitable[None]], message: Message) -> None:
        async def handle() -> None:
            await handler(message)

        _ = Deferred.fromCoroutine(handle()).addErrback(self._failed).addBoth(self._done)

    def _failed(self, failure: Failure) -> None:
        self.log.failure("message.failed", failure)

    def _done(self, _: object) -> None:
        self._under_way -= 1
