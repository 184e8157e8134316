"""
The only place that knows threads: jobs go in from the reactor's thread, results come back to it.

A job that was handed over is performed whatever becomes of its caller: cancelling the ``Deferred``
(a client hung up) only means that nobody hears of the result.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Condition, Thread
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorThreads
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from otter.models.errors import StoreUnavailableError
from otter.models.sqlite.transactions import Job, is_outage, unavailable

T = TypeVar("T")
Waiting = tuple[Job[Any], Deferred[Any]]
Perform = Callable[[sqlite3.Connection, Sequence[Job[Any]]], list[Any]]


def in_some_thread(reactor: IReactorThreads, work: Callable[[], T]) -> Deferred[T]:
    """Do what happens once, when no thread of ours runs yet."""
    return deferToThreadPool(reactor, reactor.getThreadPool(), work)


class JobQueue:
    """Jobs waiting for a thread; when full or closed it refuses instead of growing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Waiting] = deque()
        self._closed = False
        self._changed = Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job: Job[T]) -> Deferred[T]:
        """
        Queue a job; its result arrives in the ``Deferred``.

        :raises StoreUnavailableError: too many are waiting, or the store is closed.
        """
        result: Deferred[T] = Deferred()
        with self._changed:
            if self._closed:
                raise StoreUnavailableError("the store is closed")
            if len(self._waiting) >= self._limit:
                raise StoreUnavailableError(f"{self._limit} jobs are waiting already")
            self._waiting.append((job, result))
            self._changed.notify()
        return result

    def take(self, most: int) -> list[Waiting]:
        """Wait for jobs and return up to ``most``; none once it is closed and empty."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def close(self) -> None:
        """Take no more jobs; those that wait are still handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Worker:
    """
    A thread with a connection of its own that performs jobs from a queue.

    After an outage it opens a new connection for the next jobs, so no restart is needed.

    :ivar ended: fires when the thread has performed its last job and closed its connection.
    """

    log = Logger()

    def __init__(
        self,
        reactor: IReactorFromThreads,
        queue: JobQueue,
        connect: Callable[[], sqlite3.Connection],
        perform: Perform,
        *,
        name: str,
        most: int,
        delivered: Callable[[int], None] | None = None,
    ) -> None:
        """``delivered`` is told how many jobs were performed together."""
        self._delivered = delivered
        self.ended: Deferred[None] = Deferred()
        self._reactor = reactor
        self._queue = queue
        self._connect = connect
        self._perform = perform
        self._most = most
        self._connection: sqlite3.Connection | None = None
        self._thread = Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; closing the queue ends it."""
        self._thread.start()

    def _serve(self) -> None:
        while waiting := self._queue.take(self._most):
            outcomes = self._outcomes([job for job, _ in waiting])
            self._reactor.callFromThread(self._deliver, waiting, outcomes)
        self._disconnect()
        self._reactor.callFromThread(self.ended.callback, None)

    def _outcomes(self, jobs: Sequence[Job[Any]]) -> list[Any]:
        try:
            if self._connection is None:
                self._connection = self._connect()
            return self._perform(self._connection, jobs)
        except Exception as error:  # noqa: BLE001 - every caller hears of it; the thread lives on
            self._disconnect()
            return [unavailable(error) if is_outage(error) else Failure() for _ in jobs]

    def _disconnect(self) -> None:
        """Close the connection, which undoes what it has not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _deliver(self, waiting: Sequence[Waiting], outcomes: Sequence[Any]) -> None:
        """Answer every caller; in the reactor's thread."""
        if self._delivered is not None:
            self._delivered(len(waiting))
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        for reason in {str(f.value) for f in failures if f.check(StoreUnavailableError)}:
            self.log.warn("store.unavailable {reason}", reason=reason)
        for (_, result), outcome in zip(waiting, outcomes, strict=True):
            result.callback(outcome)
