"""Open connections to the database file, each for the one thread that uses it."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path

from attrs import frozen

JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024
"""The write-ahead log is cut back to this after a burst."""


@frozen
class Database:
    """
    A database file.

    :ivar busy_timeout: how long to wait for a lock of somebody else's tool before giving up.
    """

    path: Path
    busy_timeout: timedelta

    def open_writer(self) -> sqlite3.Connection:
        """
        Return the connection that writes; a commit is on the disk when it returns.

        Only we may read the file: it holds the secrets of webhooks.
        """
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = self._connect()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_BYTES:d}")
        return connection

    def open_reader(self) -> sqlite3.Connection:
        """Return a connection that cannot write."""
        connection = self._connect()
        connection.execute("PRAGMA query_only = 1")
        return connection

    def _connect(self) -> sqlite3.Connection:
        """Return a connection that begins no transaction by itself."""
        return sqlite3.connect(
            self.path,
            timeout=self.busy_timeout.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
        )
