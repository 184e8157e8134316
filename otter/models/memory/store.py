"""Put the families of tables together to one ``Store``."""

from otter.models.memory.groups import GroupTables
from otter.models.memory.history import HistoryTables
from otter.models.memory.leases import LeaseTables
from otter.models.memory.ledger import LedgerTables
from otter.models.memory.policies import PolicyTables
from otter.models.memory.timers import TimerTables


class MemoryStore(GroupTables, PolicyTables, LedgerTables, HistoryTables, TimerTables, LeaseTables):
    """
    A ``Store`` of plain dictionaries.

    No method waits for anything between looking and writing, so each of them is atomic.
    """
