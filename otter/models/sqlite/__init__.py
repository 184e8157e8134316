"""The store that needs nothing but a file: one process, any number of callers."""

from otter.models.sqlite.errors import (
    DatabaseInUseError,
    DatabaseTooNewError,
    DatabaseUnusableError,
)
from otter.models.sqlite.store import SQLiteStore

__all__ = ["DatabaseInUseError", "DatabaseTooNewError", "DatabaseUnusableError", "SQLiteStore"]
