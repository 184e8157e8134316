"""Why a database file is not opened; each needs a person."""

from otter.models.errors import StoreError


class DatabaseInUseError(StoreError):
    """Another process, or another store of this one, has the file open for writing."""


class DatabaseTooNewError(StoreError):
    """The file was written by a later version of Otter, whose tables this one does not know."""


class DatabaseUnusableError(StoreError):
    """The file cannot be opened, is no database, or holds the tables of something else."""
