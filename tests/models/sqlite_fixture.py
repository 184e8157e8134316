"""Stores in files of their own, for tests of SQLite."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorThreads

from otter.models.interface import Store
from otter.models.sqlite import SQLiteStore
from tests.contracts.store_records import StoreContract

BUSY = timedelta(milliseconds=50)
"""How long stores in tests wait for somebody else's lock."""


def a_store(path: Path, *, readers: int = 2, max_queued: int = 100) -> SQLiteStore:
    """Return a store that is not open yet."""
    return SQLiteStore(
        path,
        cast("IReactorThreads", reactor),
        readers=readers,
        max_queued=max_queued,
        busy_timeout=BUSY,
    )


class Gate:
    """
    A write that lasts until it is let go.

    :ivar entered: fires when the writer is held up.
    """

    def __init__(self) -> None:
        self.entered: Deferred[None] = Deferred()
        self.statements: list[str] = []
        self._free = Event()

    def hold(self, connection: sqlite3.Connection) -> None:
        """Hold up the writer; what it executes afterwards is noted."""
        cast("IReactorFromThreads", reactor).callFromThread(self.entered.callback, None)
        self._free.wait(10)
        connection.set_trace_callback(self.statements.append)

    def let_go(self) -> None:
        """Let the write end."""
        self._free.set()


class InSQLite(StoreContract):
    """Runs a contract over a store in a file."""

    async def make_store(self) -> Store:
        """Return an open store in a new file."""
        return await self.open_store(Path(self.mktemp()))

    async def open_store(
        self, path: Path, *, readers: int = 2, max_queued: int = 100
    ) -> SQLiteStore:
        """Return an open store; it is closed after the test."""
        store = a_store(path, readers=readers, max_queued=max_queued)
        await store.open()
        self.addCleanup(store.close)
        return store

    async def hold(self, store: SQLiteStore, gate: Gate) -> None:
        """Hold up the store's writer until the gate lets go, at the latest when the test ends."""
        holding = Deferred.fromCoroutine(store._write(gate.hold))
        self.addCleanup(lambda: holding)
        self.addCleanup(gate.let_go)
        await gate.entered
