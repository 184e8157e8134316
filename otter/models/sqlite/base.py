"""What all families of tables share: how jobs are handed over and how records are written down."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from twisted.internet.defer import DeferredList
from twisted.internet.interfaces import IReactorThreads

from otter.models.activity import Activity, Deployment, Notification
from otter.models.codec import Codec, make_codec
from otter.models.group import Group, LaunchConfig
from otter.models.ledger import Convergence, LedgerEntry
from otter.models.policy import Policy, Schedule, Webhook
from otter.models.sqlite.connections import Database
from otter.models.sqlite.errors import DatabaseUnusableError
from otter.models.sqlite.lock import FileLock
from otter.models.sqlite.migrations import load_migrations, migrate
from otter.models.sqlite.threads import JobQueue, Worker, in_some_thread
from otter.models.sqlite.transactions import Job, commit_together, read_each

T = TypeVar("T")

RECORDS = (
    Activity,
    Convergence,
    Deployment,
    Group,
    LaunchConfig,
    LedgerEntry,
    Notification,
    Policy,
    Schedule,
    Webhook,
)

MAX_TOGETHER = 256
"""The most writes that share a commit; bounds how long the first of them waits for the last."""

MAX_READ_TOGETHER = 16
"""The most reads that are answered together; bounds how long the first of them waits."""


class SQLiteTables:
    """
    A database file with one thread that writes and one, unless told otherwise, that reads.

    A read that starts after a write was acknowledged sees it; reads never wait for writes. More
    readers make a busy process slower: Python runs one of them at a time, and each takes turns
    away from the reactor.
    """

    def __init__(
        self,
        path: Path,
        reactor: IReactorThreads,
        *,
        readers: int = 1,
        max_queued: int = 4096,
        busy_timeout: timedelta = timedelta(seconds=5),
        committed: Callable[[int], None] | None = None,
    ) -> None:
        """``committed`` is told how many writes became durable together."""
        self._opened = False
        self._reactor = reactor
        self._database = Database(path.resolve(), busy_timeout)
        self._lock = FileLock(self._database.path)
        self._codec = make_codec(*RECORDS)
        self._writes = JobQueue(max_queued)
        self._reads = JobQueue(max_queued)
        self._writer = Worker(
            reactor,
            self._writes,
            self._database.open_writer,
            commit_together,
            name="sqlite-writer",
            most=MAX_TOGETHER,
            delivered=committed,
        )
        self._readers = [
            Worker(
                reactor,
                self._reads,
                self._database.open_reader,
                read_each,
                name=f"sqlite-reader-{number}",
                most=MAX_READ_TOGETHER,
            )
            for number in range(readers)
        ]

    async def open(self) -> None:
        """
        Open the database, making or migrating it first; call once, before anything else.

        :raises DatabaseInUseError: another process has it open.
        :raises DatabaseTooNewError: a later version of Otter has written it.
        :raises DatabaseUnusableError: SQLite cannot work with it.
        :raises OSError: the file system does not let us have it.
        """
        await in_some_thread(self._reactor, self._prepare)
        self._opened = True
        for worker in (self._writer, *self._readers):
            worker.start()

    @property
    def writes_waiting(self) -> int:
        """How many writes wait for the thread that writes."""
        return len(self._writes)

    async def close(self) -> None:
        """Refuse new jobs, wait for those that are queued, and leave the file to others."""
        if not self._opened:
            return
        self._opened = False
        self._reads.close()
        await DeferredList([reader.ended for reader in self._readers])
        self._writes.close()
        await self._writer.ended
        self._lock.release()

    def _prepare(self) -> None:
        """Lock and migrate the file; in some thread."""
        self._lock.acquire()
        try:
            connection = self._database.open_writer()
            try:
                migrate(connection, load_migrations())
            finally:
                connection.close()
        except sqlite3.Error as error:
            self._lock.release()
            raise DatabaseUnusableError(f"{self._database.path}: {error}") from error
        except BaseException:
            self._lock.release()
            raise

    async def _write(self, job: Job[T]) -> T:
        """Return what the job came to once it is durable."""
        return await self._writes.put(job)

    async def _read(self, job: Job[T]) -> T:
        """Return what the job found."""
        return await self._reads.put(job)

    async def _records(self, record_type: type[T], sql: str, *values: object) -> list[T]:
        """Return the records whose bodies the query finds."""
        return await self._read(partial(_select, self._codec, record_type, sql, values))


def _select(
    codec: Codec,
    record_type: type[T],
    sql: str,
    values: Sequence[object],
    connection: Connection,
) -> list[T]:
    return [codec.decode(body, record_type) for (body,) in connection.execute(sql, values)]
