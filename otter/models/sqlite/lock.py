"""Make sure that one process alone writes a database file."""

import fcntl
import os
from pathlib import Path

from otter.models.sqlite.errors import DatabaseInUseError


class FileLock:
    """
    A lock on a file beside the database.

    The kernel holds it with our open file, so a process that is killed leaves no lock behind.
    SQLite's own locks would let a second process in between two transactions of ours.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """
        Take the lock.

        :raises DatabaseInUseError: somebody else has it.
        """
        path = self._database.with_name(self._database.name + ".lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise DatabaseInUseError(
                f"{self._database} is in use by another process; stop that one first"
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; fine if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
