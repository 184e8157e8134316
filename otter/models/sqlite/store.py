"""Put the families of tables together to one ``Store``."""

from otter.models.sqlite.groups import GroupTables
from otter.models.sqlite.history import HistoryTables
from otter.models.sqlite.leases import LeaseTables
from otter.models.sqlite.ledger import LedgerTables
from otter.models.sqlite.policies import PolicyTables
from otter.models.sqlite.timers import TimerTables


class SQLiteStore(GroupTables, PolicyTables, LedgerTables, HistoryTables, TimerTables, LeaseTables):
    """
    A ``Store`` in one SQLite file.

    ``SQLiteStore(path, reactor)``, then ``await store.open()``, at the end ``await store.close()``.
    Every write is one transaction, durable when the call returns.
    """
