"""The in-memory store keeps every promise of a store."""

from otter.models.interface import Store
from otter.models.memory import MemoryStore
from tests.contracts import (
    store_groups,
    store_history,
    store_leases,
    store_ledger,
    store_marks,
    store_policies,
    store_records,
    store_timers,
)


class InMemory(store_records.StoreContract):
    """Runs a contract over a store in memory."""

    async def make_store(self) -> Store:
        """Return a new store."""
        return MemoryStore()


class MemoryCreateTests(InMemory, store_groups.CreateContract):
    """Adding groups, in memory."""


class MemoryListingTests(InMemory, store_groups.ListingContract):
    """Pages of groups, in memory."""


class MemoryUpdateTests(InMemory, store_groups.UpdateContract):
    """Conditional writes, in memory."""


class MemoryRemoveTests(InMemory, store_groups.RemoveContract):
    """Forgetting groups, in memory."""


class MemoryDirtyTests(InMemory, store_marks.DirtyContract):
    """Marks, in memory."""


class MemoryPolicyTests(InMemory, store_policies.PolicyContract):
    """Policies, in memory."""


class MemoryWebhookTests(InMemory, store_policies.WebhookContract):
    """Webhooks, in memory."""


class MemoryLedgerTests(InMemory, store_ledger.LedgerContract):
    """Ledgers, in memory."""


class MemoryOrphanTests(InMemory, store_ledger.OrphanContract):
    """Orphans, in memory."""


class MemoryHistoryTests(InMemory, store_history.HistoryContract):
    """Histories, in memory."""


class MemoryPruneTests(InMemory, store_history.PruneContract):
    """Forgetting, in memory."""


class MemoryNotificationTests(InMemory, store_timers.NotificationContract):
    """Messages, in memory."""


class MemoryScheduleTests(InMemory, store_timers.ScheduleContract):
    """Timers, in memory."""


class MemoryLeaseTests(InMemory, store_leases.LeaseContract):
    """Leases, in memory."""


class MemoryDeploymentTests(InMemory, store_leases.DeploymentContract):
    """The identity, in memory."""
