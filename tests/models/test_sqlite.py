"""The store in a file keeps every promise of a store."""

from tests.contracts import (
    store_groups,
    store_history,
    store_leases,
    store_ledger,
    store_marks,
    store_policies,
    store_timers,
)
from tests.models.sqlite_fixture import InSQLite


class SQLiteCreateTests(InSQLite, store_groups.CreateContract):
    """Adding groups, in a file."""


class SQLiteListingTests(InSQLite, store_groups.ListingContract):
    """Pages of groups, in a file."""


class SQLiteUpdateTests(InSQLite, store_groups.UpdateContract):
    """Conditional writes, in a file."""


class SQLiteRemoveTests(InSQLite, store_groups.RemoveContract):
    """Forgetting groups, in a file."""


class SQLiteDirtyTests(InSQLite, store_marks.DirtyContract):
    """Marks, in a file."""


class SQLitePolicyTests(InSQLite, store_policies.PolicyContract):
    """Policies, in a file."""


class SQLiteWebhookTests(InSQLite, store_policies.WebhookContract):
    """Webhooks, in a file."""


class SQLiteLedgerTests(InSQLite, store_ledger.LedgerContract):
    """Ledgers, in a file."""


class SQLiteOrphanTests(InSQLite, store_ledger.OrphanContract):
    """Orphans, in a file."""


class SQLiteHistoryTests(InSQLite, store_history.HistoryContract):
    """Histories, in a file."""


class SQLitePruneTests(InSQLite, store_history.PruneContract):
    """Forgetting, in a file."""


class SQLiteNotificationTests(InSQLite, store_timers.NotificationContract):
    """Messages, in a file."""


class SQLiteScheduleTests(InSQLite, store_timers.ScheduleContract):
    """Timers, in a file."""


class SQLiteLeaseTests(InSQLite, store_leases.LeaseContract):
    """Leases, in a file."""


class SQLiteDeploymentTests(InSQLite, store_leases.DeploymentContract):
    """The identity, in a file."""
