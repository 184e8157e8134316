"""When the engine fails, callers are told, nothing is there by half, and it recovers by itself."""

import sqlite3
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.models.activity import Activity
from otter.models.errors import ConflictError, StoreUnavailableError
from otter.models.group import DirtyMark
from otter.models.sqlite import SQLiteStore
from otter.models.sqlite.transactions import commit_together
from tests.contracts.store_records import (
    GROUP,
    INSTANCE,
    OTHER_GROUP,
    TENANT,
    a_group,
    a_ledger_write,
    a_notification,
    a_policy,
    an_activity,
    an_entry,
)
from tests.models.sqlite_fixture import Gate, InSQLite


def a_large_activity(activity_id: str) -> Activity:
    """Return an activity that does not fit into a few pages."""
    return evolve(an_activity(activity_id), reason="because " * 10_000)


class OutageTests(InSQLite):
    """Disks that are full, files that are locked, connections that break."""

    async def open_store_with_group(self) -> tuple[SQLiteStore, Path]:
        """Return a store with one group, and its file."""
        path = Path(self.mktemp())
        store = await self.open_store(path)
        await store.create_group(a_group(), [], max_groups=10)
        return store, path

    async def test_a_full_disk_refuses_until_there_is_room(self) -> None:
        """Nothing of what did not fit is there; reads go on; no restart is needed."""
        store, _ = await self.open_store_with_group()
        await store._write(_limit_to_present_size)

        update = store.update_group(
            a_group(desired=5), mark=True, activities=[a_large_activity("1")]
        )

        await self.assert_refused(update, StoreUnavailableError)
        self.assertEqual(await store.get_group(TENANT, GROUP), a_group())
        self.assertEqual(await self.history(store), [])

        await store._write(lambda connection: connection.execute("PRAGMA max_page_count = 100000"))
        await store.update_group(a_group(), mark=True, activities=[a_large_activity("1")])
        self.assertEqual(await self.history(store), ["1"])

    async def test_a_locked_file_refuses_until_it_is_free(self) -> None:
        """An operator's tool that writes to the file costs errors, not a restart."""
        store, path = await self.open_store_with_group()
        tool = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(tool.close)
        tool.execute("BEGIN IMMEDIATE")

        update = store.update_group(a_group(desired=5), mark=True)

        await self.assert_refused(update, StoreUnavailableError)
        self.assertEqual(await store.get_group(TENANT, GROUP), a_group())

        tool.execute("ROLLBACK")
        self.assertEqual((await store.update_group(a_group(), mark=True)).generation, 2)

    async def test_a_transaction_the_engine_undoes_is_undone_for_all(self) -> None:
        """Nobody who shared it is told of a success that did not last."""
        store, _ = await self.open_store_with_group()

        gate = Gate()
        await self.hold(store, gate)
        together = Deferred.fromCoroutine(
            self.race(
                store.add_activities([an_activity("1")]),
                store._write(_break_the_transaction),
                store.add_activities([an_activity("2")]),
            )
        )

        gate.let_go()
        won, lost = await together

        self.assertEqual(won, [])
        self.assertEqual({type(error) for error in lost}, {StoreUnavailableError})
        self.assertEqual(await self.history(store), [])

        await store.add_activities([an_activity("3")])
        self.assertEqual(await self.history(store), ["3"])

    async def test_a_reader_recovers(self) -> None:
        """A read that failed costs one answer; the next is right."""
        store, _ = await self.open_store_with_group()

        for _ in range(4):
            await self.assert_refused(store._read(_fail), StoreUnavailableError)

        self.assertEqual(await store.get_group(TENANT, GROUP), a_group())


class InjectedFaultTests(InSQLite):
    """A statement in the middle of a write that fails undoes the statements before it."""

    async def test_an_update_is_never_seen_by_half(self) -> None:
        """Whichever statement fails, all the rest of the write stays away too."""
        for event in (
            "UPDATE ON groups",
            "UPDATE ON convergences",
            "INSERT ON entries",
            "INSERT ON notifications",
            "INSERT ON activities",
        ):
            store = await self.open_store(Path(self.mktemp()))
            await store.create_group(a_group(), [], max_groups=10)
            await store.create_group(a_group(OTHER_GROUP), [], max_groups=10)
            await _inject(store, event)
            write = a_ledger_write(an_entry(), notifications=(a_notification(),))

            update = store.update_group(
                a_group(desired=5), mark=True, ledger=write, activities=[an_activity("1")]
            )

            await self.assert_refused(update, sqlite3.IntegrityError)
            self.assertEqual(await store.get_group(TENANT, GROUP), a_group())
            self.assertEqual((await store.list_dirty())[0], DirtyMark(TENANT, GROUP, 1))
            self.assertEqual((await store.read_ledger(TENANT, GROUP)).convergence.revision, 0)
            self.assertIsNone(await store.get_entry(TENANT, GROUP, INSTANCE))
            self.assertEqual(await store.due_notifications(a_notification().due), [])
            self.assertEqual(await self.history(store), [])

    async def test_a_group_is_never_created_by_half(self) -> None:
        """A create that fails can be repeated as if it had never been tried."""
        for event in (
            "INSERT ON convergences",
            "INSERT ON policies",
            "INSERT ON activities",
        ):
            store = await self.open_store(Path(self.mktemp()))
            await _inject(store, event)

            creating = store.create_group(
                a_group(), [a_policy()], max_groups=1, activities=[an_activity("1")]
            )

            await self.assert_refused(creating, sqlite3.IntegrityError)
            self.assertEqual(await store.list_tenants(), [])
            self.assertEqual(await store.list_dirty(), [])
            self.assertEqual(await store.list_policies(TENANT, GROUP), [])
            await store._write(lambda connection: connection.execute("DROP TRIGGER fault"))
            await store.create_group(a_group(), [a_policy()], max_groups=1)
            self.assertEqual((await store.read_ledger(TENANT, GROUP)).convergence.revision, 0)


class CommitTests(SynchronousTestCase):
    """A commit that fails is a failure of everybody in it."""

    def test_nobody_is_answered_before_the_commit(self) -> None:
        """Also a refusal may rest on a write that was lost, so it is not given out."""
        connection = sqlite3.connect(":memory:", isolation_level=None, factory=NoCommit)
        self.addCleanup(connection.close)

        with self.assertRaises(sqlite3.OperationalError):
            commit_together(connection, [lambda _: "stored", _refuse])

    def test_each_job_has_its_own_outcome(self) -> None:
        """Results and refusals are told apart, in the order of the jobs."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(connection.close)

        stored, refused = commit_together(connection, [lambda _: "stored", _refuse])

        self.assertEqual(stored, "stored")
        self.assertTrue(refused.check(ConflictError))


class NoCommit(sqlite3.Connection):
    """A connection whose disk fails in the last moment."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Execute anything but a commit."""
        if sql == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *parameters)


def _refuse(_: sqlite3.Connection) -> None:
    raise ConflictError("moved on")


def _fail(_: sqlite3.Connection) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def _break_the_transaction(connection: sqlite3.Connection) -> None:
    """Do what SQLite does on some errors: undo everything and say that it failed."""
    connection.execute("ROLLBACK")
    raise sqlite3.OperationalError("disk I/O error")


def _limit_to_present_size(connection: sqlite3.Connection) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages:d}")


async def _inject(store: SQLiteStore, event: str) -> None:
    """Make the next statement of a kind fail."""
    trigger = f"CREATE TRIGGER fault BEFORE {event} BEGIN SELECT RAISE(FAIL, 'injected'); END"
    await store._write(lambda connection: connection.execute(trigger))
