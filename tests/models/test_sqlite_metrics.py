"""What the SQLite store tells about its writes: how many wait, how many share a commit."""

from pathlib import Path
from typing import cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads
from twisted.trial.unittest import TestCase

from otter.models.sqlite import SQLiteStore
from tests.models.sqlite_fixture import BUSY, Gate


class SqliteMetricsTests(TestCase):
    """A writer that is held up while writes pile up behind it."""

    timeout = 20

    async def test_writes(self) -> None:
        """Those that wait are counted while they wait, and together when they are committed."""
        commits: list[int] = []
        store = SQLiteStore(
            Path(self.mktemp()),
            cast("IReactorThreads", reactor),
            readers=1,
            busy_timeout=BUSY,
            committed=commits.append,
        )
        await store.open()
        self.addCleanup(store.close)
        gate = Gate()
        holding = Deferred.fromCoroutine(store._write(gate.hold))
        self.addCleanup(gate.let_go)
        await gate.entered

        writes = [Deferred.fromCoroutine(store._write(lambda _: None)) for _ in range(5)]
        waiting = store.writes_waiting
        gate.let_go()
        for work in (holding, *writes):
            await work

        self.assertEqual((waiting, store.writes_waiting), (5, 0))
        self.assertEqual(commits, [1, 5])
