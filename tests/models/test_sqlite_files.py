"""Database files are opened by one process at a time, and only when their tables are known."""

import sqlite3
import stat
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.models.sqlite import (
    DatabaseInUseError,
    DatabaseTooNewError,
    DatabaseUnusableError,
    SQLiteStore,
)
from otter.models.sqlite.migrations import load_migrations, migrate
from tests.contracts.store_records import GROUP, TENANT, a_group, an_activity
from tests.models.sqlite_fixture import InSQLite, a_store


def opening(store: SQLiteStore) -> Deferred[Any]:
    """Return the opening of a store, to be failed by a test's own means."""
    return Deferred.fromCoroutine(store.open())


def write_text(path: Path) -> None:
    """Make a file that somebody else needs."""
    path.write_text("precious " * 100)


def is_untouched(path: Path) -> bool:
    """Tell whether the file is still as ``write_text`` made it."""
    return path.read_text() == "precious " * 100


class FileTests(InSQLite):
    """Opening and closing."""

    async def test_what_was_stored_is_there_after_a_restart(self) -> None:
        """That is what the file is for."""
        path = Path(self.mktemp())
        store = a_store(path)
        await store.open()
        await store.create_group(a_group(), [], max_groups=1, activities=[an_activity("1")])
        await store.close()

        again = await self.open_store(path)

        self.assertEqual(await again.get_group(TENANT, GROUP), a_group())
        self.assertEqual(await self.history(again), ["1"])

    async def test_a_file_is_written_by_one_store(self) -> None:
        """The second is told clearly, also through another name of the file; it may try again."""
        path = Path(self.mktemp())
        first = a_store(path)
        await first.open()
        other_name = path.with_name(f"{path.name}.link")
        other_name.symlink_to(path.name)
        second = a_store(other_name)

        error = await self.assertFailure(opening(second), DatabaseInUseError)
        await second.close()
        await first.close()

        self.assertIn("is in use by another process", str(error))
        await self.open_store(path)

    async def test_a_file_from_the_future_is_left_alone(self) -> None:
        """An older Otter cannot know what it would destroy; nothing is locked or changed."""
        path = Path(self.mktemp())
        store = a_store(path)
        await store.open()
        await store._write(
            lambda connection: connection.execute("INSERT INTO schema_version VALUES (999, 'x')")
        )
        await store.close()

        error = await self.assertFailure(opening(a_store(path)), DatabaseTooNewError)

        self.assertIn("schema version 999", str(error))
        connection = sqlite3.connect(path)
        self.addCleanup(connection.close)
        with connection:
            connection.execute("DELETE FROM schema_version WHERE version = 999")
        await self.open_store(path)

    async def test_only_we_may_read_the_file(self) -> None:
        """It holds the secrets of webhooks, and so do the files beside it."""
        path = Path(self.mktemp())
        store = await self.open_store(path)
        await store.create_group(a_group(), [], max_groups=1)

        files = [path, *path.parent.glob(f"{path.name}-*")]
        modes = {stat.S_IMODE(file.stat().st_mode) for file in files}

        self.assertEqual(len(files), 3)
        self.assertEqual(modes, {0o600})

    async def test_a_store_that_never_opened_closes(self) -> None:
        """A start that failed elsewhere can be cleaned up like any other."""
        store = a_store(Path(self.mktemp()))

        await store.close()

        await self.open_store(store._database.path)

    async def test_a_file_that_is_no_database_is_told(self) -> None:
        """By its path, for the operator has to find it; and it is not overwritten."""
        path = Path(self.mktemp())
        write_text(path)

        error = await self.assertFailure(opening(a_store(path)), DatabaseUnusableError)

        self.assertIn(f"{path.resolve()}: file is not a database", str(error))
        self.assertTrue(is_untouched(path))


class MigrationTests(SynchronousTestCase):
    """Bringing tables up to date."""

    def make_connection(self) -> sqlite3.Connection:
        """Return a connection to an empty database."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(connection.close)
        return connection

    def test_migrations_are_applied_once_and_in_order(self) -> None:
        """A file may be as old as the first version; what it has seen is not repeated."""
        connection = self.make_connection()
        first = "CREATE TABLE a (x)"
        second = "ALTER TABLE a ADD COLUMN y; INSERT INTO a VALUES (1, 2)"

        migrate(connection, [first])
        migrate(connection, [first, second])
        migrate(connection, [first, second])

        rows = connection.execute("SELECT x, y FROM a").fetchall()
        self.assertEqual(rows, [(1, 2)])

    def test_a_migration_that_fails_leaves_nothing(self) -> None:
        """The version before it still works with the file."""
        connection = self.make_connection()
        migrate(connection, ["CREATE TABLE a (x)"])

        with self.assertRaises(sqlite3.Error):
            migrate(connection, ["CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO nothing"])

        tables = connection.execute("SELECT name FROM sqlite_schema ORDER BY name").fetchall()
        self.assertEqual(tables, [("a",), ("schema_version",)])
        migrate(connection, ["CREATE TABLE a (x)"])

    def test_the_migrations_of_the_package_make_the_tables(self) -> None:
        """They are found wherever the package is installed, and all of them are SQL."""
        connection = self.make_connection()

        migrate(connection, load_migrations())

        (version,) = connection.execute("SELECT max(version) FROM schema_version").fetchone()
        self.assertEqual(version, len(load_migrations()))
        self.assertEqual(connection.execute("SELECT count(*) FROM groups").fetchone(), (0,))
