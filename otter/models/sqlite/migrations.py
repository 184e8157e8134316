"""Bring the tables of a database file to what this code expects."""

import sqlite3
from collections.abc import Sequence
from importlib.resources import files

from otter.models.sqlite.errors import DatabaseTooNewError


def load_migrations() -> Sequence[str]:
    """Return the SQL of every migration, in order; the first makes the first version."""
    folder = files("schema").joinpath("sqlite")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [folder.joinpath(name).read_text(encoding="utf-8") for name in names]


def migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """
    Apply what is missing, each migration in a transaction with the record that it was applied.

    :raises DatabaseTooNewError: the file has seen migrations that we do not know.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_version"
        " (version INTEGER NOT NULL PRIMARY KEY, applied TEXT NOT NULL)"
    )
    (version,) = connection.execute("SELECT ifnull(max(version), 0) FROM schema_version").fetchone()
    if version > len(migrations):
        raise DatabaseTooNewError(
            f"the database has schema version {version}, this Otter knows up to {len(migrations)}"
        )
    for number, sql in enumerate(migrations[version:], start=version + 1):
        _apply(connection, number, sql)


def _apply(connection: sqlite3.Connection, number: int, sql: str) -> None:
    record = f"INSERT INTO schema_version VALUES ({number:d}, datetime('now'));"  # noqa: S608 - a number of ours
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\n;{record}\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
