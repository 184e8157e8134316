"""
Decide what becomes of jobs that are performed together.

Note [Group commit]
    Making a commit durable costs the same for one write as for a hundred. Whatever is queued when
    the writer wakes goes into one transaction, each job behind a savepoint of its own: a job that
    is refused is undone alone. Nobody is answered before the commit, not even those who were
    refused, since they were judged by writes that were not durable yet.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.python.failure import Failure

from otter.models.errors import StoreUnavailableError

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

MISUSE = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    sqlite3.NotSupportedError,
)
"""Errors of SQLite's that are ours; any other means that the engine refuses service."""


def is_outage(error: BaseException) -> bool:
    """Tell whether the error is the engine's (disk full, locked, unreadable) and not the job's."""
    return isinstance(error, sqlite3.DatabaseError | OSError) and not isinstance(error, MISUSE)


def unavailable(error: BaseException) -> Failure:
    """Return the failure that callers see of an outage."""
    return Failure(StoreUnavailableError(f"{type(error).__name__}: {error}"))


def commit_together(connection: sqlite3.Connection, jobs: Sequence[Job[Any]]) -> list[Any]:
    """
    Perform the jobs in one transaction; return what each came to, a ``Failure`` where it failed.

    An exception that comes out means that nothing of all this happened, or that nobody can tell;
    the connection is not to be used again.
    """
    connection.execute("BEGIN IMMEDIATE")
    outcomes = [_perform_in_savepoint(connection, job) for job in jobs]
    connection.execute("COMMIT")
    return outcomes


def read_each(connection: sqlite3.Connection, jobs: Sequence[Job[Any]]) -> list[Any]:
    """Perform jobs that read; an exception that comes out is an outage."""
    return [_perform(connection, job) for job in jobs]


def _perform(connection: sqlite3.Connection, job: Job[Any]) -> Any:
    try:
        return job(connection)
    except Exception as error:
        if is_outage(error):
            raise
        return Failure()


def _perform_in_savepoint(connection: sqlite3.Connection, job: Job[Any]) -> Any:
    connection.execute("SAVEPOINT job")
    try:
        outcome = job(connection)
    except Exception as error:
        if not connection.in_transaction:
            raise  # the engine has undone the whole transaction, the other jobs with it
        connection.execute("ROLLBACK TO job")
        outcome = unavailable(error) if is_outage(error) else Failure()
    connection.execute("RELEASE job")
    return outcome
